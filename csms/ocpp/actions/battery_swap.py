"""BatterySwap: batteries came into or went out of a swap station."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.notices import keep


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Kept by its request (OCPP 2.1 S02.FR.02), which may be one of ours."""
    return keep(
        station,
        "BatterySwap",
        payload,
        event="battery_swap.reported",
        reference=integer(payload, "requestId"),
        status=text(payload, "eventType"),
    )
