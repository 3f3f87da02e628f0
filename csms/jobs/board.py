"""What the engine holds in memory: a cache of the ledger, and reasons to look again."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from csms.clock import Clock, to_micros
from csms.domain.jobs import (
    CLAIMING_JOB_STATES,
    FINAL_JOB_STATES,
    ItemState,
    Job,
    JobItem,
    JobState,
    Lane,
)
from csms.events import Bus, Tick
from csms.jobs import ledger
from csms.jobs.pace import Pace
from csms.jobs.places import Places
from csms.jobs.port import ItemRunner

log = structlog.get_logger(__name__)

NEVER = 2**62
TICK_EVERY_S = 0.25


@dataclass(slots=True, eq=False)
class Run:
    """A live job in memory."""

    job: Job
    kind: ItemRunner
    pace: Pace
    places: Places
    claims: bool = True
    """Whether it starts items, as far as we know; the ledger has the last word."""
    buffer: deque[JobItem] = field(default_factory=deque)
    held: set[int] = field(default_factory=set)
    """Items in the buffer, blocked on a busy station, or running."""
    flying: int = 0
    left_behind: bool = False
    """The store has more that is due, but memory was full."""
    look_at: int = 0
    """When the next item may be found in the store, microseconds; 0: look now."""
    ticked_at: float = 0.0

    def mark_running(self) -> None:
        """The first claim is committed."""
        if self.job.state in {JobState.ACCEPTED, JobState.SCHEDULED}:
            self.job = replace(self.job, state=JobState.RUNNING)

    def let_follow(self, item: JobItem) -> None:
        """The item takes no room at its location: the next one there may go."""
        following = self.places.following(item)
        if following is not None:
            self.buffer.appendleft(following)

    def look_by(self, micros: int) -> None:
        """Something of the job is due at `micros`."""
        self.look_at = min(self.look_at, micros)


class Board:
    """Live jobs, taken slots, and who waits for what."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self.runs: dict[int, Run] = {}
        self.turns: deque[int] = deque()
        self.flying = {Lane.BULK: 0, Lane.INTERACTIVE: 0}
        self.busy: set[int] = set()
        """Stations with an item of ours in flight."""
        self.kept: dict[int, tuple[int, int]] = {}
        """Stations in the middle of an item of several steps, for nobody else: (job id, seq)."""
        self.blocked: defaultdict[int, deque[tuple[Run, JobItem]]] = defaultdict(deque)
        """Items whose station's call slot is taken."""
        self.waiting_for: set[int] = set()
        """Stations that an item waits for."""
        self.windows: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        """Stations with an item whose evidence window is open: (job id, seq)."""
        self.waiters: defaultdict[tuple[int, int], list[asyncio.Future[None]]] = defaultdict(list)
        self.on_window: Callable[[int], None] = lambda _: None
        """Called with the station whenever a window opens."""
        self.ended: Counter[tuple[str, str]] = Counter()
        """(kind, state) → items that ended after they were tried, for /metrics."""
        self.wake = asyncio.Event()
        self.tasks: set[asyncio.Task[Any]] = set()
        """Cancelled when the engine stops; the ledger brings their work back."""
        self.settling: set[asyncio.Task[Any]] = set()
        """Finished even then: an answer that arrived reaches the journal."""

    def adopt(self, job: Job, kind: ItemRunner) -> None:
        """Take up a live job."""
        self._free_all(job.id)
        claims = job.state in CLAIMING_JOB_STATES
        self.runs[job.id] = Run(job, kind, Pace(job.policy.rate_per_min), Places(job), claims)
        if job.id not in self.turns:
            self.turns.append(job.id)
        self.wake.set()

    def in_turn(self) -> Iterable[Run]:
        """Every live job once: interactive ones first, a new one at the head of its lane."""
        self.turns.rotate(-1)
        runs = [self.runs[job_id] for job_id in self.turns]
        return sorted(runs, key=lambda run: run.job.lane is Lane.BULK)

    def is_taken(self, item: JobItem) -> bool:
        """Whether the item's station is for another one now."""
        if item.target is None:
            return False
        return item.target in self.busy or (item.target in self.kept and not self.keeps(item))

    def keeps(self, item: JobItem) -> bool:
        """Whether the station stays with the item from one step to the next."""
        return item.target is not None and self.kept.get(item.target) == (item.job_id, item.seq)

    def occupy(self, run: Run, item: JobItem) -> None:
        """The item takes a slot of its lane and its station."""
        run.flying += 1
        run.places.take(item)
        self.flying[run.job.lane] += 1
        if item.target is not None:
            self.busy.add(item.target)

    def leave(self, run: Run, item: JobItem, *, then: JobItem | None = None) -> None:
        """It gives both back; the station only to itself when it goes on at once with `then`."""
        run.flying -= 1
        run.places.leave(item)
        run.let_follow(item)
        self.flying[run.job.lane] -= 1
        if item.target is not None:
            self.busy.discard(item.target)
            goes_on = run.claims and self.runs.get(run.job.id) is run
            if goes_on and then is not None and then.target == item.target:
                self.kept[item.target] = item.job_id, item.seq
                run.buffer.appendleft(then)
                return
        run.held.discard(item.seq)
        if run.left_behind:
            run.left_behind = False
            run.look_at = 0
        self.free(item)
        if item.target is not None:
            self.unblock(item.target)

    def free(self, item: JobItem) -> None:
        """The item does not go on at once: its station is for others too."""
        if item.target is not None and self.keeps(item):
            del self.kept[item.target]
            self.unblock(item.target)

    def unblock(self, station_id: int) -> None:
        """Items blocked on the station go to the head of their job's buffer."""
        blocked = self.blocked.pop(station_id, None)
        if blocked is not None:
            for run, item in blocked:
                run.buffer.appendleft(item)
            self.wake.set()

    def after(self, run: Run, change: ledger.Change | None) -> None:
        """Memory follows a committed change; None: somebody else was first, look again."""
        if change is None:
            run.look_at = 0
        else:
            self._remember(run, change.item)
            if change.item.final:
                self.ended[run.job.kind, change.item.state.value] += 1
                self._release_waiters(change.item.job_id, change.item.seq)
            if change.job.ended_generation is not None:
                self._drop(change.item.job_id, change.job.ended_generation)
            elif change.job.moved:
                run.look_at = 0
            self._tick(run, force=change.ended_job or change.job.moved)
        self.wake.set()

    def refresh(self, job: Job) -> None:
        """A job changed as a whole: forget what of it has not been started."""
        run = self.runs.get(job.id)
        if run is None:
            return
        run.job = job
        run.claims = job.state in CLAIMING_JOB_STATES
        self.forget(run)
        run.look_at = 0
        if not run.claims and job.state is not JobState.PAUSED:
            for job_id, seq in tuple(self.waiters):
                if job_id == job.id:
                    self._release_waiters(job_id, seq)
        if job.state in FINAL_JOB_STATES:
            self._drop(job.id, job.generation)
        self._tick(run, force=True)
        self.wake.set()

    def forget(self, run: Run) -> None:
        """Let go of what of the job has not been started; it is read again."""
        for item in (*run.buffer, *run.places.waiting()):
            run.held.discard(item.seq)
        run.buffer.clear()
        run.places.forget_waiting()
        for station_id, blocked in self.blocked.items():
            run.held -= {item.seq for owner, item in blocked if owner is run}
            self.blocked[station_id] = deque(entry for entry in blocked if entry[0] is not run)
        self._free_all(run.job.id)

    def watch_window(self, item: JobItem) -> None:
        """Evidence about the item's station settles it; what came before now is looked for."""
        if item.target is not None:
            self.windows[item.target].add((item.job_id, item.seq))
            self.on_window(item.target)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """A task that is given up when the engine stops."""
        self._own(asyncio.create_task(work, name=name), self.tasks)

    def settle(self, work: Coroutine[Any, Any, None]) -> None:
        """A task that is finished even when the engine stops."""
        self._own(asyncio.create_task(work, name="settle"), self.settling)

    def shelter(self, task: asyncio.Task[Any] | None) -> None:
        """From here on the task is finished even when the engine stops."""
        assert task is not None
        self.tasks.discard(task)
        self.settling.add(task)

    def _own(self, task: asyncio.Task[None], owner: set[asyncio.Task[Any]]) -> None:
        owner.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        self.settling.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("engine task failed", task=task.get_name(), exc_info=task.exception())

    def _remember(self, run: Run, item: JobItem) -> None:
        if item.state is ItemState.READY:
            run.look_by(to_micros(item.due_at))
        elif item.state is ItemState.WAIT_ONLINE and item.target is not None:
            self.waiting_for.add(item.target)
            run.look_by(to_micros(item.due_at))
        elif item.window_open:
            run.look_by(to_micros(item.due_at))
            self.watch_window(item)
        elif item.target is not None and item.target in self.windows:
            self.windows[item.target].discard((item.job_id, item.seq))
            if not self.windows[item.target]:
                del self.windows[item.target]

    def release_all_waiters(self) -> None:
        """Nothing more will come."""
        for job_id, seq in tuple(self.waiters):
            self._release_waiters(job_id, seq)

    def _release_waiters(self, job_id: int, seq: int) -> None:
        for future in self.waiters.get((job_id, seq), ()):
            if not future.done():
                future.set_result(None)

    def _drop(self, job_id: int, generation: int) -> None:
        run = self.runs.get(job_id)
        if run is None or run.job.generation > generation:
            return  # a retry may share the commit of the end, and be told of it first
        del self.runs[job_id]
        self._free_all(job_id)
        if job_id in self.turns:
            self.turns.remove(job_id)

    def _free_all(self, job_id: int) -> None:
        for station_id in [at for at, (owner, _) in self.kept.items() if owner == job_id]:
            del self.kept[station_id]
            self.unblock(station_id)

    def _tick(self, run: Run, *, force: bool) -> None:
        now = self._clock.monotonic()
        if run.job.hidden or (not force and now - run.ticked_at < TICK_EVERY_S):
            return
        run.ticked_at = now
        self._bus.publish(
            Tick(
                "job.progress",
                {"job": run.job.uuid},
                job_id=run.job.id,
                location_id=run.job.location_id,
            )
        )
