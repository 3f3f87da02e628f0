"""The certificate by which a station shows who it is (security profile 3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from csms.domain.certificates import is_for_clients, own_names
from csms.domain.identity import name_key
from csms.errors import Invalid


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The subject of a certificate whose path and dates have been checked."""

    common_names: tuple[str, ...]
    organizations: tuple[str, ...]
    is_for_clients: bool = True
    """Whether its extended key usage says so; one that has none may be meant for anything."""

    @property
    def common_name(self) -> str | None:
        """The one name in it; None when there are none or several."""
        return self.common_names[0].strip() if len(self.common_names) == 1 else None

    def is_for(self, identity: str, serial_number: str | None) -> bool:
        """Whether it belongs to this station (OCPP 2.0.1 A00.FR.405)."""
        name = self.common_name
        return name is not None and name_key(name) in own_names(identity, serial_number)

    def is_of(self, organizations: Collection[str]) -> bool:
        """Whether one of these owns it (OCPP 2.0.1 A00.FR.404); none given: anybody may."""
        trusted = {name.strip().casefold() for name in organizations}
        return not trusted or any(one.strip().casefold() in trusted for one in self.organizations)


def read_client_certificate(der: bytes) -> ClientCertificate:
    """What a certificate says of its owner; raises Invalid."""
    try:
        subject = x509.load_der_x509_certificate(der).subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        owners = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except Exception as error:  # the library's own have nothing in common
        raise Invalid("is no certificate", code="bad_certificate") from error
    return ClientCertificate(
        common_names=tuple(str(name.value) for name in names),
        organizations=tuple(str(owner.value) for owner in owners),
        is_for_clients=is_for_clients(der),
    )
