"""GetPeriodicEventStream: ask a station which streams of monitored values are open."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Command, Order
from csms.ocpp.event_streams import read_stream
from csms.ocpp.fields import objects
from csms.ocpp.frames import JsonObject
from csms.services import event_streams
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class GetPeriodicEventStream:
    """get_periodic_event_stream has no parameters."""


def encode_v21(params: GetPeriodicEventStream) -> Order:
    """Nothing to say."""
    return Order("GetPeriodicEventStream", {})


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """These are open, the others are not (OCPP 2.1 N12.FR.01)."""
    found = map(read_stream, objects(answer.payload.get("constantStreamData")))
    event_streams.reported(tx, station_id, [one for one in found if one is not None])


COMMAND = Command(
    name="get_periodic_event_stream",
    summary="Ask the station which streams of monitored values are open",
    command_class=CommandClass.A,
    params=GetPeriodicEventStream,
    actions={OcppVersion.V21: "GetPeriodicEventStream"},
    encode={OcppVersion.V21: encode_v21},
    settled=settled,
)
