"""RequestStopTransaction, on 1.6 RemoteStopTransaction: end a transaction from here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, doc


@dataclass(frozen=True, slots=True)
class RequestStopTransaction:
    """Parameters of request_stop_transaction."""

    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("the station's transaction id; a number on OCPP 1.6")
    )


def encode_v16(params: RequestStopTransaction) -> Order:
    """Transaction ids are integers there."""
    if not _INTEGER.fullmatch(params.transaction_id):
        raise NotSupportedByVersion("a transaction_id of OCPP 1.6 is a whole number")
    return Order("RemoteStopTransaction", {"transactionId": int(params.transaction_id)})


# At most 18 digits, so that it fits the 64 bits of a frame. Alfen Eve's 9223372036854775807
# means "no id" and names no transaction.
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


COMMAND = Command(
    name="request_stop_transaction",
    summary="End a transaction",
    command_class=CommandClass.B,
    params=RequestStopTransaction,
    actions={OcppVersion.V16: "RemoteStopTransaction"},
    encode={OcppVersion.V16: encode_v16},
    single_target=True,
    # A station refuses the id of a transaction it no longer has.
    gone=frozenset({"Rejected"}),
)
