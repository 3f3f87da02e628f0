"""Table `event_streams`: streams of monitored values that stations opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.store.columns import instant
from csms.store.database import ReadTx, Row, Tx

# Of a station; more are told apart by nobody, and their ids are the station's to make up.
MAX_PER_STATION = 100


@dataclass(frozen=True, slots=True)
class EventStream:
    """One stream, as it was opened last."""

    stream_id: int
    monitor_id: int | None
    interval_s: int | None
    max_values: int | None
    pending: int | None
    opened_at: datetime
    closed_at: datetime | None


def upsert(
    tx: Tx,
    station_id: int,
    stream_id: int,
    *,
    monitor_id: int | None,
    interval_s: int | None = None,
    max_values: int | None = None,
) -> None:
    """The stream is open from now on, whatever it was before; a surplus one is forgotten."""
    tx.run(
        "INSERT OR REPLACE INTO event_streams (station_id, stream_id, monitor_id, interval_s,"
        " max_values, opened_at) VALUES (?, ?, ?, ?, ?, ?)",
        (station_id, stream_id, monitor_id, interval_s, max_values, tx.now),
    )
    # Closed ones go first, then those that nobody opened, then the oldest.
    tx.run(
        "DELETE FROM event_streams WHERE station_id = ?1 AND stream_id IN ("
        "SELECT stream_id FROM event_streams WHERE station_id = ?1"
        " ORDER BY closed_at IS NULL DESC, monitor_id IS NOT NULL DESC, opened_at DESC,"
        " stream_id = ?2 DESC LIMIT -1 OFFSET ?3)",
        (station_id, stream_id, MAX_PER_STATION),
    )


def find(tx: ReadTx, station_id: int, stream_id: int) -> EventStream | None:
    """The stream with the station's id for it, open or not."""
    row = tx.one(
        "SELECT * FROM event_streams WHERE station_id = ? AND stream_id = ?",
        (station_id, stream_id),
    )
    return None if row is None else _stream(row)


def list_of_station(tx: ReadTx, station_id: int) -> list[EventStream]:
    """All, by the station's ids."""
    rows = tx.all(
        "SELECT * FROM event_streams WHERE station_id = ? ORDER BY stream_id", (station_id,)
    )
    return [_stream(row) for row in rows]


def update_pace(
    tx: Tx, station_id: int, stream_id: int, *, interval_s: int | None, max_values: int | None
) -> None:
    """The station agreed to send at another pace; None stays as it is."""
    tx.run(
        "UPDATE event_streams SET interval_s = ifnull(?, interval_s),"
        " max_values = ifnull(?, max_values) WHERE station_id = ? AND stream_id = ?",
        (interval_s, max_values, station_id, stream_id),
    )


def update_pending(tx: Tx, station_id: int, stream_id: int, pending: int | None) -> None:
    """So many values the station still holds back."""
    tx.run(
        "UPDATE event_streams SET pending = ? WHERE station_id = ? AND stream_id = ?",
        (pending, station_id, stream_id),
    )


def update_closed(tx: Tx, station_id: int, stream_id: int) -> None:
    """No more values come; the first word counts."""
    tx.run(
        "UPDATE event_streams SET closed_at = ifnull(closed_at, ?)"
        " WHERE station_id = ? AND stream_id = ?",
        (tx.now, station_id, stream_id),
    )


def _stream(row: Row) -> EventStream:
    return EventStream(
        stream_id=row["stream_id"],
        monitor_id=row["monitor_id"],
        interval_s=row["interval_s"],
        max_values=row["max_values"],
        pending=row["pending"],
        opened_at=from_micros(row["opened_at"]),
        closed_at=instant(row["closed_at"]),
    )
