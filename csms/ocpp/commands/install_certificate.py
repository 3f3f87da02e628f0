"""InstallCertificate: give a station a root certificate to trust."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.certificates import read_chain
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.certificate_words import CertificateType, type_of_v16, type_v16, type_v201
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.frames import JsonObject

# Of all versions before 2.1.
_MAX_LENGTH = 5500


@dataclass(frozen=True, slots=True)
class InstallCertificate:
    """Parameters of install_certificate."""

    certificate_type: CertificateType = field(
        metadata=doc("what it is for; OCPP 1.6 has roots of the CSMS and the manufacturer only")
    )
    certificate: Annotated[str, MinLen(1), MaxLen(10_000)] = field(
        metadata=doc("in PEM; at most 5,500 characters before OCPP 2.1")
    )

    def __post_init__(self) -> None:
        if self.certificate_type is CertificateType.V2G_CHAIN:
            raise Invalid("comes with certificate_signed", loc=("certificate_type",))
        try:
            read_chain(self.certificate)
        except Invalid as error:
            raise Invalid(error.message, loc=("certificate",)) from error


def encode_v16(params: InstallCertificate) -> Order:
    """The CSMS is the central system there."""
    return _order(type_v16(params.certificate_type), params, OcppVersion.V16)


def encode_v201(params: InstallCertificate) -> Order:
    """As 2.1, shorter and without the roots of vehicle makers."""
    return _order(type_v201(params.certificate_type), params, OcppVersion.V201)


def encode_v21(params: InstallCertificate) -> Order:
    """The parameters as they are."""
    return Order(
        "InstallCertificate",
        {"certificateType": params.certificate_type.value, "certificate": params.certificate},
    )


def decode_v16(payload: JsonObject) -> InstallCertificate:
    """Both words of 1.6 have one in 2.x."""
    return InstallCertificate(type_of_v16(payload["certificateType"]), payload["certificate"])


def _order(word: str, params: InstallCertificate, version: OcppVersion) -> Order:
    if len(params.certificate) > _MAX_LENGTH:
        raise NotSupportedByVersion(
            f"certificate has more than the {_MAX_LENGTH} characters of OCPP {version.value}"
        )
    return Order("InstallCertificate", {"certificateType": word, "certificate": params.certificate})


COMMAND = Command(
    name="install_certificate",
    summary="Give the station a root certificate to trust",
    command_class=CommandClass.A,
    params=InstallCertificate,
    actions=dict.fromkeys(OcppVersion, "InstallCertificate"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    decode_v16={"InstallCertificate": decode_v16},
)
