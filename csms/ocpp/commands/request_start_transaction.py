"""RequestStartTransaction, on 1.6 RemoteStartTransaction: start charging from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.id_tokens import id_token_key
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Evidence, EvidenceQuery, EvseId, Order, doc
from csms.store import evidence as evidence_store
from csms.store.database import ReadTx


@dataclass(frozen=True, slots=True)
class RequestStartTransaction:
    """Parameters of request_start_transaction."""

    id_token: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("on whose account; at most 20 characters on OCPP 1.6")
    )
    evse_id: EvseId | None = field(
        default=None, metadata=doc("where; left out: the station chooses")
    )


def encode_v16(params: RequestStartTransaction) -> Order:
    """The EVSE is the connector."""
    if len(params.id_token) > 20:
        raise NotSupportedByVersion("id_token has more than the 20 characters of OCPP 1.6")
    payload: dict[str, str | int] = {"idTag": params.id_token}
    if params.evse_id is not None:
        payload["connectorId"] = params.evse_id
    return Order("RemoteStartTransaction", payload)


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """A transaction of the same token that began since."""
    started_at = evidence_store.find_transaction_start(
        tx,
        station_id=query.station_id,
        id_token_key=id_token_key(str(query.payload.get("idTag", ""))),
        evse_id=query.payload.get("connectorId"),
        since=query.intent_at,
    )
    return None if started_at is None else Evidence("transaction", started_at, inferred=True)


COMMAND = Command(
    name="request_start_transaction",
    summary="Start a transaction",
    command_class=CommandClass.C,
    params=RequestStartTransaction,
    actions={OcppVersion.V16: "RemoteStartTransaction"},
    encode={OcppVersion.V16: encode_v16},
    evidence=evidence,
)
