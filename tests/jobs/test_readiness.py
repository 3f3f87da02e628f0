"""Stations that are not ready, and what is tried again or is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.jobs import ItemState, JobState, OfflinePolicy, Policy
from csms.errors import Conflict

from .conftest import Bench
from .test_engine import accepted, order, rows


async def test_a_station_that_is_not_ready_is_waited_for_but_not_for_ever(bench: Bench):
    station = await bench.station("pending", connect=False)
    bench.stations.connect(station.id, ready=False)
    submitted = await bench.engine.submit(order([station]))
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")

    bench.stations.patience_s = 0
    bench.advance(61)
    await bench.log.wait_for("job.done")

    (row,) = (await rows(bench, submitted.job)).rows
    assert (ItemState.OFFLINE, "not_ready") == (row.item.state, row.item.code)
    assert "the station is connected, but its registration is Pending" == row.item.message
    assert row.item.retryable


async def test_who_waits_for_a_station_waits_until_it_is_accepted(bench: Bench):
    station = await bench.station("pending", connect=False)
    bench.stations.connect(station.id, ready=False)
    bench.stations.patience_s = 0
    bench.stations.automatic = accepted
    submitted = await bench.engine.submit(
        order([station], policy=Policy(offline=OfflinePolicy.WAIT))
    )
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")

    bench.advance(10_000)
    bench.stations.become_ready(station.id)
    await bench.log.wait_for("job.done")

    assert ItemState.SUCCEEDED == (await rows(bench, submitted.job)).rows[0].item.state


async def test_an_item_that_expired_has_a_deadline_again_when_it_is_retried(bench: Bench):
    station = await bench.station("never", connect=False)
    job = (
        await bench.engine.submit(
            order([station], policy=Policy(offline=OfflinePolicy.WAIT, expires_in_s=60))
        )
    ).job
    await bench.log.wait_for("job.started")
    bench.advance(61)
    await bench.log.wait_for("job.done")

    await bench.engine.retry(job)
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")
    (row,) = (await rows(bench, job)).rows
    assert bench.clock.now() + timedelta(seconds=60) == row.item.deadline_at
    bench.advance(61)
    await bench.log.wait_for("job.done", 2)

    assert ItemState.EXPIRED == (await rows(bench, job)).rows[0].item.state


async def test_there_is_nothing_to_try_again(bench: Bench):
    bench.stations.automatic = accepted
    job = (await bench.engine.submit(order([await bench.station("done")]))).job
    await bench.log.wait_for("job.done")

    with pytest.raises(Conflict) as refusal:
        await bench.engine.retry(job)
    assert "nothing_to_retry" == refusal.value.code
    assert JobState.DONE == (await rows(bench, job)).job.state
