"""NotifyPriorityCharging: a driver claimed or gave up the priority of a transaction."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import flag, text
from csms.ocpp.frames import JsonObject
from csms.services import charging_limits
from csms.store.database import Tx


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Store it with the transaction's id, whether or not that is known yet."""
    transaction_id = text(payload, "transactionId")
    activated = flag(payload, "activated")

    def record(tx: Tx) -> None:
        if transaction_id is not None and activated is not None:
            charging_limits.record_priority(
                tx, station.station_id, transaction_id, activated=activated
            )

    return Stored(station.db, record, lambda _: {})
