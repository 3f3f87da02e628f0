"""Table `display_messages`: what stations have to show."""

from __future__ import annotations

from collections.abc import Iterable

from csms.clock import from_micros
from csms.domain.display_messages import DisplayMessage
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx

# A station removes a message at its end, or with its transaction (2.0.1 O01.FR.07, O02.FR.02).
_SELECT = (
    "SELECT *, (ifnull(ends_at <= ?, 0) OR EXISTS (SELECT 1 FROM transactions"
    " WHERE transactions.station_id = display_messages.station_id"
    " AND transactions.station_transaction_id = display_messages.station_transaction_id"
    " AND end_received_at IS NOT NULL)) AS is_over"
    " FROM display_messages WHERE station_id = ? ORDER BY message_id"
)


def upsert(tx: Tx, station_id: int, message: DisplayMessage) -> None:
    """The station has this message now; one with the same id is replaced."""
    tx.run(
        "INSERT OR REPLACE INTO display_messages (station_id, message_id, priority, state,"
        " starts_at, ends_at, station_transaction_id, format, language, content, raw, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            message.message_id,
            message.priority,
            message.state,
            micros(message.starts_at),
            micros(message.ends_at),
            message.station_transaction_id,
            message.format,
            message.language,
            message.content,
            message.raw,
            tx.now,
        ),
    )


def list_of_station(tx: ReadTx, station_id: int, now: int) -> list[DisplayMessage]:
    """Those that are not over at `now`, microseconds."""
    rows = tx.all(_SELECT, (now, station_id))
    return [_message(row) for row in rows if not row["is_over"]]


def delete(tx: Tx, station_id: int, message_ids: Iterable[int]) -> int:
    """Forget messages; returns how many there were."""
    return tx.many(
        "DELETE FROM display_messages WHERE station_id = ? AND message_id = ?",
        [(station_id, message_id) for message_id in message_ids],
    )


def delete_over(tx: Tx, station_id: int) -> int:
    """Forget what the station has removed by itself; returns how many."""
    rows = tx.all(_SELECT, (tx.now, station_id))
    return delete(tx, station_id, [row["message_id"] for row in rows if row["is_over"]])


def _message(row: Row) -> DisplayMessage:
    return DisplayMessage(
        message_id=row["message_id"],
        priority=row["priority"],
        state=row["state"],
        starts_at=instant(row["starts_at"]),
        ends_at=instant(row["ends_at"]),
        station_transaction_id=row["station_transaction_id"],
        format=row["format"],
        language=row["language"],
        content=row["content"],
        raw=row["raw"],
        updated_at=from_micros(row["updated_at"]),
    )
