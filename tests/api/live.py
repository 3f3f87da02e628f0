"""The API with virtual stations that boot when the test lets them, and shorthands to use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from csms.api.deps import Deps
from csms.clock import ManualClock
from csms.domain.permissions import Role
from csms.domain.sealing import Seal
from csms.domain.stations import NewStation, Station
from csms.events import Bus
from csms.jobs.crash import CrashPoints
from csms.jobs.engine import Engine
from csms.jobs.kinds.command import CommandRunner
from csms.jobs.kinds.station_create import StationCreateRunner
from csms.jobs.settings import EngineSettings
from csms.services import stations as station_service
from csms.services import tokens
from csms.store import engine as store_engine
from csms.store.database import Database
from tests.api.conftest import Api, ScriptedHub
from tests.jobs.conftest import ScriptedFleet


class HoldableFleet(ScriptedFleet):
    """Virtual stations whose boot can be held back."""

    def __init__(self) -> None:
        super().__init__()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def verify(self, station: Station) -> str | None:
        await self._open.wait()
        return await super().verify(station)


@dataclass
class Live:
    """REST calls, and everything behind them."""

    api: Api
    hub: ScriptedHub
    fleet: HoldableFleet
    clock: ManualClock
    deps: Deps

    def settings(self, **changed: Any) -> None:
        self.deps.settings = replace(self.deps.settings, **changed)

    async def ok(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer that must have this status."""
        response = await self.api.request(method, path, **more)
        assert status == response.status, await response.text()
        return await response.json()

    async def location(self, name: str = "Depot") -> dict[str, Any]:
        return await self.ok("POST", "/ocpp/locations", 201, json={"name": name})

    async def station(self, identity: str, **more: Any) -> Station:
        new = NewStation(identity, **more)
        return await self.deps.db.write(lambda tx: station_service.create(tx, new))

    async def token(self, name: str, role: Role, *location_ids: int) -> str:
        """A token bound to locations; its name is then a role for `api`."""
        _, bearer = await self.deps.db.write(
            lambda tx: tokens.create(tx, name=name, role=role, location_ids=frozenset(location_ids))
        )
        self.api.bearers[name] = bearer
        return bearer

    async def poll(self, path: str, until: Callable[[Any], bool], **more: Any) -> Any:
        """Ask until the answer is as wanted; every commit in between is progress."""
        async with asyncio.timeout(20):
            # Each answer is a round trip through the server: no busy loop, no nap.
            while not until(body := await self.ok("GET", path, **more)):  # noqa: ASYNC110
                await asyncio.sleep(0)
        return body


@pytest.fixture
def fleet() -> HoldableFleet:
    return HoldableFleet()


@pytest.fixture
async def engine(
    db: Database, bus: Bus, clock: ManualClock, hub: ScriptedHub, fleet: HoldableFleet
) -> AsyncIterator[Engine]:
    running = Engine(
        db=db,
        bus=bus,
        clock=clock,
        kinds={
            "command": CommandRunner(
                hub,
                clock,
                read=db.read,
                call_timeout_s=30,
                in_grace=lambda _: None,
                seal=Seal(b"k" * 32),
            ),
            "station_create": StationCreateRunner(read=db.read, deployment=fleet, max_virtual=2000),
        },
        epoch=await db.read(store_engine.epoch),
        settings=EngineSettings(),
        random=Random(1),
        crash=CrashPoints(),
    )
    await running.start()
    yield running
    await running.stop(drain_s=0)


@pytest.fixture
def live(api: Api, hub: ScriptedHub, fleet: HoldableFleet, clock: ManualClock, deps: Deps) -> Live:
    return Live(api, hub, fleet, clock, deps)
