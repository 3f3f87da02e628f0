"""RequestStopTransaction, on 1.6 RemoteStopTransaction: end a transaction from here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Evidence, EvidenceQuery, Order, doc
from csms.ocpp.commands.effects import follows
from csms.ocpp.frames import JsonObject
from csms.store import evidence as evidence_store
from csms.store.database import ReadTx


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


def encode_v2x(params: RequestStopTransaction) -> Order:
    """The id that the station chose."""
    return Order("RequestStopTransaction", {"transactionId": params.transaction_id})


def decode_v16(payload: JsonObject) -> RequestStopTransaction:
    """The number is the text of the id."""
    return RequestStopTransaction(str(payload["transactionId"]))


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """That the transaction has ended since; its reason says whether we ended it."""
    end = evidence_store.find_transaction_end(
        tx,
        station_id=query.station_id,
        station_transaction_id=str(query.payload["transactionId"]),
        since=query.intent_at,
    )
    return None if end is None else Evidence("transaction end", end.at, end.reason != "Remote")


COMMAND = Command(
    name="request_stop_transaction",
    summary="End a transaction",
    command_class=CommandClass.B,
    params=RequestStopTransaction,
    actions={
        OcppVersion.V16: "RemoteStopTransaction",
        OcppVersion.V201: "RequestStopTransaction",
        OcppVersion.V21: "RequestStopTransaction",
    },
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    single_target=True,
    # A station refuses the id of a transaction it no longer has.
    gone=frozenset({"Rejected"}),
    evidence=evidence,
    effect=follows(evidence, within_s=120),
    decode_v16={"RemoteStopTransaction": decode_v16},
)
