"""The embedded engine: what REST and the command line use of it.

A dispatcher claims an item only when it could go out at once and journals the intents of a
whole pass in one commit; a worker runs each item as a task and journals its result; the board
is their memory. All of it can be rebuilt from the ledger, and is, at every start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from csms.clock import Clock
from csms.domain.jobs import (
    FINAL_JOB_STATES,
    IdempotencyKey,
    ItemState,
    Job,
    JobItem,
    PauseReason,
    Submission,
)
from csms.domain.permissions import Principal
from csms.errors import Unavailable
from csms.events import Bus
from csms.jobs import lifecycle
from csms.jobs.board import Board
from csms.jobs.crash import CrashPoints
from csms.jobs.dispatcher import Dispatcher
from csms.jobs.news import News
from csms.jobs.port import ItemRunner
from csms.jobs.settings import EngineSettings
from csms.jobs.worker import Worker
from csms.store import job_items, jobs
from csms.store.database import Database, ReadTx, Tx

T = TypeVar("T")

_STORE_S = 2.0
"""How long a stop waits for the store to take what is known already."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job, and whether an idempotency key found it rather than made it."""

    job: Job
    replayed: bool


def _nothing(tx: Tx, job: Job) -> None:
    """Most jobs are written by themselves."""


class Engine:
    """Runs jobs. `start` after the recovery sweep, `stop` before the sockets are closed."""

    def __init__(
        self,
        *,
        db: Database,
        bus: Bus,
        clock: Clock,
        kinds: Mapping[str, ItemRunner],
        epoch: int,
        settings: EngineSettings,
        random: Random,
        crash: CrashPoints,
    ) -> None:
        self._db = db
        self._bus = bus
        self._kinds = kinds
        self._settings = settings
        self._crash = crash
        self._board = Board(bus, clock)
        self._news = News(
            db, self._board, kinds=kinds, crash=crash, storage_retry_s=settings.storage_retry_s
        )
        worker = Worker(
            db, self._board, random=random, crash=crash, storage_retry_s=settings.storage_retry_s
        )
        self._dispatcher = Dispatcher(
            db,
            self._board,
            worker,
            clock=clock,
            epoch=epoch,
            settings=settings,
            crash=crash,
            on_presence=self._news.on_presence,
        )
        self._stopping = False
        self.is_over = False
        """Stopped: no item changes any more."""
        self._main: asyncio.Task[None] | None = None
        self._unsubscribe: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Take up every live job."""
        live, waiting, windows = await self._db.read(_load)
        for job in live:
            self._board.adopt(job, self._kinds[job.kind])
        self._board.waiting_for.update(waiting)
        for item in windows:
            self._board.watch_window(item)
        self._unsubscribe = self._news.subscribe(self._bus)
        self._main = asyncio.create_task(self._dispatcher.run(), name="dispatcher")

    async def stop(self, *, drain_s: float) -> None:
        """Claim nothing more; open calls have `drain_s` to be answered, answers are journaled."""
        self._stopping = True
        if self._main is not None:
            self._dispatcher.stop()
            await _within(_STORE_S, {self._main})
            self._main = None
        board = self._board
        await _within(drain_s, board.tasks)
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        await _within(0, board.tasks)
        # A disk that is still full must not hold up the stop: the next start judges these items.
        await _within(_STORE_S, board.settling)
        self.is_over = True
        board.release_all_waiters()

    def look_again(self) -> None:
        """The clock was moved: see what is due now."""
        self._board.wake.set()

    @property
    def in_flight(self) -> int:
        """Items running now, both lanes."""
        return sum(self._board.flying.values())

    @property
    def ended(self) -> Mapping[tuple[str, str], int]:
        """(kind, state) → items that ended since the start, after they were tried."""
        return self._board.ended

    @property
    def live_jobs(self) -> int:
        """Jobs that are not finished."""
        return len(self._board.runs)

    async def submit(
        self,
        order: Submission | Callable[[ReadTx], Submission],
        idempotency: IdempotencyKey | None = None,
        *,
        also: Callable[[Tx, Job], None] = _nothing,
    ) -> Submitted:
        """Accept a job: when this returns, it and all of its items are on disk.

        What depends on the store is made in the transaction that accepts it, so that of two such
        orders the later one knows of the other. `also` is written with a job that is new.

        Raises Unavailable (nothing written) while stopping or when the queue is full, Invalid
        when the key was used with another body.
        """

        def make(tx: Tx) -> Submission:
            submission = order if isinstance(order, Submission) else order(tx)
            kept = self._kinds[submission.kind].keep(submission.params)
            return replace(submission, params=kept)

        return await self._accept(make, idempotency, also)

    async def _accept(
        self,
        make: Callable[[Tx], Submission],
        idempotency: IdempotencyKey | None,
        also: Callable[[Tx, Job], None] = _nothing,
    ) -> Submitted:
        if self._stopping:
            raise Unavailable("the server is shutting down", code="draining")

        def accept(tx: Tx) -> tuple[Job, bool]:
            submission = make(tx)
            if jobs.open_items(tx) + len(submission.items) > self._settings.max_open_items:
                raise Unavailable("too many open job items, try again later", code="queue_full")
            job, replayed = lifecycle.accept(tx, submission, idempotency)
            if not replayed:
                also(tx, job)
            return job, replayed

        async def take() -> Submitted:
            job, replayed = await self._db.write(accept)
            self._crash.reach("job.accepted")
            if job.state not in FINAL_JOB_STATES and job.id not in self._board.runs:
                self._board.adopt(job, self._kinds[job.kind])
            return Submitted(job, replayed)

        return await self._whole(take())

    async def pause(self, job: Job) -> Job:
        """Start nothing more of a job; what is in flight finishes. Raises Conflict when over."""
        return await self._change(
            job, lambda tx: lifecycle.pause(tx, job, PauseReason.REQUESTED), "job.paused"
        )

    async def resume(self, job: Job) -> Job:
        """Go on with a paused job. Raises Conflict when it is over."""
        return await self._change(job, lambda tx: lifecycle.resume(tx, job), "job.resumed")

    async def cancel(self, job: Job) -> Job:
        """Stop a job; a finished one is returned as it is."""
        kind = self._kinds[job.kind]
        return await self._change(
            job, lambda tx: lifecycle.cancel(tx, jobs.get(tx, job.id), kind=kind)
        )

    async def retry(
        self,
        job: Job,
        *,
        states: frozenset[ItemState] | None = None,
        include_unknown: bool = False,
    ) -> Job:
        """Run the failed items of a finished job again. Raises Conflict while it runs."""
        chosen = _chosen(states, include_unknown=include_unknown)
        kind = self._kinds[job.kind]

        async def again() -> Job:
            changed = await self._db.write(
                lambda tx: lifecycle.restart(tx, jobs.get(tx, job.id), states=chosen, kind=kind)
            )
            if changed.state not in FINAL_JOB_STATES:
                self._board.adopt(changed, kind)
            return changed

        return await self._whole(again())

    async def retry_anew(
        self,
        job: Job,
        *,
        caller: Principal,
        states: frozenset[ItemState] | None = None,
        include_unknown: bool = False,
        idempotency: IdempotencyKey | None = None,
    ) -> Submitted:
        """As `retry`, by a job of the caller's own; Conflict also when nothing is left to do."""
        chosen = _chosen(states, include_unknown=include_unknown)
        kind = self._kinds[job.kind]
        return await self._accept(
            lambda tx: lifecycle.anew(
                tx, jobs.get(tx, job.id), states=chosen, kind=kind, caller=caller
            ),
            idempotency,
        )

    async def delete(self, job: Job) -> None:
        """Forget a job that is over. Raises Conflict while it runs."""
        await self._db.write(lambda tx: lifecycle.delete(tx, jobs.get(tx, job.id)))

    async def _change(self, job: Job, act: Callable[[Tx], Job], point: str | None = None) -> Job:
        async def change() -> Job:
            changed = await self._db.write(act)
            if point is not None:
                self._crash.reach(point)
            self._board.refresh(changed)
            return changed

        return await self._whole(change())

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        # A caller that goes away between the commit and what follows in memory would leave a
        # job that nobody runs before the next start.
        task = asyncio.create_task(work)
        self._board.settling.add(task)
        task.add_done_callback(self._board.settling.discard)
        return await asyncio.shield(task)

    async def settled(self, job_id: int, seq: int = 0, *, timeout_s: float) -> JobItem:
        """Wait until an item is final, at most `timeout_s`; returns it as it then stands.

        Cancelling or running out of time changes nothing about the item. The engine's stop ends it.
        """
        waiters = self._board.waiters[job_id, seq]
        future = asyncio.get_running_loop().create_future()
        waiters.append(future)
        try:
            item = await self._db.read(lambda tx: job_items.get(tx, job_id, seq))
            if not (item.final or self.is_over):
                await asyncio.wait([future], timeout=timeout_s)
                item = await self._db.read(lambda tx: job_items.get(tx, job_id, seq))
        finally:
            waiters.remove(future)
            if not waiters:
                self._board.waiters.pop((job_id, seq), None)
        return item


def _chosen(states: frozenset[ItemState] | None, *, include_unknown: bool) -> frozenset[ItemState]:
    """What a retry takes; `unknown` items only when that is said by its own word."""
    chosen = states or lifecycle.RESTARTABLE
    return chosen | {ItemState.UNKNOWN} if include_unknown else chosen - {ItemState.UNKNOWN}


async def _within(seconds: float, tasks: set[asyncio.Task[Any]]) -> None:
    """Wait for the tasks, then give up those that are left."""
    waited_for = set(tasks)
    if not waited_for:
        return
    _, left = await asyncio.wait(waited_for, timeout=seconds)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _load(tx: ReadTx) -> tuple[list[Job], list[int], list[JobItem]]:
    live = jobs.list_live(tx)
    windows = [item for job in live for item in job_items.list_open_windows(tx, job.id)]
    return live, job_items.list_waiting_targets(tx), windows
