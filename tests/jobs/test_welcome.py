"""Stations that were accepted without a password are told one, whatever happened since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from csms.domain.stations import Station
from csms.events import Event
from csms.jobs.welcome import Welcome
from csms.services import credentials
from csms.services.onboarding import Window

from .conftest import Bench


@pytest.fixture
async def bare(bench: Bench) -> Station:
    """It was accepted before the server started."""
    station = await bench.station("bare")
    await bench.db.write(lambda tx: credentials.store_none_yet(tx, station.id, "192.0.2.1"))
    return station


@pytest.fixture
async def welcome(bench: Bench, bare: Station) -> AsyncIterator[Welcome]:
    assert bench.engine is not None
    window = Window(bench.clock)
    made = Welcome(db=bench.db, bus=bench.bus, engine=bench.engine, window=window)
    await made.start()
    yield made
    await made.close()


async def boot(bench: Bench, welcome: Welcome, station: Station) -> None:
    event = Event("station.booted", {}, station_id=station.id)
    await bench.db.write(lambda tx: tx.emit(event))
    await asyncio.gather(*welcome._tasks)


async def jobs(bench: Bench) -> int:
    number: int = await bench.db.read(lambda tx: tx.value("SELECT count(*) FROM jobs"))
    return number


async def test_one_accepted_before_a_restart_is_told_one_password_at_a_time(
    bench: Bench, welcome: Welcome, bare: Station
) -> None:
    await boot(bench, welcome, bare)
    (call,) = await bench.stations.delivered(1)
    assert "ChangeConfiguration" == call.action
    await boot(bench, welcome, bare)
    assert 1 == await jobs(bench)


async def test_one_that_has_a_password_by_now_is_told_none(
    bench: Bench, welcome: Welcome, bare: Station
) -> None:
    await bench.db.write(lambda tx: credentials.rotate(tx, bare.id))
    await boot(bench, welcome, bare)
    assert 0 == await jobs(bench)


async def test_one_accepted_from_now_on_is_told_one(bench: Bench, welcome: Welcome) -> None:
    station = await bench.station("later")
    await boot(bench, welcome, station)
    assert 0 == await jobs(bench)
    await bench.db.write(lambda tx: credentials.store_none_yet(tx, station.id, "192.0.2.1"))
    accepted = Event("station.accepted", {}, station_id=station.id)
    await bench.db.write(lambda tx: tx.emit(accepted))
    await boot(bench, welcome, station)
    assert 1 == await jobs(bench)
