"""NotifyPeriodicEventStream: values of a monitor, in a SEND, which is never answered.

What comes as a CALL all the same waits for an answer, so there is one.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, objects, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import event_streams
from csms.services.event_streams import StreamValue

# Of one message; longer offsets than a day are no offsets.
_MAX_OFFSET_S = 86_400.0


def on_v21(station: StationContext, payload: JsonObject) -> Stored | JsonObject:
    """Store every value with its time (OCPP 2.1 N15.FR.02 to N15.FR.04)."""
    stream_id = integer(payload, "id")
    if stream_id is None:
        return {}
    begin, _ = station.instant(payload.get("basetime"), "basetime")
    values = [_value(one, begin) for one in objects(payload.get("data"))]
    pending = integer(payload, "pending")
    return Stored(
        station.db,
        lambda tx: event_streams.receive(tx, station.station_id, stream_id, values, pending),
        lambda _: {},
    )


def _value(element: JsonObject, begin: datetime | None) -> StreamValue:
    offset_s = element.get("t")
    at = None
    if (
        begin is not None
        and isinstance(offset_s, (int, float))
        and math.isfinite(offset_s)
        and abs(offset_s) <= _MAX_OFFSET_S
    ):
        at = begin + timedelta(seconds=offset_s)
    return StreamValue(text(element, "v", limit=2500), at, raw(element))
