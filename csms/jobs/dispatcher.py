"""The dispatcher: which items go out next, their intents committed a pass at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from csms.clock import Clock, to_micros
from csms.domain.jobs import ItemState, JobItem, JobState, Lane
from csms.errors import Unavailable
from csms.jobs import ledger, lifecycle
from csms.jobs.board import NEVER, Board, Run
from csms.jobs.crash import CrashPoints
from csms.jobs.port import Busy, Done, Go, Intent, Offline, WaitOnline
from csms.jobs.settings import EngineSettings
from csms.jobs.worker import Worker
from csms.store import job_items, job_order, jobs
from csms.store.database import Database, ReadTx, Tx

log = structlog.get_logger(__name__)

_SHORTEST_WAIT_US = 1000
PAGE = 256
"""Items read, and intents committed, in one go."""
QUANTUM = 32
"""Items one job may start before the next one of its lane has a turn."""
MAX_HELD = 2048
"""Items of one job kept in memory while their stations are busy."""


@dataclass(frozen=True, slots=True)
class _Start:
    run: Run
    item: JobItem
    intent: Intent | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """An item that does not run now: waits until `until`, or is over with `done`."""

    run: Run
    item: JobItem
    until: int = 0
    done: Done | None = None


@dataclass(slots=True)
class _Pass:
    starts: list[_Start]
    verdicts: list[_Verdict]
    decided: int = 0
    """Items looked at, also those that cannot go now."""

    @property
    def size(self) -> int:
        return len(self.starts) + len(self.verdicts)

    @property
    def full(self) -> bool:
        return self.size >= PAGE

    @property
    def runs(self) -> Iterable[Run]:
        started = {start.run.job.id: start.run for start in self.starts}
        judged = {verdict.run.job.id: verdict.run for verdict in self.verdicts}
        return (started | judged).values()


@dataclass(frozen=True, slots=True)
class _Due:
    """What the store has for one job at one instant."""

    claims: bool
    """Whether the job starts items at all."""
    ready: list[JobItem]
    locations: dict[int, int]
    waits: list[JobItem]
    windows: list[JobItem]
    next_at: int | None


class Dispatcher:
    """One task that looks, picks, commits and launches, and otherwise sleeps."""

    def __init__(
        self,
        db: Database,
        board: Board,
        worker: Worker,
        *,
        clock: Clock,
        epoch: int,
        settings: EngineSettings,
        crash: CrashPoints,
        on_presence: Callable[[int], None],
    ) -> None:
        self._db = db
        self._board = board
        self._worker = worker
        self._on_presence = on_presence
        self._clock = clock
        self._epoch = epoch
        self._settings = settings
        self._crash = crash
        self._stopping = False
        self._slots = {
            Lane.BULK: settings.bulk_slots,
            Lane.INTERACTIVE: settings.interactive_slots,
        }

    async def run(self) -> None:
        """Dispatch until told to stop; no failure of one pass ends it."""
        while not self._stopping:
            self._board.wake.clear()
            delay_s = await self._guarded_pass()
            try:
                async with asyncio.timeout(delay_s):
                    await self._board.wake.wait()
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Claim nothing more; what is being claimed now is given back."""
        self._stopping = True
        self._board.wake.set()

    async def _guarded_pass(self) -> float | None:
        try:
            return await self._pass()
        except Unavailable as error:
            log.warning("dispatch is waiting for the store", error=str(error))
        except Exception:
            log.exception("dispatch failed")
        return self._settings.storage_retry_s

    async def _pass(self) -> float | None:
        """Start all that can start; seconds until more may, None: only when woken."""
        while not self._stopping:
            now_pass = _Pass([], [])
            pauses = await self._fill(now_pass)
            if not now_pass.starts and not now_pass.verdicts:
                return self._until_next(pauses)
            await self._begin(now_pass)
        return None

    async def _fill(self, now_pass: _Pass) -> list[float]:
        """Turn after turn, until the pass is full or no job has more; the jobs' pauses."""
        pauses: list[float] = []
        decided = -1
        while now_pass.decided > decided and not now_pass.full:
            decided = now_pass.decided
            pauses = []
            for run in self._board.in_turn():
                if await self._can_look(run):
                    pauses.append(self._pick(run, now_pass))
        return pauses

    def _until_next(self, pauses: Iterable[float]) -> float | None:
        now = to_micros(self._clock.now())
        looks = [
            # What is a microsecond ahead would be looked for again and again until then.
            max(run.look_at - now, _SHORTEST_WAIT_US) / 1e6 if run.look_at > now else 0.0
            for run in self._board.runs.values()
            if not run.buffer and run.look_at < NEVER
        ]
        return min([*looks, *(pause for pause in pauses if pause > 0)], default=None)

    # ---- looking -------------------------------------------------------------------------

    async def _can_look(self, run: Run) -> bool:
        """Look; a job with a row that nobody can read waits, and no other waits for it."""
        try:
            await self._look(run)
        except Unavailable:
            raise
        except Exception:
            log.exception("a job cannot be read", job=run.job.uuid)
            later = self._clock.now() + timedelta(seconds=self._settings.storage_retry_s)
            run.look_at = to_micros(later)
            return False
        return True

    async def _look(self, run: Run) -> None:
        """Read the next page of a job whose buffer is empty, and act on what else is due."""
        now = to_micros(self._clock.now())
        if run.buffer or run.look_at > now:
            return
        limit = min(len(run.held), MAX_HELD) + PAGE
        run.look_at = NEVER  # whoever learns of something meanwhile sets it earlier
        try:
            due = await self._db.read(lambda tx: _read_due(tx, run, now=now, limit=limit))
            if due.waits or due.windows:
                await self._time_is_up(run, due)
        except BaseException:
            run.look_at = 0
            raise
        run.claims = due.claims
        if not due.claims:
            self._board.forget(run)
        more = len(due.ready) == limit
        run.left_behind = more and len(run.held) >= MAX_HELD
        if (more and not run.left_behind) or due.waits or due.windows:
            run.look_at = 0
        elif due.next_at is not None:
            run.look_by(due.next_at)
        fresh = [item for item in due.ready if item.seq not in run.held]
        run.held.update(item.seq for item in fresh)
        run.places.learn(due.locations)
        run.buffer.extend(fresh)

    async def _time_is_up(self, run: Run, due: _Due) -> None:
        """Waits are judged again, evidence windows close."""

        def act(tx: Tx) -> list[ledger.Change | None]:
            again = [ledger.judge_again(tx, item) for item in due.waits]
            closed = [ledger.close_window(tx, run.job, item, kind=run.kind) for item in due.windows]
            return again + closed

        for change in await self._db.write(act):
            self._board.after(run, change)

    # ---- picking -------------------------------------------------------------------------

    def _pick(self, run: Run, now_pass: _Pass) -> float:
        """Decide over the head of a job's buffer; seconds until its pace lets the next one go."""
        for _ in range(QUANTUM):
            if not run.claims or not run.buffer or now_pass.full or not self._has_slot(run):
                return 0
            pause_s = run.pace.wait_s(self._clock.monotonic())
            if pause_s > 0:
                return pause_s
            self._decide(run, run.buffer.popleft(), now_pass)
        return 0

    def _has_slot(self, run: Run) -> bool:
        lane = run.job.lane
        return (
            self._board.flying[lane] < self._slots[lane]
            and run.flying < run.job.policy.max_parallel
        )

    def _decide(self, run: Run, item: JobItem, now_pass: _Pass) -> None:
        now_pass.decided += 1
        admission = run.kind.admit(run.job, item)
        if item.deadline_at is not None and self._clock.now() >= item.deadline_at:
            done = _never_answered(
                run, item, ItemState.EXPIRED, "expired", "the deadline came first"
            )
            now_pass.verdicts.append(_Verdict(run, item, done=done))
        elif isinstance(admission, Busy) or (
            isinstance(admission, Go) and self._board.is_taken(item)
        ):
            assert item.target is not None
            self._board.blocked[item.target].append((run, item))
        elif isinstance(admission, Go):
            if not run.places.holds_back(item):
                self._board.occupy(run, item)
                run.pace.take(self._clock.monotonic())
                now_pass.starts.append(_Start(run, item, run.kind.intent(run.job, item)))
            return
        elif isinstance(admission, Offline):
            done = _never_answered(run, item, ItemState.OFFLINE, admission.code, admission.message)
            now_pass.verdicts.append(_Verdict(run, item, done=done))
        else:
            now_pass.verdicts.append(_Verdict(run, item, until=_wait_until(item, admission)))
        run.let_follow(item)

    # ---- beginning -----------------------------------------------------------------------

    async def _begin(self, now_pass: _Pass) -> None:
        """One commit for the intents and verdicts of a pass, then the tasks."""
        self._crash.reach("item.claimed")
        try:
            going, claimed, judged = await self._db.write(lambda tx: self._commit(tx, now_pass))
        except BaseException:
            self._put_back(now_pass)
            raise
        for run in now_pass.runs:
            if run.job.id in going:
                run.mark_running()
            else:
                self._board.forget(run)
                run.look_at = 0
        for start, change in zip(now_pass.starts, claimed, strict=True):
            if change is None or change.item.final:
                self._board.leave(start.run, start.item)
                self._board.after(start.run, change)
            elif self._stopping:
                self._worker.give_back(start.run, change.item, start.intent)
            else:
                self._worker.launch(start.run, change.item, start.intent)
        for verdict, change in zip(now_pass.verdicts, judged, strict=True):
            verdict.run.held.discard(verdict.item.seq)
            self._board.free(verdict.item)
            self._board.after(verdict.run, change)
            self._recheck(verdict, change)

    def _commit(
        self, tx: Tx, now_pass: _Pass
    ) -> tuple[set[int], list[ledger.Change | None], list[ledger.Change | None]]:
        # A pause may have been committed since the pass began.
        going = jobs.list_claiming(tx, [run.job.id for run in now_pass.runs])
        for run in now_pass.runs:
            if run.job.state in {JobState.ACCEPTED, JobState.SCHEDULED} and run.job.id in going:
                lifecycle.start(tx, run.job)
        return (
            going,
            self._claim_all(tx, now_pass.starts, going),
            _judge_all(tx, now_pass.verdicts, going),
        )

    def _claim_all(
        self, tx: Tx, starts: list[_Start], going: set[int]
    ) -> list[ledger.Change | None]:
        """Each item as claimed, or finished as forbidden; None when it or its job moved."""
        standing = [start for start in starts if start.run.job.id in going]
        permitted = _permitted(tx, standing)
        claims = [
            ledger.Claim(start.run.job, start.item, start.intent)
            for start in standing
            if start.intent is not None and start.item.id in permitted
        ]
        claimed = iter(ledger.intend_all(tx, claims, epoch=self._epoch))
        return [
            None
            if start.run.job.id not in going
            else _forbid(tx, start)
            if start.item.id not in permitted
            else ledger.Change(start.item)
            if start.intent is None
            else next(claimed)
            for start in starts
        ]

    def _recheck(self, verdict: _Verdict, change: ledger.Change | None) -> None:
        """The station may have come or gone between the judgement and its commit."""
        if change is None or change.item.state is not ItemState.WAIT_ONLINE:
            return
        if not isinstance(verdict.run.kind.admit(verdict.run.job, change.item), WaitOnline):
            assert change.item.target is not None
            self._on_presence(change.item.target)

    def _put_back(self, now_pass: _Pass) -> None:
        for start in now_pass.starts:
            then = start.item if self._board.keeps(start.item) else None
            self._board.leave(start.run, start.item, then=then)
            start.run.look_at = 0
        for verdict in now_pass.verdicts:
            verdict.run.held.discard(verdict.item.seq)
            self._board.free(verdict.item)
            verdict.run.look_at = 0


def _read_due(tx: ReadTx, run: Run, *, now: int, limit: int) -> _Due:
    job_id = run.job.id
    claims = job_id in jobs.list_claiming(tx, [job_id])
    ready = job_items.list_ready(tx, job_id, now=now, limit=limit) if claims else []
    return _Due(
        claims,
        ready,
        job_order.find_locations(tx, ready) if run.places.are_limited else {},
        job_items.list_waits_over(tx, job_id, now=now, limit=PAGE),
        job_items.list_windows_over(tx, job_id, now=now, limit=PAGE),
        job_items.next_due(tx, job_id, after=now),
    )


def _never_answered(run: Run, item: JobItem, state: ItemState, code: str, message: str) -> Done:
    """Offline and expired say that nothing was ever sent; after an attempt that would be a lie."""
    if item.step != run.kind.first_step:
        message = f"{message}, and a part was done before"
        return Done(ItemState.ERROR, "partly_done", message, retryable=True)
    if item.attempts_used or item.interruptions:
        message = f"{message}, and an earlier attempt was not answered"
        return Done(ItemState.ERROR, code, message, retryable=True)
    return Done(state, code, message, retryable=True)


def _wait_until(item: JobItem, admission: WaitOnline) -> int:
    until = to_micros(admission.until)
    return until if item.deadline_at is None else min(until, to_micros(item.deadline_at))


def _permitted(tx: Tx, starts: list[_Start]) -> set[tuple[int, int]]:
    by_run = defaultdict(list)
    for start in starts:
        by_run[start.run].append(start.item)
    return {
        item.id for run, items in by_run.items() for item in run.kind.permitted(tx, run.job, items)
    }


def _forbid(tx: Tx, start: _Start) -> ledger.Change | None:
    forbidden = Done(ItemState.SKIPPED_FORBIDDEN, "forbidden", "not allowed any more")
    return ledger.finish(tx, start.run.job, start.item, forbidden, kind=start.run.kind)


def _judge_all(tx: Tx, verdicts: list[_Verdict], going: set[int]) -> list[ledger.Change | None]:
    """What became of each item; None when it or its job moved."""
    over = [
        ledger.Over(one.run.job, one.item, one.done, one.run.kind)
        for one in verdicts
        if one.done is not None and one.run.job.id in going
    ]
    # One statement for all: a command to ten thousand stations that are offline is over at once.
    finished = iter(ledger.finish_all(tx, over))
    return [
        None
        if one.run.job.id not in going
        else ledger.wait_online(tx, one.item, until=one.until)
        if one.done is None
        else next(finished)
        for one in verdicts
    ]
