"""Any order of submits, answers, silences, pauses, cancels, retries and crashes keeps the promises."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from csms.clock import ManualClock
from csms.domain.jobs import (
    FINAL_JOB_STATES,
    Gate,
    ItemState,
    Job,
    JobState,
    OfflinePolicy,
    Policy,
    Wave,
)
from csms.domain.stations import Station
from csms.errors import CallRefused, Conflict
from csms.events import Bus, LateAnswer
from csms.store import engine as engine_store
from csms.store import job_items, jobs, locations
from csms.store.database import Database, ReadTx
from tests.databases import empty_database

from .conftest import PRINCIPAL, Delivered, ScriptedStations, begin
from .test_engine import RESET, TRIGGER, create, order

STATIONS = 4
# None: until nothing moves any more; a number: so many turns of the loop, in the middle of it all.
TURNS = st.sampled_from([None, None, 0, 1, 2, 5])
NUMBER = st.integers(0, 1000)
WAVES = st.sampled_from([(), (), (Wave(count=2),), (Wave(count=1), Wave(percent=50))])
NEVER_SENT = {ItemState.OFFLINE, ItemState.EXPIRED, ItemState.SKIPPED_FORBIDDEN}
ENDED = ("job.done", "job.cancelled", "job.failed")
ANSWERS = {
    "accepted": {"status": "Accepted"},
    "rejected": {"status": "Rejected"},
    "refused": CallRefused("NotSupported", "no"),
    "broken": CallRefused("InternalError", "later"),
}


@dataclass
class Witness(ScriptedStations):
    """Stations that look into the file whenever a CALL arrives: its intent must be there."""

    file: Path = Path()
    without_intent: list[Delivered] = field(default_factory=list)

    async def call(self, station_id, *, on_sent=None, **arguments):
        return await super().call(station_id, on_sent=self._look, **arguments)

    def _look(self) -> None:
        reader = sqlite3.connect(self.file)
        found = reader.execute(
            "SELECT 1 FROM job_attempts a JOIN job_items i USING (job_id, seq)"
            " WHERE a.message_id = ? AND a.ended_at IS NULL AND i.state = 'in_flight'",
            (self.calls[-1].message_id,),
        ).fetchone()
        reader.close()
        if found is None:
            self.without_intent.append(self.calls[-1])


class Grace(dict[int, datetime]):
    """Until when stations of the life before are not called offline."""

    def __init__(self, clock: ManualClock, expected: list[Station]) -> None:
        end = clock.now() + timedelta(seconds=120)
        super().__init__({station.id: end for station in expected})
        self._clock = clock

    def get(self, station_id: int, default: Any = None) -> Any:
        end = super().get(station_id, default)
        return end if end is not None and self._clock.now() < end else None


@dataclass
class Known:
    """What the model knows of a job: which items are over, and how."""

    job: Job
    one_shot: bool
    per_location: int | None = None
    paused: tuple[str, int] | None = None
    """While it is paused: its run, and how many attempts there were."""
    over: dict[int, tuple[Any, ...]] = field(default_factory=dict)


class Engines(RuleBasedStateMachine):
    """The engine over a real file, as its callers and its stations move it."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.known: dict[int, Known] = {}
        self.silent: list[Delivered] = []
        self.forgotten: set[str] = set()
        self.names = 0
        self.run(self._begin())

    async def _begin(self) -> None:
        clock, bus = ManualClock(datetime(2026, 5, 1, tzinfo=UTC)), Bus()
        db = Database(empty_database(self.directory.name), clock=clock, bus=bus)
        await db.open()
        await db.write(lambda tx: engine_store.begin_epoch(tx, "this-boot"))
        self.bench = await begin(db, bus, clock)
        self.bench.stations = Witness(bus, file=db.path)
        await self.bench.restart()
        self.place = await db.write(lambda tx: locations.insert(tx, name="Site", slug="site"))
        self.stations = [
            await self.bench.station(f"S{n}", location_id=self.place.id if n < 3 else None)
            for n in range(STATIONS)
        ]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 10))

    # ---- what callers do -----------------------------------------------------------------

    @rule(
        one_shot=st.booleans(),
        chosen=st.sets(st.integers(0, STATIONS - 1), min_size=1),
        wait=st.booleans(),
        expires_in_s=st.sampled_from([None, 200.0]),
        max_parallel=st.sampled_from([1, 256]),
        per_location_parallel=st.sampled_from([None, None, 1]),
        abort_after=st.sampled_from([None, None, 1]),
        native=st.booleans(),
        waves=WAVES,
        gate=st.sampled_from(Gate),
        turns=TURNS,
    )
    def submit(self, *, one_shot, chosen, turns, wait, native, **policy) -> None:
        offline = OfflinePolicy.WAIT if wait else OfflinePolicy.REPORT
        submission = order(
            [self.stations[n] for n in sorted(chosen)],
            RESET if one_shot else TRIGGER,
            policy=Policy(offline=offline, **policy),
        )
        # Resets have a rate of their own by default; here it would only slow things down.
        submission = replace(
            submission,
            policy=replace(submission.policy, rate_per_min=None),
            dialect="native" if native else "commands",
        )
        job = self.run(self.bench.engine.submit(submission)).job
        self.known[job.id] = Known(job, one_shot, policy["per_location_parallel"])
        self.go_on(turns)

    @rule(number=st.integers(1, 3), virtual=st.booleans(), again=st.booleans(), turns=TURNS)
    def submit_create(self, *, number, virtual, again, turns) -> None:
        first = 0 if again else self.names
        self.names = max(self.names, first + number)
        names = [str(first + n) for n in range(number)]
        _, job = self.run(create(self.bench, names, virtual=virtual, place=self.place))
        self.known[job.id] = Known(job, one_shot=False)
        self.go_on(turns)

    @rule(pick=NUMBER, turns=TURNS)
    def cancel(self, *, pick, turns) -> None:
        self._control("cancel", pick)
        self.go_on(turns)

    @rule(pick=NUMBER, resume=st.booleans(), turns=TURNS)
    def pause(self, *, pick, resume, turns) -> None:
        self._control("resume" if resume else "pause", pick)
        self.go_on(turns)

    def _control(self, how: str, pick: int) -> None:
        if not self.known:
            return
        # A job that runs, if there is one: the others are not changed by it.
        live = [self.known[job_id].job for job_id in self.bench.engine._board.runs]
        job = live[pick % len(live)] if live else self._job(pick)
        with suppress(Conflict):
            self.run(getattr(self.bench.engine, how)(job))

    @rule(
        pick=NUMBER,
        how=st.sampled_from(["retry", "retry", "retry_anew", "delete"]),
        include_unknown=st.booleans(),
        turns=TURNS,
    )
    def afterwards(self, *, pick, how, include_unknown, turns) -> None:
        if not self.known:
            return
        known = self.known[self._job(pick).id]
        self.check()  # what is over is known before the retry opens some of it again
        with suppress(Conflict):
            getattr(self, f"_{how}")(known, include_unknown=include_unknown)
        self.go_on(turns)

    def _retry(self, known: Known, *, include_unknown: bool) -> None:
        self.run(self.bench.engine.retry(known.job, include_unknown=include_unknown))
        reopened = {"error", "offline", "expired", "cancelled"}
        reopened |= {"unknown"} if include_unknown else set()
        for seq in [seq for seq, row in known.over.items() if row[0] in reopened]:
            del known.over[seq]

    def _retry_anew(self, known: Known, *, include_unknown: bool) -> None:
        again = self.bench.engine.retry_anew(
            known.job, caller=PRINCIPAL, include_unknown=include_unknown
        )
        job = self.run(again).job
        self.known[job.id] = Known(job, known.one_shot, known.per_location)

    def _delete(self, known: Known, **_: Any) -> None:
        job = known.job
        attempts = self.run(
            self.bench.db.read(
                lambda tx: tx.all("SELECT message_id FROM job_attempts WHERE job_id = ?", (job.id,))
            )
        )
        self.run(self.bench.engine.delete(job))
        del self.known[job.id]
        self.forgotten |= {row["message_id"] for row in attempts}

    # ---- what stations do ----------------------------------------------------------------

    @rule(pick=NUMBER, answer=st.sampled_from(sorted(ANSWERS)), turns=TURNS)
    def answer(self, *, pick, answer, turns) -> None:
        call = self._pick(self.open_calls(), pick)
        if call is None:
            return
        given = ANSWERS[answer]
        if isinstance(given, CallRefused):
            call.answer.set_exception(CallRefused(given.error_code))
        else:
            call.answer.set_result(given)
        self.go_on(turns)

    @rule(pick=NUMBER, turns=TURNS)
    def time_out(self, *, pick, turns) -> None:
        call = self._pick(self.open_calls(), pick)
        if call is None:
            return
        self.bench.stations.time_out(call)
        self.silent.append(call)
        self.go_on(turns)

    @rule(pick=NUMBER, accepted=st.sampled_from([True, False, None]), turns=TURNS)
    def answer_late(self, *, pick, accepted, turns) -> None:
        call = self._pick(self.silent, pick)
        if call is None:
            return
        self.silent.remove(call)
        payload = None if accepted is None else {"status": "Accepted" if accepted else "Rejected"}
        error = "NotSupported" if payload is None else None
        self.publish(LateAnswer(call.station_id, call.message_id, payload, error))
        self.go_on(turns)

    @rule(pick=st.integers(0, STATIONS - 1), turns=TURNS)
    def drop(self, *, pick, turns) -> None:
        station_id = self.stations[pick].id
        self.silent += [call for call in self.open_calls() if call.station_id == station_id]
        self.in_loop(lambda: self.bench.stations.drop(station_id))
        self.go_on(turns)

    @rule(pick=st.integers(0, STATIONS - 1), ready=st.booleans(), turns=TURNS)
    def connect(self, *, pick, ready, turns) -> None:
        station_id = self.stations[pick].id
        if station_id in self.bench.stations.online:
            self.in_loop(lambda: self.bench.stations.become_ready(station_id))
        else:
            self.in_loop(lambda: self.bench.stations.connect(station_id, ready=ready))
        self.go_on(turns)

    @rule(reachable=st.booleans())
    def reach(self, *, reachable) -> None:
        reasons = {} if reachable else {f"CP-{n}": "connection refused" for n in range(99)}
        self.bench.fleet.reasons = reasons

    # ---- what happens to us --------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 5, 125, 700]), turns=TURNS)
    def advance(self, *, seconds, turns) -> None:
        self.in_loop(lambda: self.bench.advance(seconds))
        self.go_on(turns)

    @rule(graces=st.booleans(), turns=TURNS)
    def crash(self, *, graces, turns) -> None:
        self.silent += self.open_calls()
        self.bench.grace = Grace(self.bench.clock, self.stations if graces else [])
        assert self.run(self.bench.crash()).repaired == 0
        self._come_back()
        self.go_on(turns)

    @rule(turns=TURNS)
    def stop_and_start(self, *, turns) -> None:
        self.silent += self.open_calls()
        assert self.run(self.bench.restart()).repaired == 0
        self._come_back()
        self.go_on(turns)

    def _come_back(self) -> None:
        """No socket lived through it; half of the stations are back at once."""
        for call in self.open_calls():
            call.answer.cancel()
        for station in self.stations[::2]:
            self.in_loop(lambda station=station: self.bench.stations.connect(station.id))

    # ---- the promises --------------------------------------------------------------------

    def check(self) -> None:
        """What is true in every snapshot of the file."""
        assert self.bench.stations.without_intent == []
        # Taken before the snapshot: what arrived by now was intended by then.
        calls = tuple(self.bench.stations.calls)
        self.run(self.bench.db.read(lambda tx: self._check(tx, calls)))

    def _check(self, tx: ReadTx, calls: tuple[Delivered, ...]) -> None:
        delivered = Counter()
        for call in calls:
            if call.message_id in self.forgotten:
                continue
            attempt = job_items.find_attempt(tx, call.message_id)
            assert attempt is not None
            delivered[attempt["job_id"], attempt["seq"], attempt["job_generation"]] += 1
        for job_id, known in self.known.items():
            job = jobs.get(tx, job_id)
            assert job.counters == job_items.count_rows(tx, job_id)
            self._check_end(tx, job, known)
            self._check_pause(tx, job, known)
            self._check_waves(tx, job)
            for item in job_items.list_page(tx, job_id):
                times = delivered[job_id, item.seq, job.generation]
                assert times <= 1 or not known.one_shot
                if not item.final:
                    assert item.seq not in known.over
                    continue
                row = (item.state.value, item.code, item.response_status, item.target)
                assert row == known.over.setdefault(item.seq, row)
                if item.state in NEVER_SENT:
                    assert times == 0
                if item.state is ItemState.UNKNOWN:
                    self._check_unknown(tx, item)
        self._check_created(tx)

    @staticmethod
    def _check_pause(tx: ReadTx, job: Job, known: Known) -> None:
        assert (job.state is JobState.PAUSED) == (job.pause_reason is not None)
        attempts = tx.value("SELECT count(*) FROM job_attempts WHERE job_id = ?", (job.id,))
        now = (job.workflow_run_id, attempts)
        if known.paused is not None and known.paused[0] == job.workflow_run_id:
            assert job.state is not JobState.PAUSED or now == known.paused
        known.paused = now if job.state is JobState.PAUSED else None
        if known.per_location is not None:
            flying = tx.value(
                "SELECT count(*) FROM job_items JOIN stations s ON s.id = target"
                " WHERE job_id = ? AND state = 'in_flight' AND location_id NOT NULL",
                (job.id,),
            )
            assert flying <= known.per_location

    @staticmethod
    def _check_waves(tx: ReadTx, job: Job) -> None:
        held = tx.all(
            "SELECT seq, attempts_used FROM job_items WHERE job_id = ? AND state = 'held'",
            (job.id,),
        )
        if held:
            assert job.state in {JobState.RUNNING, JobState.PAUSED} or job.started_at is None
            assert job.wave <= len(job.wave_begins)
            assert all(row["seq"] >= job.wave_begins[job.wave - 1] for row in held)
            assert all(row["attempts_used"] == 0 for row in held)
            assert len(held) < job.counters.open or job.state is JobState.PAUSED
        if job.wave > 1:
            before = job_items.list_page(tx, job.id)[: job.wave_begins[job.wave - 2]]
            assert all(item.final for item in before)

    @staticmethod
    def _check_end(tx: ReadTx, job: Job, known: Known) -> None:
        finished = job.state in FINAL_JOB_STATES
        assert finished == (job.finished_at is not None) == (job.counters.open == 0)
        marks = ",".join("?" * len(ENDED))
        ends = tx.value(
            f"SELECT count(*) FROM events WHERE job_id = ? AND type IN ({marks})", (job.id, *ENDED)
        )
        assert ends == job.generation - known.job.generation + 1 - (not finished)
        if job.state in {JobState.CANCELLING, *FINAL_JOB_STATES}:
            waiting = job_items.list_page(
                tx, job.id, states=[ItemState.HELD, ItemState.READY, ItemState.WAIT_ONLINE]
            )
            assert waiting == []

    @staticmethod
    def _check_unknown(tx: ReadTx, item: Any) -> None:
        attempt = job_items.last_attempt(tx, item)
        assert attempt is not None
        assert attempt["outcome"] == "unknown"
        answered_in_time = attempt["late_at"] is not None and item.executed_at is not None
        if answered_in_time:
            assert attempt["late_at"] >= tx.value(
                "SELECT executed_at FROM job_items WHERE job_id = ? AND seq = ?",
                (item.job_id, item.seq),
            )

    @staticmethod
    def _check_created(tx: ReadTx) -> None:
        made = tx.all(
            "SELECT i.state, i.target, s.id FROM stations s"
            " JOIN job_items i ON i.job_id = s.created_job_id AND i.seq = s.created_seq"
            " WHERE s.deleted_at IS NULL"
        )
        assert all(row["target"] == row["id"] for row in made)
        assert {row["state"] for row in made} <= {"succeeded", "ready", "in_flight"}
        succeeded = tx.value(
            "SELECT count(*) FROM job_items i JOIN jobs j ON j.id = i.job_id"
            " WHERE j.kind = 'station_create' AND i.state = 'succeeded'"
        )
        assert succeeded == sum(row["state"] == "succeeded" for row in made)

    def _check_at_rest(self) -> None:
        """What is true once nothing moves: memory and file agree."""
        flying = self.run(
            self.bench.db.read(
                lambda tx: tx.all("SELECT target, epoch FROM job_items WHERE state = 'in_flight'")
            )
        )
        epoch = self.run(self.bench.db.read(engine_store.epoch))
        assert {row["epoch"] for row in flying} <= {epoch}
        open_ones = sorted(call.station_id for call in self.open_calls())
        assert sorted(row["target"] for row in flying) == open_ones
        board = self.bench.engine._board
        assert sum(board.flying.values()) == len(open_ones)
        assert sorted(board.busy) == open_ones
        assert board.kept == {}
        live = self.run(self.bench.db.read(jobs.list_live))
        assert sorted(board.runs) == [job.id for job in live] == sorted(board.turns)

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        try:
            self._bring_to_an_end()
        finally:
            self.run(self.bench.engine.stop(drain_s=0))
            self.run(self.bench.db.close())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.directory.cleanup()

    def _bring_to_an_end(self) -> None:
        """Whatever happened: once stations answer, every job ends by itself."""
        self.reach(reachable=True)
        self.bench.stations.automatic = lambda call: call.answer.set_result(ANSWERS["accepted"])
        for call in self.open_calls():
            call.answer.set_result({"status": "Accepted"})
        for pick in range(STATIONS):
            self.connect(pick=pick, ready=True, turns=None)
            self.connect(pick=pick, ready=True, turns=None)
        for _ in range(12):
            for job in self.run(self.bench.db.read(jobs.list_live)):
                if job.state is JobState.PAUSED:
                    self.run(self.bench.engine.resume(job))
            self.advance(seconds=700, turns=None)
        assert self.run(self.bench.db.read(jobs.list_live)) == []

    # ---- below ---------------------------------------------------------------------------

    @staticmethod
    def _pick(calls: list[Delivered], pick: int) -> Delivered | None:
        # Not a precondition: which calls are open depends on the threads, and the choice of
        # rules must not.
        return calls[pick % len(calls)] if calls else None

    def _job(self, pick: int) -> Job:
        return list(self.known.values())[pick % len(self.known)].job

    def open_calls(self) -> list[Delivered]:
        return [call for call in self.bench.stations.calls if not call.answer.done()]

    def publish(self, signal: Any) -> None:
        self.in_loop(lambda: self.bench.bus.publish(signal))

    def in_loop(self, act: Any) -> None:
        async def inside() -> None:
            act()

        self.run(inside())

    def go_on(self, turns: int | None) -> None:
        self.run(self._rest() if turns is None else self._turns(turns))
        self.check()
        if turns is None:
            self._check_at_rest()

    @staticmethod
    async def _turns(number: int) -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    async def _rest(self) -> None:
        """Until the dispatcher sleeps, the writer is idle, and every task waits for a station."""
        quiet = 0
        while quiet < 3:
            await self.bench.db.write(lambda _: None)
            await self._turns(5)
            quiet = quiet + 1 if self._at_rest() else 0

    def _at_rest(self) -> bool:
        board = self.bench.engine._board
        waiting = sum(not call.answer.done() for call in self.bench.stations.calls)
        return bool(
            board.wake._waiters
            and not board.wake.is_set()
            and not board.settling
            and len(board.tasks) == waiting
        )


def explore(examples: int, steps: int, *, derandomize: bool) -> None:
    run_state_machine_as_test(
        Engines,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            print_blob=False,
        ),
    )


def test_the_promises_hold_in_any_order_of_things():
    explore(40, 40, derandomize=True)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_the_promises_hold_in_very_many_orders_of_things():
    explore(1000, 60, derandomize=False)
