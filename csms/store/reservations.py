"""Table `reservations`: who may charge where until when, and what came of it."""

from __future__ import annotations

from csms.domain.reservations import Reservation, ReservationState
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx

_SELECT = (
    "SELECT *, (SELECT station_transaction_id FROM transactions AS used"
    " WHERE used.station_id = reservations.station_id"
    " AND used.reservation_id = reservations.reservation_id"
    " AND used.start_received_at >= reservations.made_at ORDER BY used.id LIMIT 1) AS used_by"
    " FROM reservations WHERE station_id = ?"
)


def upsert(tx: Tx, station_id: int, reservation: Reservation) -> None:
    """A reservation is made; one with the same id is replaced."""
    tx.run(
        "INSERT OR REPLACE INTO reservations (station_id, reservation_id, evse_id, connector_type,"
        " id_token, id_token_type, group_id_token, expires_at, state, reported_status, made_at,"
        " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            reservation.reservation_id,
            reservation.evse_id,
            reservation.connector_type,
            reservation.id_token,
            reservation.id_token_type,
            reservation.group_id_token,
            micros(reservation.expires_at),
            reservation.recorded.value,
            reservation.reported_status,
            tx.now,
            tx.now,
        ),
    )


def update_state(
    tx: Tx,
    station_id: int,
    reservation_id: int,
    state: ReservationState,
    reported_status: str | None = None,
) -> None:
    """It came to an end."""
    tx.run(
        "UPDATE reservations SET state = ?, reported_status = ?, updated_at = ?"
        " WHERE station_id = ? AND reservation_id = ?",
        (state.value, reported_status, tx.now, station_id, reservation_id),
    )


def delete_old(tx: Tx, station_id: int, *, keep: int) -> int:
    """Forget all but the newest of a station and those that may still be used; returns how many."""
    return tx.run(
        "DELETE FROM reservations WHERE station_id = ?1"
        " AND NOT (state = 'reserved' AND expires_at IS NOT NULL AND expires_at > ?2)"
        " AND (made_at, reservation_id) <= (SELECT made_at, reservation_id FROM reservations"
        " WHERE station_id = ?1 ORDER BY made_at DESC, reservation_id DESC LIMIT 1 OFFSET ?3)",
        (station_id, tx.now, keep),
    )


def find(tx: ReadTx, station_id: int, reservation_id: int) -> Reservation | None:
    """The station's reservation with this id."""
    row = tx.one(f"{_SELECT} AND reservation_id = ?", (station_id, reservation_id))
    return None if row is None else _reservation(row)


def list_of_station(tx: ReadTx, station_id: int) -> list[Reservation]:
    """All of them, the newest first."""
    rows = tx.all(f"{_SELECT} ORDER BY made_at DESC, reservation_id DESC", (station_id,))
    return [_reservation(row) for row in rows]


def _reservation(row: Row) -> Reservation:
    return Reservation(
        reservation_id=row["reservation_id"],
        evse_id=row["evse_id"],
        connector_type=row["connector_type"],
        id_token=row["id_token"],
        id_token_type=row["id_token_type"],
        group_id_token=row["group_id_token"],
        expires_at=instant(row["expires_at"]),
        recorded=ReservationState(row["state"]),
        reported_status=row["reported_status"],
        used_by=row["used_by"],
    )
