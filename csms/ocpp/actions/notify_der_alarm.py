"""NotifyDERAlarm: the grid makes the station deviate from what it was told, or no longer."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import flag, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.notices import keep


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Kept by the kind of control that took over (OCPP 2.1 R05.FR.01, R05.FR.02)."""
    ended = flag(payload, "alarmEnded") or False
    return keep(
        station,
        "NotifyDERAlarm",
        payload,
        event="der_alarm.ended" if ended else "der_alarm.raised",
        reference=text(payload, "controlType"),
        status="Ended" if ended else text(payload, "gridEventFault"),
        time="timestamp",
    )
