"""A running engine over a real database, with scripted stations in place of sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from csms.clock import ManualClock
from csms.domain.permissions import Principal, Role
from csms.domain.sealing import Seal
from csms.domain.stations import NewStation, Station
from csms.domain.tokens import TokenSource
from csms.domain.versions import OcppVersion
from csms.errors import CallTimeout, ConnectionLost, StationOffline
from csms.events import Bus, Event, LateAnswer, SlotFree, StationGone, StationReady
from csms.jobs import recovery
from csms.jobs.crash import CrashPoints
from csms.jobs.engine import Engine
from csms.jobs.kinds import id_token_import, station_delete, station_update
from csms.jobs.kinds.command import CommandRunner
from csms.jobs.kinds.config_template import ConfigTemplateRunner
from csms.jobs.kinds.password_rotation import PasswordRunner
from csms.jobs.kinds.station_create import StationCreateRunner
from csms.jobs.settings import EngineSettings
from csms.ocpp.presence import Unready
from csms.services import stations as station_service
from csms.services.credentials import Passwords
from csms.store import tokens
from csms.store.database import Database

PRINCIPAL = Principal("tester", "tester", Role.ADMIN)


@dataclass
class Delivered:
    """A CALL as a scripted station saw it."""

    station_id: int
    message_id: str
    action: str
    payload: dict[str, Any]
    answer: asyncio.Future[dict[str, Any]]


@dataclass
class ScriptedStations:
    """Stands where the hub stands; a test decides who is online and what is answered."""

    bus: Bus
    online: dict[int, int] = field(default_factory=dict)
    ready: set[int] = field(default_factory=set)
    patience_s: float = 60.0
    """What is left of it for stations that are connected and not ready."""
    busy: set[int] = field(default_factory=set)
    versions: dict[int, OcppVersion] = field(default_factory=dict)
    calls: list[Delivered] = field(default_factory=list)
    automatic: Callable[[Delivered], Any] | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    generations: int = 0

    def connect(self, station_id: int, *, ready: bool = True) -> None:
        self.generations += 1
        self.online[station_id] = self.generations
        if ready:
            self.become_ready(station_id)

    def become_ready(self, station_id: int) -> None:
        self.ready.add(station_id)
        self.bus.publish(StationReady(station_id))

    def drop(self, station_id: int) -> None:
        self.online.pop(station_id, None)
        self.ready.discard(station_id)
        for call in self.calls:
            if call.station_id == station_id and not call.answer.done():
                call.answer.set_exception(ConnectionLost("lost"))
        self.bus.publish(StationGone(station_id))

    def is_connected(self, station_id: int) -> bool:
        return station_id in self.online

    def is_ready(self, station_id: int) -> bool:
        return station_id in self.ready

    def unready(self, station_id: int) -> Unready | None:
        if station_id not in self.online or station_id in self.ready:
            return None
        return Unready(self.patience_s, "its registration is Pending")

    def slot_free(self, station_id: int) -> bool:
        return station_id in self.ready and station_id not in self.busy

    def generation(self, station_id: int) -> int | None:
        return self.online.get(station_id)

    def version(self, station_id: int) -> OcppVersion | None:
        if station_id not in self.online:
            return None
        return self.versions.get(station_id, OcppVersion.V16)

    async def call(
        self, station_id, *, action, payload, message_id, timeout_s, generation=None, on_sent=None
    ) -> dict[str, Any]:
        if self.online.get(station_id) != generation:
            raise StationOffline("offline")
        assert station_id not in self.busy, "two CALLs in flight to one station"
        self.busy.add(station_id)
        call = Delivered(
            station_id, message_id, action, payload, asyncio.get_running_loop().create_future()
        )
        self.calls.append(call)
        if on_sent is not None:
            on_sent()
        self.arrived.set()
        try:
            if self.automatic is not None:
                answer = self.automatic(call)
                if isinstance(answer, BaseException):
                    raise answer
                if answer is not None:
                    return answer
            return await call.answer
        finally:
            self.busy.discard(station_id)
            self.bus.publish(SlotFree(station_id))

    async def delivered(self, number: int) -> list[Delivered]:
        while len(self.calls) < number:
            self.arrived.clear()
            async with asyncio.timeout(10):
                await self.arrived.wait()
        return self.calls

    def late(self, call: Delivered, payload: dict[str, Any]) -> None:
        self.bus.publish(LateAnswer(call.station_id, call.message_id, payload, None))

    def time_out(self, call: Delivered) -> None:
        call.answer.set_exception(CallTimeout("no answer"))


@dataclass
class ScriptedFleet:
    """Stands where the fleet of virtual stations stands."""

    deployed: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    async def deploy(self, station: Station) -> None:
        self.deployed.append(station.identity)

    async def verify(self, station: Station) -> str | None:
        return self.reasons.get(station.identity)


class EventLog:
    """Collects stored events, and lets a test wait for one."""

    def __init__(self, bus: Bus) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()
        bus.subscribe(Event, self._on_event)

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def wait_for(self, type_: str, number: int = 1) -> Event:
        async with asyncio.timeout(20):
            while True:
                found = [event for event in self.events if event.type == type_]
                if len(found) >= number:
                    return found[number - 1]
                self._news.clear()
                await self._news.wait()


@dataclass
class Bench:
    """A running engine and everything around it."""

    db: Database
    bus: Bus
    clock: ManualClock
    stations: ScriptedStations
    fleet: ScriptedFleet
    log: EventLog
    engine: Engine | None = None
    grace: dict[int, Any] = field(default_factory=dict)
    max_virtual: int = 2000
    settings: EngineSettings = field(default_factory=lambda: EngineSettings(storage_retry_s=0.01))

    def kinds(self):
        return {
            **{
                kind.name: kind(
                    self.stations,
                    self.clock,
                    read=self.db.read,
                    call_timeout_s=30,
                    in_grace=self.grace.get,
                    seal=Seal(b"i" * 32),
                )
                for kind in (CommandRunner, ConfigTemplateRunner)
            },
            "station_create": StationCreateRunner(
                read=self.db.read, deployment=self.fleet, max_virtual=self.max_virtual
            ),
            "password_rotation": PasswordRunner(
                self.stations,
                self.clock,
                db=self.db,
                passwords=Passwords(self.db, b"i" * 32),
                call_timeout_s=30,
                in_grace=self.grace.get,
            ),
            "station_update": station_update.runner(),
            "station_delete": station_delete.runner(),
            "id_token_import": id_token_import.runner(),
        }

    async def start(self) -> recovery.Recovered:
        kinds = self.kinds()
        found = await self.db.write(lambda tx: recovery.sweep(tx, boot_id="this-boot", kinds=kinds))
        self.engine = Engine(
            db=self.db,
            bus=self.bus,
            clock=self.clock,
            kinds=kinds,
            epoch=found.epoch,
            settings=self.settings,
            random=Random(1),
            crash=CrashPoints(),
        )
        await self.engine.start()
        return found

    async def restart(self) -> recovery.Recovered:
        """As after a crash: nothing is settled, every socket is gone."""
        assert self.engine is not None
        await self.engine.stop(drain_s=0)
        self.stations.online.clear()
        self.stations.ready.clear()
        self.stations.busy.clear()
        return await self.start()

    async def crash(self) -> recovery.Recovered:
        """As kill -9: no task goes on, no write that is queued happens, the file is reopened."""
        assert self.engine is not None
        board = self.engine._board
        for unsubscribe in self.engine._unsubscribe:
            unsubscribe()
        lost = [task for task in (self.engine._main, *board.tasks, *board.settling) if task]
        for task in lost:
            task.cancel()
        await kill(self.db)
        await asyncio.gather(*lost, return_exceptions=True)
        self.stations.online.clear()
        self.stations.ready.clear()
        self.stations.busy.clear()
        await self.db.open()
        return await self.start()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        assert self.engine is not None
        self.engine.look_again()

    async def until(self, condition: Callable[[Any], bool]) -> None:
        """Wait for a row to say something: each commit of the engine wakes the reader."""
        async with asyncio.timeout(20):
            while not await self.db.read(condition):  # noqa: ASYNC110 - a read is the event
                await asyncio.sleep(0)

    async def until_window(self, job: Any) -> None:
        await self.until(
            lambda tx: (
                tx.value("SELECT window_open FROM job_items WHERE job_id = ?", (job.id,)) == 1
            )
        )

    async def station(
        self, identity: str, *, connect: bool = True, location_id: int | None = None
    ) -> Station:
        new = NewStation(identity, location_id=location_id)
        made = await self.db.write(lambda tx: station_service.create(tx, new))
        if connect:
            self.stations.connect(made.id)
        return made


async def kill(db: Database) -> None:
    """Leave the file as it is; `db` can be opened again."""
    db._failed = True  # what waits for the writer is refused
    db.on_failure = lambda: None
    await db.close()
    db._failed = db._closing = False


async def begin(db: Database, bus: Bus, clock: ManualClock) -> Bench:
    """A running engine and one principal; `db` is open and in its first epoch."""
    await db.write(
        lambda tx: tokens.insert(
            tx,
            public_id=PRINCIPAL.id,
            name="tester",
            digest=b"x" * 32,
            role=Role.ADMIN,
            location_ids=None,
            source=TokenSource.CREATED,
            expires_at=None,
        )
    )
    made = Bench(db, bus, clock, ScriptedStations(bus), ScriptedFleet(), EventLog(bus))
    await made.start()
    return made


@pytest.fixture
async def bench(db: Database, bus: Bus, clock: ManualClock) -> AsyncIterator[Bench]:
    made = await begin(db, bus, clock)
    yield made
    assert made.engine is not None
    await made.engine.stop(drain_s=0)
