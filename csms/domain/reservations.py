"""Reservations: what one says and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class ReservationState(str, Enum):
    """What became of a reservation."""

    RESERVED = "reserved"
    USED = "used"
    """By the transaction that names it."""
    CANCELLED = "cancelled"
    """We had it cancelled."""
    EXPIRED = "expired"
    REMOVED = "removed"
    """The station gave it up, e.g. because the EVSE is faulted."""
    NO_TRANSACTION = "no_transaction"
    """The driver came, but no transaction began (OCPP 2.1)."""


# ReservationUpdateStatusEnumType
REPORTED = {
    "Expired": ReservationState.EXPIRED,
    "Removed": ReservationState.REMOVED,
    "NoTransaction": ReservationState.NO_TRANSACTION,
}


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation at one station."""

    reservation_id: int
    evse_id: int | None
    """None: any EVSE."""
    connector_type: str | None
    id_token: str | None
    """None: we did not make it."""
    id_token_type: str | None
    group_id_token: str | None
    expires_at: datetime | None
    recorded: ReservationState = ReservationState.RESERVED
    """By what we were told; see `state_of`."""
    reported_status: str | None = None
    used_by: str | None = None
    """The station's id of the transaction that used it."""


def state_of(reservation: Reservation, now: datetime) -> ReservationState:
    """What became of it by `now`; a station need not say that it was used or has expired."""
    if reservation.used_by is not None:
        return ReservationState.USED
    if (
        reservation.recorded is ReservationState.RESERVED
        and reservation.expires_at is not None
        and reservation.expires_at <= now
    ):
        return ReservationState.EXPIRED
    return reservation.recorded
