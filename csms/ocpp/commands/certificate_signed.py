"""CertificateSigned: bring a station the certificate that it asked for in SignCertificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.certificates import MAX_CHAIN, SigningUse, read_chain
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.fields import text
from csms.ocpp.frames import JsonObject
from csms.services import certificates
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class CertificateSigned:
    """Parameters of certificate_signed."""

    certificate_chain: Annotated[str, MinLen(1), MaxLen(MAX_CHAIN)] = field(
        metadata=doc("in PEM, the station's certificate first, without the root")
    )
    certificate_type: SigningUse | None = field(
        default=None,
        metadata=doc("which of its certificates; left out: the station decides by the key"),
    )
    request_id: Annotated[int | None, Ge(-(2**31)), Le(2**31 - 1)] = field(
        default=None, metadata=doc("as the station numbered its request; OCPP 2.1 only")
    )

    def __post_init__(self) -> None:
        try:
            read_chain(self.certificate_chain)
        except Invalid as error:
            raise Invalid(error.message, loc=("certificate_chain",)) from error


def encode_v16(params: CertificateSigned) -> Order:
    """There is one certificate, so it has no type."""
    if params.certificate_type not in {None, SigningUse.STATION}:
        raise NotSupportedByVersion("OCPP 1.6 has certificates for the station only")
    _refuse_request_id(params, "1.6")
    return Order("CertificateSigned", {"certificateChain": params.certificate_chain})


def encode_v201(params: CertificateSigned) -> Order:
    """As 2.1, without the request's number."""
    if params.certificate_type is SigningUse.V2G20:
        raise NotSupportedByVersion("OCPP 2.0.1 has no V2G20Certificate")
    _refuse_request_id(params, "2.0.1")
    return encode_v21(params)


def encode_v21(params: CertificateSigned) -> Order:
    """The parameters as they are (2.1 A02.FR.14, A02.FR.25)."""
    return Order("CertificateSigned", wire.payload(params))


def decode_v16(payload: JsonObject) -> CertificateSigned:
    """The chain is all it says."""
    return CertificateSigned(payload["certificateChain"])


def _refuse_request_id(params: CertificateSigned, version: str) -> None:
    if params.request_id is not None:
        raise NotSupportedByVersion(f"OCPP {version} does not number signing requests")


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """The station keeps its old certificate when it declines (2.0.1 A02.FR.07)."""
    info = answer.payload.get("statusInfo")
    certificates.answered(
        tx,
        station_id,
        str(payload.get("certificateChain")),
        accepted=answer.accepted,
        reason=text(info, "reasonCode") if isinstance(info, dict) else None,
    )


COMMAND = Command(
    name="certificate_signed",
    summary="Bring the station a certificate that it asked for",
    # A station that has taken it declines it the second time, so a repeat would tell nothing.
    command_class=CommandClass.C,
    params=CertificateSigned,
    actions=dict.fromkeys(OcppVersion, "CertificateSigned"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    single_target=True,
    settled=settled,
    decode_v16={"CertificateSigned": decode_v16},
)
