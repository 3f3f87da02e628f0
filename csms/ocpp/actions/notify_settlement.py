"""NotifySettlement: a payment at the station's own terminal was settled, or was not."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import text
from csms.ocpp.frames import JsonObject
from csms.ocpp.notices import keep


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Kept by the payment provider's reference; we issue no receipts of our own."""
    return keep(
        station,
        "NotifySettlement",
        payload,
        event="settlement.reported",
        reference=text(payload, "pspRef"),
        status=text(payload, "status"),
        time="settlementTime",
    )
