"""What the engine hears: stations come and go, slots get free, answers and evidence arrive late.

A signal only says where to look; what counts is read from the ledger in the same transaction
that settles it, so a crash loses no evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from csms.domain.jobs import ItemState, Job, JobError
from csms.events import Bus, Event, LateAnswer, SlotFree, StationGone, StationReady
from csms.jobs import ledger, lifecycle
from csms.jobs.board import Board
from csms.jobs.crash import CrashPoints
from csms.jobs.port import Done, ItemRunner
from csms.services.redaction import redacted
from csms.store import job_items, jobs
from csms.store.database import Database, Tx

T = TypeVar("T")


class News:
    """Turns signals into another look."""

    def __init__(
        self,
        db: Database,
        board: Board,
        *,
        kinds: Mapping[str, ItemRunner],
        crash: CrashPoints,
        storage_retry_s: float,
    ) -> None:
        self._db = db
        self._board = board
        self._kinds = kinds
        self._crash = crash
        self._storage_retry_s = storage_retry_s
        board.on_window = self._look_soon

    def subscribe(self, bus: Bus) -> list[Callable[[], None]]:
        """Begin to listen; returns the ways to stop."""
        return [
            bus.subscribe(SlotFree, lambda signal: self._board.unblock(signal.station_id)),
            bus.subscribe(StationReady, lambda signal: self.on_presence(signal.station_id)),
            bus.subscribe(StationGone, lambda signal: self.on_presence(signal.station_id)),
            bus.subscribe(LateAnswer, self._on_late_answer),
            bus.subscribe(Event, self._on_event),
        ]

    def on_presence(self, station_id: int) -> None:
        """The station came or went: what waits for it or is blocked by it is judged again."""
        self._board.unblock(station_id)
        if station_id in self._board.waiting_for:
            self._board.waiting_for.discard(station_id)
            self._board.spawn(self._wake_waiting(station_id), "wake waiting")

    async def _wake_waiting(self, station_id: int) -> None:
        for job_id in await self._write(lambda tx: job_items.wake_waiting(tx, station_id)):
            run = self._board.runs.get(job_id)
            if run is not None:
                run.look_at = 0
        self._board.wake.set()

    def _on_event(self, event: Event) -> None:
        if event.type == "location.deleted":
            self._board.spawn(self._fail_jobs_at(event.location_id), "location deleted")
        station_id = event.station_id
        # What shows that a command worked depends on the command; any change may be it.
        if station_id in self._board.windows:
            assert station_id is not None
            self._look_soon(station_id)

    async def _fail_jobs_at(self, location_id: int | None) -> None:
        """What makes stations at a place that is gone cannot go on."""
        error = JobError("location_deleted", "the location was deleted")
        for run in [run for run in self._board.runs.values() if run.job.location_id == location_id]:
            job = await self._write(
                lambda tx, run=run: lifecycle.fail(  # type: ignore[misc]
                    tx, jobs.get(tx, run.job.id), error, kind=run.kind
                )
            )
            self._board.refresh(job)

    def _look_soon(self, station_id: int) -> None:
        self._board.spawn(self._look_for_evidence(station_id), "evidence")

    async def _look_for_evidence(self, station_id: int) -> None:
        for job_id, seq in tuple(self._board.windows.get(station_id, ())):
            run = self._board.runs.get(job_id)
            if run is None:
                continue

            def look(tx: Tx, job: Job = run.job, seq: int = seq) -> ledger.Change | None:
                item = job_items.get(tx, job.id, seq)
                if not item.window_open:
                    return None
                return ledger.look_for_evidence(tx, job, item, kind=self._kinds[job.kind])

            change = await self._write(look)
            if change is not None:
                self._crash.reach("window.settled")
                self._board.after(run, change)

    def _on_late_answer(self, signal: LateAnswer) -> None:
        self._board.spawn(self._take_late_answer(signal), "late answer")

    async def _take_late_answer(self, signal: LateAnswer) -> None:
        taken = await self._write(lambda tx: self._journal_late(tx, signal))
        if taken is None:
            return
        self._crash.reach("window.settled")
        run = self._board.runs.get(taken.item.job_id)
        if run is not None:
            self._board.after(run, taken)

    async def _write(self, fn: Callable[[Tx], T]) -> T:
        # News come once: while the disk is full they are kept, not dropped.
        return await self._db.write_when_possible(fn, retry_s=self._storage_retry_s)

    def _journal_late(self, tx: Tx, signal: LateAnswer) -> ledger.Change | None:
        attempt = job_items.find_attempt(tx, signal.message_id)
        if attempt is None:
            return None
        job = jobs.get(tx, attempt["job_id"])
        item = job_items.get(tx, job.id, attempt["seq"])
        if item.target != signal.station_id:
            return None  # another station may not answer for this one
        kind = self._kinds[job.kind]
        if signal.payload is None:
            code = signal.error_code or "CALLERROR"
            done = Done(ItemState.ERROR, "call_error", code, response={"error_code": code})
        else:
            read = kind.read_late(tx, job, item, attempt, signal.payload)
            if read is None:
                job_items.record_late(tx, signal.message_id, redacted(signal.payload))
                return None
            done = read
        return ledger.late_answer(tx, job, attempt, done, kind=kind)
