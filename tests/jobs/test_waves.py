"""Waves, the gates between them, and how many stations of one location are busy at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from csms.domain.jobs import (
    Gate,
    ItemState,
    Job,
    JobState,
    OfflinePolicy,
    PauseReason,
    Policy,
    Submission,
    Wave,
)
from csms.errors import CallRefused
from csms.jobs import waves
from csms.store import job_items, jobs, locations

from .conftest import Bench
from .test_engine import accepted, order, rows
from .test_pauses import job_now, states, submit

CANARY = (Wave(count=1),)


@pytest.mark.parametrize(
    ("wanted", "number", "begins"),
    [
        ((), 10, []),
        ((Wave(count=3),), 10, [3]),
        ((Wave(percent=10),), 10, [1]),
        ((Wave(percent=1),), 10, [1]),
        ((Wave(count=1), Wave(percent=25), Wave(percent=50)), 10, [1, 4, 9]),
        ((Wave(count=10),), 10, []),
        ((Wave(count=7), Wave(count=7)), 10, [7]),
        ((Wave(percent=100),), 10, []),
        ((Wave(count=1),), 0, []),
    ],
)
def test_what_the_waves_leave_over_is_the_last_one(wanted, number, begins):
    assert begins == waves.begins(wanted, range(number))


def test_a_wave_is_counted_in_items_that_run_not_in_those_that_never_do():
    assert [7] == waves.begins((Wave(count=2),), [1, 4, 7, 8])


async def test_the_next_wave_opens_with_the_last_result_of_the_one_before(bench: Bench):
    job = await submit(bench, 6, max_parallel=9, waves=(Wave(count=1), Wave(count=2)))
    assert (1, (1, 3), 5) == (job.wave, job.wave_begins, job.counters.held)
    first = (await bench.stations.delivered(1))[0]
    held = [ItemState.HELD] * 5
    assert [ItemState.IN_FLIGHT, *held] == await states(bench, job)

    first.answer.set_result({"status": "Rejected"})
    second, third = (await bench.stations.delivered(3))[1:]
    second.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("item.settled", 2)
    now = await job_now(bench, job)
    assert (2, 3, 4) == (now.wave, now.counters.held, now.counters.open)
    assert 3 == len(bench.stations.calls)
    bench.stations.automatic = accepted
    third.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done")

    assert [2, 3] == [
        event.data["wave"] for event in bench.log.events if event.type == "job.wave_opened"
    ]
    found = await rows(bench, job)
    assert (0, 5, 1) == (
        found.job.counters.held,
        found.job.counters.succeeded,
        found.job.counters.rejected,
    )


async def test_a_gate_that_pauses_waits_for_somebody(bench: Bench):
    bench.stations.automatic = accepted
    job = await submit(bench, 3, waves=CANARY, gate=Gate.PAUSE)

    await bench.log.wait_for("job.paused")
    paused = await job_now(bench, job)
    assert (JobState.PAUSED, PauseReason.WAVE, 2) == (
        paused.state,
        paused.pause_reason,
        paused.counters.held,
    )
    assert [ItemState.SUCCEEDED, ItemState.HELD, ItemState.HELD] == await states(bench, job)
    resumed = await bench.engine.resume(job)
    assert (JobState.RUNNING, 2, 0) == (resumed.state, resumed.wave, resumed.counters.held)
    await bench.log.wait_for("job.done")

    assert [ItemState.SUCCEEDED] * 3 == await states(bench, job)


async def test_a_gate_survives_a_crash(bench: Bench):
    bench.stations.automatic = accepted
    job = await submit(bench, 3, waves=CANARY, gate=Gate.PAUSE)
    await bench.log.wait_for("job.paused")

    await bench.crash()
    for target in range(1, 4):
        bench.stations.connect(target)
    bench.advance(3600)
    assert 1 == len(bench.stations.calls)
    await bench.engine.resume(job)

    await bench.log.wait_for("job.done")


async def test_an_unknown_outcome_keeps_the_wave_open_until_its_window_closes(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(2)]
    reset = order(made, policy=Policy(waves=CANARY))
    reset = replace(
        reset, params={"version": "1.6", "action": "Reset", "payload": {"type": "Soft"}}
    )
    job = (await bench.engine.submit(reset)).job
    bench.stations.time_out((await bench.stations.delivered(1))[0])
    await bench.until_window(job)
    assert [ItemState.UNKNOWN, ItemState.HELD] == await states(bench, job)

    bench.advance(121)

    assert made[1].id == (await bench.stations.delivered(2))[1].station_id


async def test_a_pause_in_a_wave_does_not_open_the_next_by_itself(bench: Bench):
    job = await submit(bench, 2, waves=CANARY)
    first = (await bench.stations.delivered(1))[0]
    await bench.engine.pause(job)
    first.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("item.settled")
    assert [ItemState.SUCCEEDED, ItemState.HELD] == await states(bench, job)
    bench.stations.automatic = accepted

    await bench.engine.resume(job)
    await bench.log.wait_for("job.done")


async def test_a_canary_that_fails_stops_the_job_before_the_next_wave(bench: Bench):
    bench.stations.automatic = lambda _: CallRefused("NotSupported", "no")
    job = await submit(bench, 5, waves=(Wave(count=2),), dialect="native", abort_after=2)

    await bench.log.wait_for("job.paused")

    paused = await job_now(bench, job)
    assert (PauseReason.ABORT_THRESHOLD, 3) == (paused.pause_reason, paused.counters.held)
    await bench.engine.cancel(job)
    await bench.log.wait_for("job.cancelled")
    found = await rows(bench, job)
    assert (2, 3, 0) == (
        found.job.counters.errored,
        found.job.counters.cancelled,
        found.job.counters.held,
    )


async def test_a_retry_has_waves_of_its_own(bench: Bench):
    bench.stations.automatic = lambda call: (
        accepted(call) if call.station_id == 2 else CallRefused("NotSupported", "no")
    )
    job = await submit(bench, 4, waves=CANARY, gate=Gate.PAUSE)
    await bench.log.wait_for("job.paused")
    await bench.engine.resume(job)
    await bench.log.wait_for("job.done")
    bench.stations.automatic = accepted

    again = await bench.engine.retry(job)
    await bench.log.wait_for("job.paused", 2)

    assert (1, (2,), 2) == (again.wave, again.wave_begins, again.counters.held)
    wanted = [ItemState.SUCCEEDED, ItemState.SUCCEEDED, ItemState.HELD, ItemState.HELD]
    assert wanted == await states(bench, job)
    await bench.engine.resume(job)
    await bench.log.wait_for("job.done", 2)


# ---- locations -------------------------------------------------------------------------------


async def at_locations(bench: Bench, *places: str | None):
    """A station for each place by name."""
    made = {
        name: await bench.db.write(lambda tx, name=name: locations.insert(tx, name=name, slug=name))
        for name in dict.fromkeys(places)
        if name is not None
    }
    return [
        await bench.station(f"S{n}", location_id=None if name is None else made[name].id)
        for n, name in enumerate(places)
    ]


async def go(bench: Bench, submission: Submission) -> Job:
    job = (await bench.engine.submit(submission)).job
    bench.advance(1)  # turns are microseconds apart
    return job


async def test_of_one_location_no_more_than_so_many_are_busy_at_once(bench: Bench):
    made = await at_locations(bench, "a", "a", "a", "b", None, None)
    policy = Policy(per_location_parallel=1)
    job = await go(bench, order(made, policy=policy))

    calls = list(await bench.stations.delivered(4))
    wanted = [made[n].id for n in (0, 3, 4, 5)]
    assert wanted == sorted(call.station_id for call in calls)
    calls[0].answer.set_result({"status": "Accepted"})
    second = (await bench.stations.delivered(5))[4]
    assert made[1].id == second.station_id
    bench.stations.automatic = accepted
    for call in bench.stations.calls:
        if not call.answer.done():
            call.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done")

    assert 6 == (await job_now(bench, job)).counters.succeeded


async def test_a_station_that_is_offline_holds_up_nobody_at_its_location(bench: Bench):
    made = await at_locations(bench, "a", "a", "a", "a")
    policy = Policy(per_location_parallel=1)
    job = await go(bench, order(made, policy=policy))
    first = (await bench.stations.delivered(1))[0]
    bench.stations.drop(made[1].id)
    bench.stations.busy.add(made[2].id)

    first.answer.set_result({"status": "Accepted"})
    last = (await bench.stations.delivered(2))[1]
    assert made[3].id == last.station_id
    bench.stations.busy.clear()
    bench.stations.automatic = accepted
    last.answer.set_result({"status": "Accepted"})
    bench.stations.become_ready(made[2].id)
    await bench.log.wait_for("job.done")

    counters = (await job_now(bench, job)).counters
    assert (3, 1) == (counters.succeeded, counters.offline)


async def test_locations_take_turns_however_the_stations_were_named(bench: Bench):
    made = await at_locations(bench, *"aaabbbccc")
    policy = Policy(max_parallel=3, per_location_parallel=2)
    job = await go(bench, order(made, policy=policy))

    calls = await bench.stations.delivered(3)

    assert [0, 3, 6] == sorted(
        made.index(next(s for s in made if s.id == c.station_id)) for c in calls
    )
    order_of = await bench.db.read(
        lambda tx: [item.seq for item in job_items.list_ready(tx, job.id, now=2**61, limit=99)]
    )
    assert [1, 4, 7, 2, 5, 8] == order_of


async def test_many_stations_of_few_locations_never_crowd_one(bench: Bench):
    made = await at_locations(bench, *("abcde"[n % 5 if n % 3 else 0] for n in range(300)))
    place = {station.id: station.location_id for station in made}
    flying: Counter[Any] = Counter()
    most: Counter[Any] = Counter()

    def answer(call: Any) -> dict[str, str]:
        at = place[call.station_id]
        rows_say = sum(place[other] == at for other in bench.stations.busy)
        most[at] = max(most[at], rows_say)
        flying[at] += 1
        return {"status": "Accepted"}

    bench.stations.automatic = answer
    policy = Policy(per_location_parallel=2)
    job = await go(bench, order(made, policy=policy))
    await bench.log.wait_for("job.done")

    assert 300 == (await bench.db.read(lambda tx: jobs.get(tx, job.id))).counters.succeeded
    assert 300 == sum(flying.values())
    assert max(most.values()) <= 2


async def test_a_crowd_at_one_location_hides_nobody_behind_it(bench: Bench):
    made = await at_locations(bench, *("a" * 150), "b")
    for station in made:
        bench.stations.drop(station.id)
    policy = Policy(per_location_parallel=1, offline=OfflinePolicy.WAIT)
    job = await go(bench, order(made, policy=policy))
    await bench.until(lambda tx: len(job_items.list_waiting_targets(tx)) == 151)
    await bench.engine.pause(job)
    for station in made:
        bench.stations.connect(station.id)
    await bench.until(lambda tx: job_items.list_waiting_targets(tx) == [])

    await bench.engine.resume(job)  # all are due in one moment, and those of one place first

    assert {made[0].id, made[150].id} == {
        call.station_id for call in await bench.stations.delivered(2)
    }
    bench.stations.automatic = accepted
    for call in bench.stations.calls:
        call.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done")
    assert 151 == (await job_now(bench, job)).counters.succeeded
