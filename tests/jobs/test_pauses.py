"""A paused job starts nothing, keeps what is in flight, survives a crash, and goes on when told to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from csms.domain.jobs import (
    CLAIMING_JOB_STATES,
    FINAL_JOB_STATES,
    LEGAL_JOB_CHANGES,
    AbortAction,
    ItemState,
    JobState,
    OfflinePolicy,
    PauseReason,
    Policy,
)
from csms.domain.permissions import Principal, Role
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, Conflict, NotFound
from csms.jobs import lifecycle, recovery
from csms.store import job_items, jobs

from . import test_courses as courses
from . import test_sealed_orders as sealed
from .conftest import PRINCIPAL, Bench
from .test_engine import RESET, TRIGGER, accepted, create, order, rows


async def submit(bench: Bench, number: int = 3, *, wanted=TRIGGER, dialect="commands", **policy):
    made = [await bench.station(f"S{n}") for n in range(number)]
    submission = replace(
        order(made, wanted, policy=Policy(**{"max_parallel": 1, "rate_per_min": 1e18, **policy})),
        dialect=dialect,
    )
    return (await bench.engine.submit(submission)).job


async def job_now(bench: Bench, job):
    return await bench.db.read(lambda tx: jobs.get(tx, job.id))


async def states(bench: Bench, job) -> list[ItemState]:
    return [row.item.state for row in (await rows(bench, job)).rows]


async def test_a_paused_job_finishes_what_is_in_flight_and_starts_nothing(bench: Bench):
    job = await submit(bench)
    calls = await bench.stations.delivered(1)

    paused = await bench.engine.pause(job)
    calls[0].answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("item.settled")
    bench.advance(3600)

    assert (JobState.PAUSED, PauseReason.REQUESTED) == (paused.state, paused.pause_reason)
    assert [ItemState.SUCCEEDED, ItemState.READY, ItemState.READY] == await states(bench, job)
    assert 1 == len(bench.stations.calls)
    assert {"reason": "requested"}.items() <= bench.log.events[-2].data.items()


async def test_a_resumed_job_goes_on_to_its_end_under_a_new_run_id(bench: Bench):
    job = await submit(bench)
    (await bench.stations.delivered(1))[0].answer.set_result({"status": "Accepted"})
    paused = await bench.engine.pause(job)
    bench.stations.automatic = accepted

    resumed = await bench.engine.resume(job)
    done = await bench.log.wait_for("job.done")

    assert (JobState.RUNNING, None) == (resumed.state, resumed.pause_reason)
    assert paused.workflow_run_id != resumed.workflow_run_id
    assert [ItemState.SUCCEEDED] * 3 == await states(bench, job)
    assert done.job_id == job.id


async def test_a_pause_survives_a_crash_with_something_in_flight(bench: Bench):
    job = await submit(bench)
    await bench.stations.delivered(1)
    await bench.engine.pause(job)

    await bench.crash()
    for target in range(1, 4):
        bench.stations.connect(target)
    bench.advance(3600)
    bench.stations.automatic = accepted
    assert [ItemState.READY] * 3 == await states(bench, job)
    assert 1 == len(bench.stations.calls)
    await bench.engine.resume(job)
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] * 3 == await states(bench, job)
    assert 4 == len(bench.stations.calls)


async def test_a_one_shot_in_flight_at_a_crash_is_unknown_in_a_paused_job_too(bench: Bench):
    job = await submit(bench, 2, wanted=RESET)
    await bench.stations.delivered(1)
    await bench.engine.pause(job)

    await bench.crash()
    bench.advance(3600)
    await bench.until(
        lambda tx: job_items.get(tx, job.id, 0).final  # its evidence window closes all the same
    )

    assert [ItemState.UNKNOWN, ItemState.READY] == await states(bench, job)
    assert JobState.PAUSED == (await job_now(bench, job)).state


async def test_a_job_that_ends_with_what_was_in_flight_is_over_and_not_paused(bench: Bench):
    job = await submit(bench, 1)
    calls = await bench.stations.delivered(1)
    await bench.engine.pause(job)

    calls[0].answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done")

    ended = await job_now(bench, job)
    assert (JobState.DONE, None) == (ended.state, ended.pause_reason)


async def test_a_paused_job_can_be_cancelled(bench: Bench):
    job = await submit(bench)
    calls = await bench.stations.delivered(1)
    await bench.engine.pause(job)

    cancelling = await bench.engine.cancel(job)
    calls[0].answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.cancelled")

    assert JobState.CANCELLING == cancelling.state
    wanted = [ItemState.SUCCEEDED, ItemState.CANCELLED, ItemState.CANCELLED]
    assert wanted == await states(bench, job)


async def test_a_station_that_comes_while_its_job_is_paused_is_sent_nothing(bench: Bench):
    station = await bench.station("late", connect=False)
    policy = Policy(offline=OfflinePolicy.WAIT)
    job = (await bench.engine.submit(order([station], policy=policy))).job
    await bench.until(lambda tx: job_items.get(tx, job.id, 0).state is ItemState.WAIT_ONLINE)
    bench.stations.automatic = accepted

    await bench.engine.pause(job)
    bench.stations.connect(station.id)
    await bench.until(lambda tx: job_items.get(tx, job.id, 0).state is ItemState.READY)
    assert [] == bench.stations.calls
    await bench.engine.resume(job)

    await bench.log.wait_for("job.done")


async def test_a_job_paused_between_two_calls_to_a_station_does_not_keep_the_station(bench: Bench):
    made = await courses.station(bench, OcppVersion.V201, "2")
    job = await courses.submit(bench, made, courses.get(3))
    first = (await bench.stations.delivered(1))[0]

    await bench.engine.pause(job)
    first.answer.set_result(courses.values_of(first))
    other = (await bench.engine.submit(order([made], TRIGGER))).job
    second = (await bench.stations.delivered(2))[1]
    assert "TriggerMessage" == second.action
    second.answer.set_result({"status": "Accepted"})
    await bench.engine.settled(other.id, timeout_s=10)
    bench.stations.automatic = courses.values_of
    await bench.engine.resume(job)
    item = await courses.settled(bench, job)

    assert ["V0", "V1", "V2"] == courses.names(item.response, "getVariableResult")
    assert 3 == len(bench.stations.calls)


async def test_a_job_that_waits_for_its_time_goes_on_waiting_after_a_pause(bench: Bench):
    made = [await bench.station("S1")]
    bench.stations.automatic = accepted
    later = bench.clock.now() + timedelta(hours=1)
    job = (await bench.engine.submit(order(made, not_before=later))).job
    assert JobState.SCHEDULED == job.state

    await bench.engine.pause(job)
    assert JobState.SCHEDULED == (await bench.engine.resume(job)).state
    await bench.engine.pause(job)
    bench.advance(3601)
    assert [] == bench.stations.calls
    assert JobState.RUNNING == (await bench.engine.resume(job)).state

    await bench.log.wait_for("job.done")
    assert 1 == sum(event.type == "job.started" for event in bench.log.events)


async def test_a_time_that_is_past_is_no_time_to_wait_for(bench: Bench):
    before = bench.clock.now() - timedelta(hours=1)
    job = (await bench.engine.submit(order([await bench.station("S1")], not_before=before))).job

    assert JobState.ACCEPTED == job.state


async def test_what_is_over_is_neither_paused_nor_resumed(bench: Bench):
    bench.stations.automatic = accepted
    job = await submit(bench, 1)
    await bench.log.wait_for("job.done")

    for act in (bench.engine.pause, bench.engine.resume):
        with pytest.raises(Conflict, match="over"):
            await act(job)


async def test_pausing_and_resuming_twice_changes_nothing_more(bench: Bench):
    job = await submit(bench)
    await bench.stations.delivered(1)

    first, second = await bench.engine.pause(job), await bench.engine.pause(job)
    third, fourth = await bench.engine.resume(job), await bench.engine.resume(job)

    assert (first, third) == (second, fourth)
    told = [event.type for event in bench.log.events if event.type.startswith("job.")]
    assert ["job.accepted", "job.started", "job.paused", "job.resumed"] == told


# ---- the abort threshold ---------------------------------------------------------------------


def refused(call: Any) -> Any:
    return CallRefused("NotSupported", "no")


async def test_a_native_job_pauses_at_its_abort_threshold_and_counts_anew_once_resumed(
    bench: Bench,
):
    bench.stations.automatic = refused
    job = await submit(bench, 5, dialect="native", abort_after=2)

    await bench.log.wait_for("job.paused")
    paused = await job_now(bench, job)
    assert PauseReason.ABORT_THRESHOLD == paused.pause_reason
    assert (2, 3) == (paused.counters.errored, paused.counters.open)
    await bench.engine.resume(job)
    await bench.log.wait_for("job.paused", 2)
    paused = await job_now(bench, job)
    assert (4, 1) == (paused.counters.errored, paused.counters.open)
    bench.stations.automatic = accepted
    await bench.engine.resume(job)
    await bench.log.wait_for("job.done")

    assert 4 == (await job_now(bench, job)).counters.errored


async def test_a_retry_is_not_stopped_by_the_failures_before_it(bench: Bench):
    bench.stations.automatic = refused
    job = await submit(bench, 2, abort_after=1)
    await bench.log.wait_for("job.failed")
    bench.stations.automatic = accepted

    await bench.engine.retry(job)
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] * 2 == await states(bench, job)


@pytest.mark.parametrize(
    ("dialect", "action", "state"),
    [
        ("native", None, JobState.PAUSED),
        ("native", AbortAction.FAIL, JobState.FAILED),
        ("commands", None, JobState.FAILED),
        ("chargers", None, JobState.FAILED),
        ("commands", AbortAction.PAUSE, JobState.PAUSED),
    ],
)
async def test_whether_the_threshold_pauses_or_fails_is_said_or_follows_from_the_dialect(
    bench: Bench, dialect, action, state
):
    bench.stations.automatic = refused
    job = await submit(bench, 3, dialect=dialect, abort_after=1, abort_action=action)

    await bench.log.wait_for(f"job.{state.value}")

    assert state == (await job_now(bench, job)).state


# ---- a new job with what failed --------------------------------------------------------------


async def test_a_retry_as_a_new_job_takes_what_failed_and_leaves_the_old_one(bench: Bench):
    bench.stations.automatic = lambda call: (
        accepted(call) if call.station_id == 1 else CallRefused("NotSupported", "no")
    )
    job = await submit(bench, 3)
    await bench.log.wait_for("job.done")
    before = await rows(bench, job)
    bench.stations.automatic = accepted
    other = Principal("tester", "tester", Role.ADMIN)

    again = (await bench.engine.retry_anew(job, caller=other)).job
    await bench.log.wait_for("job.done", 2)

    assert before == await rows(bench, job)
    found = await rows(bench, again)
    assert [row.item.key for row in before.rows[1:]] == [row.item.key for row in found.rows]
    assert [ItemState.SUCCEEDED] * 2 == [row.item.state for row in found.rows]
    assert (2, job.policy, job.params) == (again.generation, again.policy, again.params)


async def test_a_retry_as_a_new_job_makes_the_stations_that_failed(bench: Bench):
    bench.fleet.reasons = {"CP-1": "refused"}
    _, job = await create(bench, ["1", "2"], virtual=True)
    for attempt in range(1, 5):
        await bench.until(lambda tx, n=attempt: job_items.get(tx, job.id, 0).attempts_used == n)
        bench.advance(700)
    await bench.log.wait_for("job.done")
    bench.fleet.reasons = {}

    again = (await bench.engine.retry_anew(job, caller=PRINCIPAL)).job
    await bench.log.wait_for("job.done", 2)

    found = await rows(bench, again)
    assert ["CP-1"] == [row.station.identity for row in found.rows]


async def test_a_new_job_still_has_what_was_sealed(bench: Bench):
    made, job = await sealed.submit(bench, sealed.IN_OUR_WORDS)
    (await bench.stations.delivered(1))[0].answer.set_exception(CallRefused("NotSupported", "no"))
    await bench.log.wait_for("job.done")

    again = (await bench.engine.retry_anew(job, caller=PRINCIPAL)).job
    call = (await bench.stations.delivered(2))[1]

    assert (made.id, sealed.PAYLOAD) == (call.station_id, call.payload)
    assert again.params == job.params
    assert sealed.CANARY not in await sealed.everything(bench)


async def test_unknown_items_are_taken_only_when_that_is_said(bench: Bench):
    job = await submit(bench, 1, wanted=RESET)
    bench.stations.time_out((await bench.stations.delivered(1))[0])
    await bench.until_window(job)
    bench.advance(121)
    await bench.log.wait_for("job.done")

    with pytest.raises(Conflict) as refusal:
        await bench.engine.retry_anew(job, caller=PRINCIPAL)
    assert "nothing_to_retry" == refusal.value.code
    await bench.engine.retry_anew(job, caller=PRINCIPAL, include_unknown=True)

    assert 2 == len(await bench.stations.delivered(2))


async def test_a_running_job_is_neither_taken_anew_nor_deleted(bench: Bench):
    job = await submit(bench, 1)
    await bench.stations.delivered(1)

    with pytest.raises(Conflict, match="still running"):
        await bench.engine.retry_anew(job, caller=PRINCIPAL)
    with pytest.raises(Conflict, match="still running"):
        await bench.engine.delete(job)


async def test_a_deleted_job_is_gone_with_its_items_and_its_number(bench: Bench):
    bench.stations.automatic = accepted
    job = await submit(bench, 2)
    await bench.log.wait_for("job.done")

    await bench.engine.delete(job)

    with pytest.raises(NotFound):
        await job_now(bench, job)
    left = "SELECT (SELECT count(*) FROM job_items) + (SELECT count(*) FROM job_attempts)"
    assert 0 == await bench.db.read(lambda tx: tx.value(left))
    # Events and stations name a job by its number: it must never mean another one.
    _, later = await create(bench, ["1"])
    assert later.id > job.id


# ---- a backup was put back -------------------------------------------------------------------


async def restored(bench: Bench) -> recovery.Recovered:
    await bench.engine.stop(drain_s=0)
    await bench.db.write(lambda tx: tx.run("UPDATE engine SET restored = 1"))
    bench.stations.online.clear()
    bench.stations.ready.clear()
    return await bench.start()


async def test_after_a_restore_nothing_is_sent_before_somebody_resumes(bench: Bench):
    job = await submit(bench, 3, wanted=RESET)
    await bench.stations.delivered(1)

    found = await restored(bench)
    for target in range(1, 4):
        bench.stations.connect(target)
    bench.stations.automatic = accepted
    bench.advance(3600)
    await bench.until(lambda tx: job_items.get(tx, job.id, 0).final)

    assert found.restored
    paused = await job_now(bench, job)
    assert (JobState.PAUSED, PauseReason.RESTORED) == (paused.state, paused.pause_reason)
    assert [ItemState.UNKNOWN, ItemState.READY, ItemState.READY] == await states(bench, job)
    assert 1 == len(bench.stations.calls)
    await bench.engine.resume(job)
    await bench.log.wait_for("job.done")
    assert 3 == len(bench.stations.calls)


async def test_only_the_first_start_after_a_restore_holds_jobs(bench: Bench):
    job = await submit(bench, offline=OfflinePolicy.WAIT)
    await restored(bench)
    await bench.engine.resume(job)

    assert not (await bench.restart()).restored

    assert JobState.RUNNING == (await job_now(bench, job)).state


async def test_after_a_restore_a_single_command_is_over_its_caller_is_gone(bench: Bench):
    submission = order([await bench.station("S1")], RESET, hidden=True)
    job = (await bench.engine.submit(submission)).job
    await bench.stations.delivered(1)

    await restored(bench)
    bench.advance(3600)
    await bench.until(lambda tx: jobs.get(tx, job.id).finished_at is not None)

    assert [ItemState.UNKNOWN] == await states(bench, job)


# ---- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("from_state", "to_state"), list(product(JobState, JobState)), ids=lambda state: state.value
)
async def test_a_job_changes_exactly_as_the_table_says(bench: Bench, from_state, to_state):
    job = (await bench.engine.submit(order([]))).job

    def move(tx: Any) -> bool:
        tx.run("UPDATE jobs SET state = ? WHERE id = ?", (from_state.value, job.id))
        return lifecycle._move(tx, job, {from_state}, to_state)

    if to_state in LEGAL_JOB_CHANGES[from_state]:
        assert await bench.db.write(move)
    else:
        with pytest.raises(AssertionError, match="illegal change"):
            await bench.db.write(move)


def test_the_table_of_jobs_is_whole():
    assert set(LEGAL_JOB_CHANGES) == set(JobState)
    assert CLAIMING_JOB_STATES.isdisjoint(FINAL_JOB_STATES)
    assert all(LEGAL_JOB_CHANGES[state] == {JobState.RUNNING} for state in FINAL_JOB_STATES)
