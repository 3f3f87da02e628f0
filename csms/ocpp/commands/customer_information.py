"""CustomerInformation: have a station report, or forget, what it stores about a customer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.commands.delete_certificate import HashAlgorithm
from csms.ocpp.commands.report_requests import expects
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.frames import JsonObject
from csms.store.database import Tx

_Hash = Annotated[str, MinLen(1), MaxLen(128)]


@dataclass(frozen=True, slots=True)
class CustomerCertificate:
    """CertificateHashDataType of the customer's certificate."""

    hash_algorithm: HashAlgorithm
    issuer_name_hash: _Hash
    issuer_key_hash: _Hash
    serial_number: Annotated[str, MinLen(1), MaxLen(40)]


@dataclass(frozen=True, slots=True)
class CustomerInformation:
    """Parameters of customer_information."""

    report: bool = field(default=True, metadata=doc("send what is stored"))
    clear: bool = field(default=False, metadata=doc("forget what is stored"))
    customer_identifier: Annotated[str, MinLen(1), MaxLen(64)] | None = field(
        default=None, metadata=doc("a name that the station's vendor knows")
    )
    id_token: Annotated[str, MinLen(1), MaxLen(255)] | None = field(
        default=None, metadata=doc("the customer's token; at most 36 characters on OCPP 2.0.1")
    )
    id_token_type: Annotated[str, MinLen(1), MaxLen(20)] = field(
        default="ISO14443", metadata=doc("what kind of token it is")
    )
    customer_certificate: CustomerCertificate | None = field(
        default=None, metadata=doc("hash data of the customer's certificate")
    )
    request_id: RequestId = request_id()

    def __post_init__(self) -> None:
        customers = (self.customer_identifier, self.id_token, self.customer_certificate)
        if sum(customer is not None for customer in customers) != 1:
            raise Invalid(
                "give one of customer_identifier, id_token and customer_certificate",
                loc=("customer_identifier",),
            )
        if not self.report and not self.clear:
            raise Invalid("asks for nothing without clear", loc=("report",))


def encode_v2x(params: CustomerInformation) -> Order:
    """One of three ways to name the customer."""
    payload: JsonObject = {
        "requestId": params.request_id,
        "report": params.report,
        "clear": params.clear,
    }
    if params.customer_identifier is not None:
        payload["customerIdentifier"] = params.customer_identifier
    if params.id_token is not None:
        payload["idToken"] = {"idToken": params.id_token, "type": params.id_token_type}
    if params.customer_certificate is not None:
        payload["customerCertificate"] = wire.payload(params.customer_certificate)
    return Order("CustomerInformation", payload)


_expect_report = expects(ReportKind.CUSTOMER_INFORMATION)


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """A report follows when one was asked for (OCPP 2.0.1 N10)."""
    if payload["report"]:
        _expect_report(tx, station_id, payload, answer)


COMMAND = Command(
    name="customer_information",
    summary="Have the station report, or forget, what it stores about a customer",
    command_class=CommandClass.A,
    params=CustomerInformation,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "CustomerInformation"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encode_v2x),
    settled=settled,
)
