"""How long what stations tell is kept: tables that only grow, and how old and long they may get.

Transactions, their events and meter values stay, and so does what tells how things are now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from csms.store.database import ReadTx, Tx

# However much a station has to say; the oldest rows go first.
KEPT_PER_STATION = 10_000
CHUNK = 1000
QUARTER = timedelta(days=90)
YEAR = timedelta(days=365)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class History:
    """A table with `station_id` and an instant whose ids grow with time."""

    table: str
    keep_for: timedelta = QUARTER
    since: str = "received_at"
    """SQL: from when on a row is history; null: it is not yet, and stays."""
    at: str = "received_at"
    """The column of the instant."""
    newest_of: str | None = None
    """The newest row of a station for each value of this column tells what is, and stays."""


HISTORIES = (
    History("boots"),
    History("connections", at="connected_at", since="disconnected_at"),
    History("data_transfers"),
    History("monitoring_events"),
    History("notices"),
    History("security_events", YEAR),
    History("status_notifications"),
    History("task_progress", newest_of="task"),
    History("transaction_conflicts", since="max(last_received_at, resolved_at)"),
)


def delete_old(tx: Tx, history: History, after_id: int) -> int | None:
    """Delete what is too old in the chunk after that row; returns its end, None after the last."""
    table = history.table
    before = tx.now - history.keep_for // _MICROSECOND
    rows = tx.all(
        f"SELECT id, {history.at} FROM {table} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608
        (after_id, CHUNK),
    )
    if not rows or rows[0][1] >= before:
        return None
    last_id: int = rows[-1]["id"]
    tx.run(
        f"DELETE FROM {table} WHERE id > ? AND id <= ?"  # noqa: S608
        f" AND {history.since} < ? AND {_passed(history)}",
        (after_id, last_id, before),
    )
    return last_id


def list_crowded(tx: ReadTx, history: History) -> list[int]:
    """Stations with more rows than one may have."""
    rows = tx.all(
        f"SELECT station_id FROM {history.table}"  # noqa: S608
        " GROUP BY station_id HAVING count(*) > ?",
        (KEPT_PER_STATION,),
    )
    return [row[0] for row in rows]


def delete_surplus(tx: Tx, history: History, station_id: int) -> int:
    """Delete a chunk of a station's oldest rows beyond those it may have; returns how many."""
    table = history.table
    return tx.run(
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE station_id = ?1"  # noqa: S608
        f" AND id <= (SELECT id FROM {table} WHERE station_id = ?1 ORDER BY id DESC"
        f" LIMIT 1 OFFSET ?2) AND {history.since} IS NOT NULL AND {_passed(history)}"
        " ORDER BY id LIMIT ?3)",
        (station_id, KEPT_PER_STATION, CHUNK),
    )


def _passed(history: History) -> str:
    if history.newest_of is None:
        return "1"
    table, column = history.table, history.newest_of
    return (
        f"EXISTS (SELECT 1 FROM {table} AS newer WHERE newer.station_id = {table}.station_id"  # noqa: S608
        f" AND newer.{column} = {table}.{column} AND newer.id > {table}.id)"
    )
