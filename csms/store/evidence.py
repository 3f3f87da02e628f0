"""What committed rows say about commands whose answer never came."""

from __future__ import annotations

from typing import NamedTuple

from csms.store.database import ReadTx

# How far a station's clock may lag before its transaction counts as one from before.
CLOCK_TOLERANCE_US = 5 * 60 * 1_000_000


def find_boot_after(
    tx: ReadTx, *, station_id: int, epoch: int, generation: int, since: int
) -> int | None:
    """When a boot came in the same life of ours, on a newer connection, and not at our request.

    The newer generation proves that the socket the command went out on was lost after the
    intent, the epoch that our own process was alive meanwhile.
    """
    at: int | None = tx.value(
        "SELECT received_at FROM boots"
        " WHERE station_id = ? AND epoch = ? AND generation > ? AND triggered = 0"
        " AND received_at >= ? ORDER BY id LIMIT 1",
        (station_id, epoch, generation, since),
    )
    return at


def find_transaction_start(
    tx: ReadTx, *, station_id: int, id_token_key: str, evse_id: int | None, since: int
) -> int | None:
    """When a transaction of the token began that was not under way before `since`.

    A start that the station had queued while it was offline carries an earlier time of its own.
    """
    at: int | None = tx.value(
        "SELECT start_received_at FROM transactions"
        " WHERE station_id = ? AND id_token_key = ? AND (? IS NULL OR evse_id = ?)"
        " AND start_received_at >= ? AND ifnull(started_at, start_received_at) >= ?"
        " ORDER BY id LIMIT 1",
        (station_id, id_token_key, evse_id, evse_id, since, since - CLOCK_TOLERANCE_US),
    )
    return at


def find_boot_of_reset(tx: ReadTx, *, station_id: int, since: int) -> int | None:
    """When a 2.x station booted that names our reset as the reason."""
    at: int | None = tx.value(
        "SELECT received_at FROM boots WHERE station_id = ? AND received_at >= ?"
        " AND reason IN ('RemoteReset', 'ScheduledReset') ORDER BY id LIMIT 1",
        (station_id, since),
    )
    return at


def find_remote_start(
    tx: ReadTx, *, station_id: int, remote_start_id: int, since: int
) -> int | None:
    """When an event of a 2.x transaction named the remote start.

    Not only the first: with the cable plugged in before, the transaction is there already.
    """
    at: int | None = tx.value(
        "SELECT e.received_at FROM transactions t"
        " JOIN transaction_events e ON e.transaction_id = t.id"
        " WHERE t.station_id = ? AND ifnull(t.end_received_at, ?) >= ? AND e.received_at >= ?"
        " AND e.remote_start_id = ? ORDER BY e.id LIMIT 1",
        (station_id, since, since, since, remote_start_id),
    )
    return at


class TransactionEnd(NamedTuple):
    """When we learned of the end of a transaction, and the station's word for its cause."""

    at: int
    reason: str | None


def find_transaction_end(
    tx: ReadTx, *, station_id: int, station_transaction_id: str, since: int
) -> TransactionEnd | None:
    """The end of the station's transaction, when it came since."""
    row = tx.one(
        "SELECT end_received_at, stop_reason FROM transactions WHERE station_id = ?"
        " AND station_transaction_id = ? AND end_received_at >= ?",
        (station_id, station_transaction_id, since),
    )
    return None if row is None else TransactionEnd(*row)


class Load(NamedTuple):
    """What a transaction drew at one instant; None where the station did not tell."""

    power_w: float | None
    current_a: float | None


def list_loads(tx: ReadTx, *, station_id: int, after: int, before: int) -> list[Load]:
    """Of each transaction that was under way, the first sample that came in between."""
    rows = tx.all(
        "SELECT m.power_w, m.current_a FROM transactions t JOIN meter_values m ON m.id ="
        " (SELECT s.id FROM meter_values s WHERE s.station_id = t.station_id"
        " AND ifnull(s.transaction_id, 0) = t.id AND s.received_at BETWEEN ?2 AND ?3"
        " AND (s.power_w IS NOT NULL OR s.current_a IS NOT NULL) ORDER BY s.received_at LIMIT 1)"
        " WHERE t.station_id = ?1 AND t.start_received_at < ?3"
        " AND ifnull(t.end_received_at, ?2) >= ?2",
        (station_id, after, before),
    )
    return [Load(*row) for row in rows]
