"""DataTransfer: a vendor's own message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import MaxLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True)
class DataTransfer:
    """Parameters of data_transfer."""

    vendor_id: Annotated[str, MaxLen(255)] = field(metadata=doc("whose message"))
    message_id: Annotated[str | None, MaxLen(50)] = field(
        default=None, metadata=doc("which of the vendor's messages")
    )
    data: Any = field(default=None, metadata=doc("its content; text on OCPP 1.6, any JSON on 2.x"))
    repeatable: bool = field(
        default=False,
        metadata=doc("the station may get it twice, so send it again after a lost answer"),
    )


def encode_v16(params: DataTransfer) -> Order:
    """The content is text."""
    if params.data is not None and not isinstance(params.data, str):
        raise NotSupportedByVersion("OCPP 1.6 cannot transfer data other than text")
    return encode_v2x(params)


def encode_v2x(params: DataTransfer) -> Order:
    """Absent is not the same as empty."""
    payload: JsonObject = {"vendorId": params.vendor_id}
    if params.message_id is not None:
        payload["messageId"] = params.message_id
    if params.data is not None:
        payload["data"] = params.data
    return Order("DataTransfer", payload)


def decode_v16(payload: JsonObject) -> DataTransfer:
    """The same fields in every version."""
    return DataTransfer(payload["vendorId"], payload.get("messageId"), payload.get("data"))


def refine_class(params: DataTransfer) -> CommandClass:
    """Only the caller knows whether the vendor's message may be repeated."""
    return CommandClass.A if params.repeatable else CommandClass.C


COMMAND = Command(
    name="data_transfer",
    summary="Send a vendor's own message",
    command_class=CommandClass.C,
    params=DataTransfer,
    actions=dict.fromkeys(OcppVersion, "DataTransfer"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    refine_class=refine_class,
    decode_v16={"DataTransfer": decode_v16},
)
