"""GetTransactionStatus: is a transaction ongoing, and are its messages still in the queue?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True)
class GetTransactionStatus:
    """Parameters of get_transaction_status."""

    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] | None = field(
        default=None,
        metadata=doc("the station's id; left out: are messages of any transaction in the queue"),
    )


def encode_v2x(params: GetTransactionStatus) -> Order:
    """The id or nothing."""
    payload: JsonObject = {}
    if params.transaction_id is not None:
        payload["transactionId"] = params.transaction_id
    return Order("GetTransactionStatus", payload)


COMMAND = Command(
    name="get_transaction_status",
    summary="Ask how far a transaction and its messages are",
    command_class=CommandClass.A,
    params=GetTransactionStatus,
    actions={
        OcppVersion.V201: "GetTransactionStatus",
        OcppVersion.V21: "GetTransactionStatus",
    },
    encode={OcppVersion.V201: encode_v2x, OcppVersion.V21: encode_v2x},
)
