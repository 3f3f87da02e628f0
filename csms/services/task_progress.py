"""How far stations are with firmware and logs: every report is kept, each change is told."""

from __future__ import annotations

from csms.domain.tasks import Progress
from csms.services import file_drop, station_events
from csms.store import task_progress
from csms.store.database import Tx


def record(tx: Tx, station_id: int, progress: Progress) -> None:
    """Add it to the story of its task; an event says so only when the task moved."""
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


def record_answer(tx: Tx, station_id: int, answer: Progress, *, asked_at: int) -> None:
    """The same of the answer to a request of that time, in microseconds.

    Nothing to add when a report overtook it, which tells more.
    """
    told_at = task_progress.find_report(
        tx, station_id, answer.task, request_id=answer.request_id, since=asked_at
    )
    if told_at is None:
        record(tx, station_id, answer)
