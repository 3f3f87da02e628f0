"""How far stations are with firmware and logs: every report is kept, each change is told."""

from __future__ import annotations

from csms.domain.tasks import Progress
from csms.services import file_drop, station_events
from csms.store import task_progress
from csms.store.database import Tx


def record(tx: Tx, station_id: int, progress: Progress) -> None:
    """Add it to the story of its task; an event says so only when the task moved."""
    if _is_overtaken(tx, station_id, progress):
        return
    file_drop.follow(tx, station_id, progress)
    before = task_progress.find_newest(tx, station_id, progress.task)
    task_progress.insert(tx, station_id, progress)
    if before is not None and (before.request_id, before.status, before.answered) == (
        progress.request_id,
        progress.status,
        progress.answered,
    ):
        return
    station_events.emit(
        tx,
        station_id,
        f"{progress.task.value}.progressed",
        request_id=progress.request_id,
        status=progress.status,
        answered=progress.answered,
    )


def _is_overtaken(tx: Tx, station_id: int, progress: Progress) -> bool:
    """An answer to a request of which the station has told more already."""
    return (
        progress.answered
        and progress.request_id is not None
        and task_progress.exists(tx, station_id, progress.task, progress.request_id)
    )
