"""OpenPeriodicEventStream: the station will send what a monitor sees as a stream of values."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.event_streams import read_stream
from csms.ocpp.frames import JsonObject
from csms.services import event_streams


def on_v21(station: StationContext, payload: JsonObject) -> Stored | JsonObject:
    """Accepted as long as it says which stream it is (OCPP 2.1 N11.FR.05, N11.FR.06)."""
    data = payload.get("constantStreamData")
    stream = read_stream(data) if isinstance(data, dict) else None
    if stream is None:
        return {"status": "Rejected"}
    return Stored(
        station.db,
        lambda tx: event_streams.opened(tx, station.station_id, stream),
        lambda _: {"status": "Accepted"},
    )
