"""AdjustPeriodicEventStream: have a stream of monitored values sent at another pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.store import event_streams
from csms.store.database import Tx

_Count = Annotated[int, Ge(0), Le(2**31 - 1)]


@dataclass(frozen=True, slots=True)
class AdjustPeriodicEventStream:
    """Parameters of adjust_periodic_event_stream."""

    stream_id: _Count = field(metadata=doc("the station's id of the stream"))
    interval_s: _Count | None = field(default=None, metadata=doc("how often values are sent"))
    max_values: _Count | None = field(
        default=None, metadata=doc("after how many values they are sent at the latest")
    )

    def __post_init__(self) -> None:
        if self.interval_s is None and self.max_values is None:
            raise Invalid("give interval_s, max_values or both", loc=("interval_s",))


def encode_v21(params: AdjustPeriodicEventStream) -> Order:
    """What is left out stays as it is."""
    pace: JsonObject = {}
    if params.interval_s is not None:
        pace["interval"] = params.interval_s
    if params.max_values is not None:
        pace["values"] = params.max_values
    return Order("AdjustPeriodicEventStream", {"id": params.stream_id, "params": pace})


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """The stream goes on at the new pace (OCPP 2.1 N14.FR.03)."""
    if answer.accepted:
        pace = payload["params"]
        event_streams.update_pace(
            tx,
            station_id,
            payload["id"],
            interval_s=integer(pace, "interval"),
            max_values=integer(pace, "values"),
        )


COMMAND = Command(
    name="adjust_periodic_event_stream",
    summary="Have a stream of monitored values sent at another pace",
    command_class=CommandClass.A,
    params=AdjustPeriodicEventStream,
    actions={OcppVersion.V21: "AdjustPeriodicEventStream"},
    encode={OcppVersion.V21: encode_v21},
    single_target=True,
    settled=settled,
)
