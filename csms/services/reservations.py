"""Reservations: made and cancelled by us, ended by stations."""

from __future__ import annotations

import secrets

from csms.domain.reservations import REPORTED, Reservation, ReservationState
from csms.services import station_events
from csms.store import reservations
from csms.store.database import ReadTx, Tx

MAX_ID = 2**31 - 1
KEPT = 200
"""Of a station, those left out that may still be used."""


def draw_id(tx: ReadTx, station_id: int) -> int:
    """A number that no reservation of the station has."""
    while True:
        number = secrets.randbelow(MAX_ID) + 1
        if reservations.find(tx, station_id, number) is None:
            return number


def make(tx: Tx, station_id: int, reservation: Reservation) -> None:
    """The station accepted a reservation."""
    reservations.upsert(tx, station_id, reservation)
    reservations.delete_old(tx, station_id, keep=KEPT)
    station_events.emit(
        tx,
        station_id,
        "reservation.made",
        reservation_id=reservation.reservation_id,
        evse_id=reservation.evse_id,
        expires_at=None if reservation.expires_at is None else reservation.expires_at.isoformat(),
    )


def cancel(tx: Tx, station_id: int, reservation_id: int) -> None:
    """The station cancelled it at our request."""
    _end(tx, station_id, reservation_id, ReservationState.CANCELLED)


def lose(tx: Tx, station_id: int, reservation_id: int) -> None:
    """Asked to cancel it, the station has no such reservation (2.0.1 H02.FR.01)."""
    _end(tx, station_id, reservation_id, ReservationState.REMOVED)


def record_update(tx: Tx, station_id: int, reservation_id: int, status: str) -> None:
    """The station says how a reservation ended, perhaps one that we did not make."""
    if reservations.find(tx, station_id, reservation_id) is None:
        unknown = Reservation(reservation_id, None, None, None, None, None, None)
        reservations.upsert(tx, station_id, unknown)
        reservations.delete_old(tx, station_id, keep=KEPT)
    state = REPORTED.get(status, ReservationState.RESERVED)
    _end(tx, station_id, reservation_id, state, status)


def _end(
    tx: Tx,
    station_id: int,
    reservation_id: int,
    state: ReservationState,
    reported_status: str | None = None,
) -> None:
    found = reservations.find(tx, station_id, reservation_id)
    if found is None or (found.recorded, found.reported_status) == (state, reported_status):
        return
    reservations.update_state(tx, station_id, reservation_id, state, reported_status)
    station_events.emit(
        tx,
        station_id,
        "reservation.ended",
        reservation_id=reservation_id,
        state=state.value,
        reported_status=reported_status,
    )
