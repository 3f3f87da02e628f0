"""What a ConstantStreamDataType says about a stream of monitored values."""

from __future__ import annotations

from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.services.event_streams import NewStream


def read_stream(data: JsonObject) -> NewStream | None:
    """The stream; None when it or its monitor has no id."""
    stream_id, monitor_id = integer(data, "id"), integer(data, "variableMonitoringId")
    if stream_id is None or monitor_id is None:
        return None
    params = data.get("params")
    pace: JsonObject = params if isinstance(params, dict) else {}
    return NewStream(stream_id, monitor_id, integer(pace, "interval"), integer(pace, "values"))
