"""Shared fixtures: a clock the tests own, a bus, and a real SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from csms.clock import ManualClock
from csms.events import Bus
from csms.store import engine
from csms.store.database import Database
from tests.databases import empty_database

# How long one example takes is up to what else the machine does.
settings.register_profile("csms", deadline=None)
settings.load_profile("csms")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 5, 1, 12, 0, tzinfo=UTC))


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
async def db(tmp_path: Path, clock: ManualClock, bus: Bus) -> AsyncIterator[Database]:
    database = Database(empty_database(tmp_path), clock=clock, bus=bus)
    await database.open()
    await database.write(lambda tx: engine.begin_epoch(tx, "this-boot"))
    yield database
    await database.close()
