"""RequestBatterySwap: let a driver swap batteries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, Evidence, EvidenceQuery, Order, doc
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.store import notices
from csms.store.database import ReadTx


@dataclass(frozen=True, slots=True)
class RequestBatterySwap:
    """Parameters of request_battery_swap."""

    id_token: Annotated[str, MinLen(1), MaxLen(255)] = field(metadata=doc("on whose account"))
    id_token_type: Annotated[str, MinLen(1), MaxLen(20)] = field(
        default="Central",  # what a CSMS names on behalf of a driver who presents nothing
        metadata=doc("what kind of token it is, as OCPP 2.x calls it"),
    )
    request_id: RequestId = request_id()


def encode_v21(params: RequestBatterySwap) -> Order:
    """The station repeats requestId in BatterySwap (OCPP 2.1 S02.FR.02)."""
    return Order(
        "RequestBatterySwap",
        {
            "idToken": {"idToken": params.id_token, "type": params.id_token_type},
            "requestId": params.request_id,
        },
    )


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """A BatterySwap that names the request."""
    seen_at = notices.find_received_at(
        tx,
        query.station_id,
        action="BatterySwap",
        reference=str(query.payload["requestId"]),
        since=query.intent_at,
    )
    return None if seen_at is None else Evidence("battery swap", seen_at, inferred=False)


COMMAND = Command(
    name="request_battery_swap",
    summary="Let a driver swap batteries",
    command_class=CommandClass.C,
    params=RequestBatterySwap,
    actions={OcppVersion.V21: "RequestBatterySwap"},
    encode={OcppVersion.V21: encode_v21},
    single_target=True,
    evidence=evidence,
)
