"""What happens between opening the file and opening the port: one sweep, one transaction.

A new epoch fences off every write of the life before. What was in flight is judged by class:
repeatable attempts run again, one-shot ones become `unknown` with an evidence window. In a file
that was put back from a backup nothing runs before somebody resumes it: all of it may be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from csms.domain.jobs import Counters, ItemState, Job, JobItem, JobState, PauseReason
from csms.domain.permissions import SYSTEM
from csms.jobs import ledger, lifecycle, retry
from csms.jobs.port import Ambiguous, Done, ItemRunner
from csms.store import engine, job_items, jobs
from csms.store.database import Tx

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the sweep found."""

    epoch: int
    clean: bool
    live_jobs: int
    restored: bool
    resumed: int
    unknown: int
    repaired: int


def sweep(tx: Tx, *, boot_id: str, kinds: Mapping[str, ItemRunner]) -> Recovered:
    """Begin a new life. Runs before any station can connect."""
    clean = engine.was_clean(tx)
    epoch = engine.begin_epoch(tx, boot_id)
    live = {job.id: job for job in jobs.list_live(tx)}
    restored = engine.forget_restore(tx)
    if restored:
        for job in live.values():
            _hold_back(tx, job, kinds[job.kind])
    resumed = unknown = 0
    for item in job_items.list_in_flight(tx, before_epoch=epoch):
        job = live[item.job_id]
        if _judge(tx, job, item, kinds[job.kind]) is ItemState.READY:
            resumed += 1
        else:
            unknown += 1
    repaired = _check_counters(tx)
    _extend_windows(tx, live)
    jobs.renew_runs(tx)
    return Recovered(epoch, clean, len(live), restored, resumed, unknown, repaired)


def _hold_back(tx: Tx, job: Job, kind: ItemRunner) -> None:
    if job.state is JobState.CANCELLING:
        return
    if not job.hidden:
        lifecycle.pause(tx, job, PauseReason.RESTORED)
    elif job.principal != SYSTEM.id or not all(
        kind.repeatable(job, item) for item in job_items.list_page(tx, job.id)
    ):
        # Who waited for it is gone, and nobody would find it to resume it.
        lifecycle.cancel(tx, job, kind=kind)


def _judge(tx: Tx, job: Job, item: JobItem, kind: ItemRunner) -> ItemState:
    if not kind.repeatable(job, item):
        ambiguous = Ambiguous(
            "outcome_unknown", "outcome unknown: the server stopped before the answer was recorded"
        )
        ledger.open_window(tx, job, item, ambiguous)
        return ItemState.UNKNOWN
    # Read anew: the item before this one may have been the one too many.
    if jobs.state_of(tx, job.id) is JobState.CANCELLING:
        cause = Done(ItemState.ERROR, "interrupted", "interrupted while the job was cancelled")
        ledger.finish(tx, job, item, cause, kind=kind)
        return ItemState.ERROR
    settles, then = job_items.settles_at_interruption(tx, item)
    times = retry.interruptions_after(item.interruptions, then, settles)
    job_items.end_attempt(tx, item, outcome="interrupted")
    if times >= retry.CRASH_LOOP:
        cause = Done(
            ItemState.ERROR, "crash_loop", f"the server stopped {times} times during this item"
        )
        ledger.finish(tx, job, item, cause, kind=kind)
        return ItemState.ERROR
    again = {
        "state": ItemState.READY.value,
        "epoch": None,
        "due_at": tx.now,
        "interruptions": times,
        "interrupted_settles": settles,
    }
    job_items.change(tx, job_items.Move(item, again))
    return ItemState.READY


def _check_counters(tx: Tx) -> int:
    """Counters follow the rows; a job without an open item ends."""
    repaired = 0
    rows = job_items.count_live_rows(tx)
    for job in jobs.list_live(tx):
        counted = rows.get(job.id, Counters())
        if counted != job.counters:
            log.error("counters did not match the rows", job=job.uuid)
            jobs.set_counters(tx, job.id, counted)
            repaired += 1
        if counted.open == 0:
            lifecycle.end(tx, job)
    return repaired


def _extend_windows(tx: Tx, live: Mapping[int, Job]) -> None:
    """Nothing could be seen while we were down: an open window starts afresh."""
    for job_id in job_items.list_jobs_with_open_windows(tx):
        until = tx.now + int(live[job_id].policy.evidence_window_s * 1e6)
        job_items.extend_windows(tx, job_id, until=until)
