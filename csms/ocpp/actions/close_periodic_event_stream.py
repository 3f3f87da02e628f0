"""ClosePeriodicEventStream: no more values come in this stream."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.store import event_streams
from csms.store.database import Tx


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Noted; a stream that we do not know is closed as well (OCPP 2.1 N13.FR.02)."""
    stream_id = integer(payload, "id")

    def close(tx: Tx) -> None:
        if stream_id is not None:
            event_streams.update_closed(tx, station.station_id, stream_id)

    return Stored(station.db, close, lambda _: {})
