"""One item at a time: run the attempt, journal what came of it."""

from __future__ import annotations

import asyncio
from random import Random

import structlog

from csms.domain.jobs import ItemState, JobError, JobItem
from csms.errors import CsmsError, Unavailable
from csms.jobs import ledger, lifecycle
from csms.jobs.board import Board, Run
from csms.jobs.crash import CrashPoints
from csms.jobs.port import Done, Intent, JobFailed, NextStep, NotSent, Result
from csms.store import jobs
from csms.store.database import Database

log = structlog.get_logger(__name__)


BATCH = 256
"""Ends journaled in one unit."""


class Worker:
    """Runs claimed items as tasks; every one of them ends in a settled item."""

    def __init__(
        self,
        db: Database,
        board: Board,
        *,
        random: Random,
        crash: CrashPoints,
        storage_retry_s: float,
    ) -> None:
        self._db = db
        self._board = board
        self._random = random
        self._crash = crash
        self._storage_retry_s = storage_retry_s
        self._ended: list[tuple[ledger.Ended, asyncio.Future[ledger.Change | None]]] = []
        """Attempts whose end is not journaled yet, the oldest first."""

    def launch(self, run: Run, item: JobItem, intent: Intent | None) -> None:
        """Run one claimed item in a task of its own."""
        self._board.spawn(self._attempt(run, item, intent), f"item {run.job.id}/{item.seq}")

    def give_back(self, run: Run, item: JobItem, intent: Intent | None) -> None:
        """A claimed item that will not run, because we are stopping: it was never sent."""
        if intent is None:
            self._board.leave(run, item)
        else:
            self._board.settle(self._settle(run, item, NotSent()))

    async def _attempt(self, run: Run, item: JobItem, intent: Intent | None) -> None:
        """Everything but CancelledError ends in a result: no other item is ever taken along."""
        if intent is not None:
            self._crash.reach("item.intended")
        try:
            result = await run.kind.run(
                run.job, item, intent, lambda: self._crash.reach("item.sent")
            )
        except Exception as error:
            result = _failure(error)
        self._crash.reach("item.answered")
        # An answer that arrived must reach the journal even while we are being stopped.
        self._board.shelter(asyncio.current_task())
        await self._settle(run, item, result)

    async def _settle(self, run: Run, item: JobItem, result: Result) -> None:
        then: JobItem | None = None
        try:
            change = await self._journal(run, item, result)
            if isinstance(result, NextStep) and change is not None and not change.item.final:
                then = change.item
        except Unavailable as error:
            log.warning("a result was not stored; the next start judges its item", error=str(error))
            return
        finally:
            self._board.leave(run, item, then=then)
        self._board.after(run, change)
        if change is not None and change.ended_job:
            self._crash.reach("job.done")

    async def _journal(self, run: Run, item: JobItem, result: Result) -> ledger.Change | None:
        try:
            return await self._write(run, item, result)
        except Unavailable:
            raise
        except JobFailed as error:
            await self._fail(run, error.error)
            instead = Done(ItemState.ERROR, error.error.code, error.error.message)
        except Exception as error:
            instead = _failure(error)
        return await self._write(run, item, instead)

    async def _write(self, run: Run, item: JobItem, result: Result) -> ledger.Change | None:
        journal: asyncio.Future[ledger.Change | None] = asyncio.get_running_loop().create_future()
        self._ended.append((ledger.Ended(run.job, item, result, run.kind), journal))
        if len(self._ended) == 1:
            self._board.settle(self._journal_all())
        change = await journal
        self._crash.reach(_point_after(result, change))
        return change

    async def _journal_all(self) -> None:
        """Whatever ended while the last commit was under way is one unit of the next."""
        while self._ended:
            batch = self._ended[:BATCH]
            try:
                changes = await self._settle_all([ended for ended, _ in batch])
            except Exception:
                # One of them cannot be stored as it is: each by itself, and the others are well.
                await asyncio.gather(*(self._journal_one(*entry) for entry in batch))
            else:
                for (_, journal), change in zip(batch, changes, strict=True):
                    if not journal.done():
                        journal.set_result(change)
            del self._ended[: len(batch)]

    async def _journal_one(
        self, ended: ledger.Ended, journal: asyncio.Future[ledger.Change | None]
    ) -> None:
        try:
            (change,) = await self._settle_all([ended])
        except Exception as error:
            if not journal.done():
                journal.set_exception(error)
        else:
            if not journal.done():
                journal.set_result(change)

    async def _settle_all(self, ended: list[ledger.Ended]) -> list[ledger.Change | None]:
        return await self._db.write_when_possible(
            lambda tx: ledger.settle_all(tx, ended, random=self._random),
            retry_s=self._storage_retry_s,
        )

    async def _fail(self, run: Run, error: JobError) -> None:
        self._board.refresh(
            await self._db.write_when_possible(
                lambda tx: lifecycle.fail(tx, jobs.get(tx, run.job.id), error, kind=run.kind),
                retry_s=self._storage_retry_s,
            )
        )


def _point_after(result: Result, change: ledger.Change | None) -> str:
    if isinstance(result, NextStep):
        return "step.done"
    if change is not None and change.job.moved:
        return "wave.ended"
    if change is not None and change.item.state is ItemState.READY:
        return "item.retried"
    if change is not None and change.item.window_open:
        return "window.opened"
    return "item.settled"


def _failure(error: Exception) -> Done:
    if isinstance(error, CsmsError):
        return Done(ItemState.ERROR, error.code, error.message, retryable=error.retryable)
    log.error("item failed", exc_info=error)
    return Done(ItemState.ERROR, "internal", "internal error", retryable=True)
