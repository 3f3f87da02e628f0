"""Table `task_progress`: the story of firmware updates and log uploads, in order of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.tasks import Progress, Task
from csms.store.database import ReadTx, Row, Tx


@dataclass(frozen=True, slots=True)
class StoredProgress:
    """A row."""

    id: int
    progress: Progress
    received_at: datetime


def insert(tx: Tx, station_id: int, progress: Progress) -> int:
    """Add to the story; returns the row id."""
    return tx.insert(
        "INSERT INTO task_progress (station_id, task, request_id, status, answered, received_at,"
        " raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            progress.task.value,
            progress.request_id,
            progress.status,
            progress.answered,
            tx.now,
            progress.raw,
        ),
    )


def find_newest(tx: ReadTx, station_id: int, task: Task) -> Progress | None:
    """Where the task stands."""
    row = tx.one(
        "SELECT * FROM task_progress WHERE station_id = ? AND task = ? ORDER BY id DESC LIMIT 1",
        (station_id, task.value),
    )
    return None if row is None else _progress(row)


def find_report(
    tx: ReadTx, station_id: int, task: Task, *, request_id: int | None, since: int
) -> int | None:
    """When the station first told that it is at work on a request, or on one without an id."""
    at: int | None = tx.value(
        "SELECT received_at FROM task_progress WHERE station_id = ? AND task = ?"
        " AND request_id IS ? AND answered = 0 AND status <> 'Idle' AND received_at >= ?"
        " ORDER BY id LIMIT 1",
        (station_id, task.value, request_id, since),
    )
    return at


def list_of_station(tx: ReadTx, station_id: int, task: Task, *, limit: int) -> list[StoredProgress]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM task_progress WHERE station_id = ? AND task = ? ORDER BY id DESC LIMIT ?",
        (station_id, task.value, limit),
    )
    return [
        StoredProgress(row["id"], _progress(row), from_micros(row["received_at"])) for row in rows
    ]


def _progress(row: Row) -> Progress:
    return Progress(
        task=Task(row["task"]),
        request_id=row["request_id"],
        status=row["status"],
        raw=row["raw"],
        answered=bool(row["answered"]),
    )
