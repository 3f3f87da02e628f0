"""ReservationStatusUpdate: how a reservation ended at the station."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, text
from csms.ocpp.frames import JsonObject
from csms.services import reservations
from csms.store.database import Tx


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it, also of a reservation that we do not know; without an id there is none."""
    reservation_id = integer(payload, "reservationId")
    status = text(payload, "reservationUpdateStatus") or ""

    def record(tx: Tx) -> None:
        if reservation_id is not None:
            reservations.record_update(tx, station.station_id, reservation_id, status)

    return Stored(station.db, record, lambda _: {})
