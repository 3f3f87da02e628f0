"""Two things at once, a disk that is full, a stop or a crash in between: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from csms.domain.jobs import ItemState, JobState, OfflinePolicy, Policy
from csms.domain.stations import NewStation
from csms.errors import StorageFailed
from csms.events import LateAnswer
from csms.jobs import dispatcher
from csms.jobs.kinds.station_create import StationCreateRunner
from csms.jobs.settings import EngineSettings
from csms.store import stations
from csms.store.database import Database, Tx

from .conftest import Bench
from .test_engine import RESET, accepted, create, order, rows

WAIT = Policy(offline=OfflinePolicy.WAIT)


@asynccontextmanager
async def writer_held(db: Database) -> AsyncIterator[None]:
    begun, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(10)

    holder = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    try:
        yield
    finally:
        go_on.set()
    await holder


async def queued(db: Database, number: int) -> None:
    """So many writes wait for the writer."""
    async with asyncio.timeout(10):
        while db.pending < number:  # noqa: ASYNC110 - the writer's queue has no event
            await asyncio.sleep(0)


async def states(bench: Bench, job: Any) -> list[ItemState]:
    return [row.item.state for row in (await rows(bench, job)).rows]


class Full:
    """The writer's connection on a full disk: each COMMIT says SQLITE_FULL."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def execute(self, sql: str, params: Any = ()) -> Any:
        if sql == "COMMIT":
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self.real.execute(sql, params)


def fill(db: Database) -> None:
    db._connection = Full(db._connection)


def heal(db: Database) -> None:
    db._connection = db._connection.real


async def refused(db: Database, number: int) -> None:
    """So many groups found the disk full."""
    async with asyncio.timeout(10):
        while db.stats.failures < number:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0)


# ---- stopping a job --------------------------------------------------------------------------


async def test_a_cancelled_job_ends_though_its_last_item_was_not_answered(bench: Bench):
    station = await bench.station("silent")
    job = (await bench.engine.submit(order([station]))).job
    (call,) = await bench.stations.delivered(1)
    await bench.engine.cancel(job)

    bench.stations.time_out(call)
    await bench.log.wait_for("job.cancelled")

    found = await rows(bench, job)
    assert (ItemState.ERROR, "timeout") == (found.rows[0].item.state, found.rows[0].item.code)
    assert 1 == len(bench.stations.calls)


async def test_a_cancelled_job_ends_though_its_last_item_was_never_sent(bench: Bench):
    station = await bench.station("vanishes")
    bench.stations.busy.add(station.id)
    job = (await bench.engine.submit(order([station]))).job
    await bench.until(lambda tx: bench.engine._board.blocked)
    async with writer_held(bench.db):
        bench.stations.busy.clear()
        bench.engine._board.unblock(station.id)
        await queued(bench.db, 1)  # the intent
        bench.stations.connect(station.id)  # another connection than the intent's
        cancelling = asyncio.ensure_future(bench.engine.cancel(job))
        await queued(bench.db, 2)
    await cancelling
    await bench.log.wait_for("job.cancelled")

    assert [ItemState.CANCELLED] == await states(bench, job)
    assert [] == bench.stations.calls


async def test_a_retry_in_the_very_commit_that_ends_the_job_runs(bench: Bench):
    station = await bench.station("refuses")
    job = (await bench.engine.submit(order([station]))).job
    (call,) = await bench.stations.delivered(1)
    async with writer_held(bench.db):
        call.answer.set_result({"status": "Rejected"})
        await queued(bench.db, 1)  # the last item's end
        again = asyncio.ensure_future(
            bench.engine.retry(job, states=frozenset({ItemState.REJECTED}))
        )
        await queued(bench.db, 2)
    await again
    _, second = await bench.stations.delivered(2)
    second.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done", 2)

    assert [ItemState.SUCCEEDED] == await states(bench, job)


async def test_a_cancelled_create_leaves_no_station_between_two_steps(bench: Bench, monkeypatch):
    deploying, go_on = asyncio.Event(), asyncio.Event()

    async def slow(station: Any) -> None:
        deploying.set()
        await go_on.wait()

    monkeypatch.setattr(bench.fleet, "deploy", slow)
    _, job = await create(bench, ["1"], virtual=True)
    await asyncio.wait_for(deploying.wait(), 10)
    await bench.engine.cancel(job)
    go_on.set()
    await bench.log.wait_for("job.cancelled")

    assert [ItemState.CANCELLED] == await states(bench, job)
    assert 0 == await bench.db.read(lambda tx: stations.count(tx))


@pytest.mark.parametrize("virtual", [False, True])
async def test_a_cancel_that_comes_first_leaves_no_station(bench: Bench, monkeypatch, virtual):
    real, running, go_on = StationCreateRunner.run, asyncio.Event(), asyncio.Event()

    async def slow(self, job, item, intent, on_sent):
        running.set()
        await go_on.wait()
        return await real(self, job, item, intent, on_sent)

    monkeypatch.setattr(StationCreateRunner, "run", slow)
    _, job = await create(bench, ["1"], virtual=virtual)
    await asyncio.wait_for(running.wait(), 10)
    await bench.engine.cancel(job)
    go_on.set()
    await asyncio.gather(*bench.engine._board.tasks, *bench.engine._board.settling)

    assert [ItemState.CANCELLED] == await states(bench, job)
    assert 0 == await bench.db.read(lambda tx: stations.count(tx))


async def test_a_job_that_fails_in_the_sweep_keeps_no_item_back(bench: Bench):
    made = [await bench.station(f"S{number}") for number in range(3)]
    job = (await bench.engine.submit(order(made, policy=Policy(abort_after=1)))).job
    for crash in range(1, 6):
        await bench.stations.delivered(3 * crash)
        await bench.restart()
        for station in made:
            bench.stations.connect(station.id)
    await bench.log.wait_for("job.failed")

    found = await rows(bench, job)
    assert JobState.FAILED == found.job.state
    assert ["crash_loop", "interrupted", "interrupted"] == [row.item.code for row in found.rows]


# ---- stopping the engine ---------------------------------------------------------------------


async def test_a_stop_gives_back_what_it_claimed_and_did_not_send(bench: Bench):
    station = await bench.station("reset-me")
    bench.stations.busy.add(station.id)
    job = (await bench.engine.submit(order([station], RESET))).job
    await bench.until(lambda tx: bench.engine._board.blocked)
    async with writer_held(bench.db):
        bench.stations.busy.clear()
        bench.engine._board.unblock(station.id)
        await queued(bench.db, 1)
        stopping = asyncio.ensure_future(bench.engine.stop(drain_s=0))
        await asyncio.sleep(0)
    await stopping

    assert [ItemState.READY] == await states(bench, job)
    assert 0 == (await bench.start()).unknown


async def test_a_caller_that_goes_away_leaves_a_job_that_runs(bench: Bench):
    station = await bench.station("S")
    bench.stations.automatic = accepted
    async with writer_held(bench.db):
        submitting = asyncio.ensure_future(bench.engine.submit(order([station])))
        await queued(bench.db, 1)
        submitting.cancel()
    await bench.log.wait_for("job.done")


async def test_a_refused_submission_is_no_failure_of_the_engine(bench: Bench, capsys):
    bench.settings = EngineSettings(max_open_items=0)
    await bench.restart()
    with pytest.raises(Exception, match="too many open job items"):
        await bench.engine.submit(order([await bench.station("S")]))
    assert "failed" not in capsys.readouterr().out


# ---- saying what is true ---------------------------------------------------------------------


async def test_a_station_that_vanished_after_an_attempt_is_not_called_never_sent(bench: Bench):
    station = await bench.station("vanishes")
    job = (await bench.engine.submit(order([station]))).job
    await bench.stations.delivered(1)
    bench.stations.drop(station.id)
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)
    bench.advance(600)
    await bench.log.wait_for("job.done")

    found = await rows(bench, job)
    assert (ItemState.ERROR, "offline") == (found.rows[0].item.state, found.rows[0].item.code)


# ---- late answers and evidence ---------------------------------------------------------------


async def test_an_answer_right_behind_its_timeout_counts(bench: Bench):
    station = await bench.station("slow")
    job = (await bench.engine.submit(order([station], RESET))).job
    (call,) = await bench.stations.delivered(1)

    bench.stations.time_out(call)
    bench.stations.late(call, {"status": "Accepted"})
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] == await states(bench, job)


async def test_a_late_refusal_ends_an_item_that_waits_for_its_station(bench: Bench):
    station = await bench.station("slow")
    job = (await bench.engine.submit(order([station], policy=WAIT))).job
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)
    bench.stations.drop(station.id)
    bench.advance(600)
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")

    bench.bus.publish(LateAnswer(station.id, call.message_id, None, "NotSupported"))
    await bench.log.wait_for("job.done")

    assert [ItemState.ERROR] == await states(bench, job)


async def test_evidence_from_before_the_window_opened_is_found_at_once(bench: Bench):
    station = await bench.station("starts")
    start = {"idTag": "TAG", "connectorId": 1}
    remote = type(RESET)(version=RESET.version, action="RemoteStartTransaction", payload=start)
    job = (await bench.engine.submit(order([station], remote))).job
    (call,) = await bench.stations.delivered(1)
    bench.clock.advance(1)
    await bench.db.write(
        lambda tx: tx.run(
            "INSERT INTO transactions (uuid, station_id, evse_id, station_transaction_id,"
            " id_token_key, started_at, start_received_at) VALUES ('u', ?, 1, '7', 'tag', ?, ?)",
            (station.id, tx.now, tx.now),
        )
    )
    bench.stations.time_out(call)
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] == await states(bench, job)


# ---- storage ---------------------------------------------------------------------------------


async def test_a_result_waits_for_space_on_the_disk(bench: Bench):
    station = await bench.station("S")
    job = (await bench.engine.submit(order([station]))).job
    (call,) = await bench.stations.delivered(1)
    fill(bench.db)

    call.answer.set_result({"status": "Accepted"})
    await refused(bench.db, 3)
    heal(bench.db)
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] == await states(bench, job)


async def test_news_of_a_station_wait_for_space_on_the_disk(bench: Bench):
    station = await bench.station("S", connect=False)
    bench.stations.automatic = accepted
    job = (await bench.engine.submit(order([station], policy=WAIT))).job
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")
    fill(bench.db)

    bench.stations.connect(station.id)
    await refused(bench.db, 3)
    heal(bench.db)
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] == await states(bench, job)


async def test_a_stop_does_not_wait_for_space_on_the_disk(bench: Bench):
    station = await bench.station("S")
    job = (await bench.engine.submit(order([station]))).job
    (call,) = await bench.stations.delivered(1)
    fill(bench.db)
    call.answer.set_result({"status": "Accepted"})
    await refused(bench.db, 1)

    await asyncio.wait_for(bench.engine.stop(drain_s=0.1), 10)

    assert [ItemState.IN_FLIGHT] == await states(bench, job)
    for task in tuple(bench.engine._board.settling):
        task.cancel()  # its process is gone
    heal(bench.db)
    assert 1 == (await bench.start()).resumed


async def test_a_failed_disk_stops_the_engine_and_not_the_loop(bench: Bench):
    station = await bench.station("S")
    job = (await bench.engine.submit(order([station]))).job
    (call,) = await bench.stations.delivered(1)
    bench.db._failed = True

    call.answer.set_result({"status": "Accepted"})
    await asyncio.wait_for(bench.engine.stop(drain_s=5), 10)
    with pytest.raises(StorageFailed):
        await bench.engine._db.write(lambda tx: None)

    assert [ItemState.IN_FLIGHT] == await states(bench, job)
    bench.db._failed = False


# ---- limits of memory ------------------------------------------------------------------------


async def test_more_busy_stations_than_memory_holds_are_all_served(bench: Bench, monkeypatch):
    monkeypatch.setattr(dispatcher, "MAX_HELD", 4)
    monkeypatch.setattr(dispatcher, "PAGE", 3)
    made = [await bench.station(f"S{number}") for number in range(20)]
    bench.stations.busy.update(station.id for station in made)
    bench.stations.automatic = accepted
    job = (await bench.engine.submit(order(made))).job
    await bench.until(lambda tx: len(bench.engine._board.blocked) >= 4)
    for station in made:
        bench.stations.busy.discard(station.id)
    for station in made:
        bench.stations.become_ready(station.id)
    await bench.log.wait_for("job.done")

    assert {ItemState.SUCCEEDED} == set(await states(bench, job))


async def test_many_waits_that_end_together_are_judged_a_page_at_a_time(bench: Bench, monkeypatch):
    monkeypatch.setattr(dispatcher, "PAGE", 3)
    made = [await bench.station(f"S{number}", connect=False) for number in range(10)]
    policy = Policy(offline=OfflinePolicy.WAIT, expires_in_s=60)
    job = (await bench.engine.submit(order(made, policy=policy))).job
    await bench.until(
        lambda tx: (
            tx.value("SELECT count(*) FROM job_items WHERE state = 'wait_online'") == len(made)
        )
    )
    bench.advance(61)
    await bench.log.wait_for("job.done")

    assert {ItemState.EXPIRED} == set(await states(bench, job))


async def test_an_effect_with_a_bug_is_an_item_that_failed(bench: Bench, monkeypatch):
    def broken(tx: Tx, new: Any) -> Any:
        raise KeyError("a bug")

    monkeypatch.setattr("csms.services.stations.create", broken)
    _, job = await create(bench, ["1", "2"])
    await bench.log.wait_for("job.done")

    found = await rows(bench, job)
    assert ["internal"] * 2 == [row.item.code for row in found.rows]


async def test_an_identity_that_has_become_a_serial_number_is_a_failed_item(bench: Bench):
    await bench.db.write(lambda tx: stations.insert(tx, NewStation("CP-9", serial_number="cp-1")))
    _, job = await create(bench, ["1", "2"])
    await bench.log.wait_for("job.done")

    found = await rows(bench, job)
    assert [
        ("duplicate_identity", "The identity is the serial number of another station"),
        (None, None),
    ] == [(row.item.code, row.item.message) for row in found.rows]


@pytest.mark.parametrize("end", ["expired", "cancelled"])
async def test_what_was_sent_before_a_crash_is_never_called_unsent(bench: Bench, end: str):
    station = await bench.station("A")
    job = (await bench.engine.submit(order([station], policy=Policy(expires_in_s=60)))).job
    await bench.stations.delivered(1)
    await bench.crash()
    bench.grace[station.id] = bench.clock.now() + timedelta(seconds=120)
    await bench.until(lambda tx: tx.value("SELECT interruptions FROM job_items") == 1)

    if end == "cancelled":
        await bench.engine.cancel(job)
    else:
        bench.advance(61)
        await bench.log.wait_for("job.done")

    (row,) = (await rows(bench, job)).rows
    assert (ItemState.ERROR, end, True) == (row.item.state, row.item.code, row.item.retryable)
    assert row.item.message.endswith("an earlier attempt was not answered")


async def test_what_waits_for_its_first_attempt_is_merely_cancelled(bench: Bench):
    station = await bench.station("A", connect=False)
    job = (await bench.engine.submit(order([station], policy=WAIT))).job
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")
    await bench.engine.cancel(job)

    (row,) = (await rows(bench, job)).rows
    assert (ItemState.CANCELLED, "cancelled") == (row.item.state, row.item.code)
