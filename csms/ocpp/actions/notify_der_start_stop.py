"""NotifyDERStartStop: a scheduled control of an energy resource begins or ends."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import flag, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.notices import keep


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Kept by the id of the control (OCPP 2.1 R04.FR.20, R04.FR.22)."""
    # The message exists for the start; what does not say that it is an end is none.
    stopped = flag(payload, "started") is False
    return keep(
        station,
        "NotifyDERStartStop",
        payload,
        event="der_control.stopped" if stopped else "der_control.started",
        reference=text(payload, "controlId"),
        status="Stopped" if stopped else "Started",
        time="timestamp",
    )
