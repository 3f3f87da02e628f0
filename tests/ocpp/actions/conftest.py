"""Two registered stations with a connection each, and ways to look at what was stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog

from csms.clock import ManualClock
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp.context import StationContext
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store import stations
from csms.store.database import Database

Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
Connect = Callable[..., Awaitable[StationContext]]


@pytest.fixture
def connect(db: Database, bus: Bus, clock: ManualClock) -> Connect:
    async def make(
        identity: str, version: OcppVersion = OcppVersion.V16, **settings: Any
    ) -> StationContext:
        row = await db.write(lambda tx: stations.insert(tx, NewStation(identity)))
        return StationContext(
            db=db,
            bus=bus,
            clock=clock,
            settings=OcppSettings(**settings),
            heartbeats=Heartbeats(db, clock),
            epoch=1,
            station_id=row.id,
            identity=identity,
            version=version,
            generation=7,
            address="192.0.2.1",
            strict=False,
            log=structlog.get_logger("test"),
            registration=row.registration,
        )

    return make


@pytest.fixture
async def station(connect: Connect) -> StationContext:
    return await connect("GARAGE-1")


@pytest.fixture
async def neighbour(connect: Connect) -> StationContext:
    return await connect("GARAGE-2")


@pytest.fixture
def rows(db: Database) -> Rows:
    async def read(sql: str, *params: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await db.read(lambda tx: tx.all(sql, params))]

    return read
