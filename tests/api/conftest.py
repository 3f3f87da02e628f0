"""A client against the real application over a real database; absent parts are stand-ins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from csms.api import routes
from csms.api.application import build
from csms.api.auth import Authenticator
from csms.api.deps import ApiSettings, Deps
from csms.api.feed import Feed
from csms.api.metrics import Metrics
from csms.api.routing import Route
from csms.clock import Clock, ManualClock
from csms.domain.histograms import Histogram
from csms.domain.permissions import Role
from csms.domain.sealing import Seal
from csms.domain.stations import Station
from csms.events import Bus
from csms.jobs.crash import CrashPoints
from csms.jobs.engine import Engine
from csms.jobs.kinds import file_transfer, id_token_import, station_delete, station_update
from csms.jobs.kinds.charging_profile_template import ChargingProfileTemplateRunner
from csms.jobs.kinds.command import CommandRunner
from csms.jobs.kinds.config_template import ConfigTemplateRunner
from csms.jobs.kinds.password_rotation import PasswordRunner
from csms.jobs.kinds.station_create import StationCreateRunner
from csms.jobs.kinds.webhook_delivery import WebhookRunner
from csms.jobs.settings import EngineSettings
from csms.ocpp.hub import HubStats
from csms.ocpp.settings import OcppSettings
from csms.services import tokens
from csms.services.credentials import Passwords
from csms.services.file_drop import FileDrop, FileDropSettings
from csms.services.file_store import FileStore
from csms.services.heartbeats import Heartbeats
from csms.services.message_log import MessageLog
from csms.services.onboarding import Window
from csms.services.webhook_sending import Sender
from csms.store import engine as store_engine
from csms.store.database import Database
from csms.store.ocpp_messages import Message
from tests.jobs.conftest import ScriptedFleet, ScriptedStations


class ScriptedHub(ScriptedStations):
    """Scripted stations with what only the API asks of the hub."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.accepted: list[str] = []
        self.admitted: list[tuple[str, str]] = []
        self.shown: dict[tuple[str, str], bytes] = {}
        self.bare: set[tuple[str, str]] = set()
        self.settings = OcppSettings()
        self.pending: list[Message] = []
        self.disconnected: list[tuple[int, int]] = []

    def is_flapping(self, station_id: int) -> bool:
        return False

    def pending_messages(self, station_id: int) -> list[Message]:
        return [message for message in self.pending if message.station_id == station_id]

    async def disconnect(self, station_id: int, code: int = 1000, reason: str = "") -> None:
        self.disconnected.append((station_id, code))
        self.drop(station_id)

    def accept_held(self, identity: str) -> bool:
        self.accepted.append(identity)
        return True

    def send_held_away(self) -> None:
        self.accepted.append("everybody")

    def password_of_held(self, identity: str, address: str) -> bytes | None:
        return self.shown.get((identity, address))

    def is_held(self, identity: str, address: str) -> bool:
        return (identity, address) in self.bare

    def admit_held(self, station: Station, address: str, password: bytes | None) -> bool:
        self.admitted.append((station.identity, address))
        return password == self.shown.get((station.identity, address))

    def stats(self) -> HubStats:
        return HubStats(
            connections={"1.6": len(self.online)},
            held=0,
            ready=len(self.ready),
            calls_outstanding=len(self.busy),
            calls_waiting=0,
            being_answered=0,
            messages={("out", "Reset", "done"): 3},
            latencies={"out": Histogram([0.1, 1.0])},
            garbled=0,
            slowed=0,
            strays=0,
        )


class Upgrades:
    """Stands where the OCPP endpoint stands: notes every upgrade that reaches it."""

    def __init__(self, clock: Clock) -> None:
        self.paths: list[str] = []
        self.lost: list[str] = []
        self.window = Window(clock)

    async def handle_without_upgrade(self, request: web.Request) -> web.Response | None:
        if "Sec-WebSocket-Key" not in request.headers:
            return None
        self.lost.append(request.path)
        return web.Response(status=426)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        return web.Response(status=418)


@dataclass
class Api:
    """REST calls as one of three roles."""

    client: TestClient[web.Request, web.Application]
    deps: Deps
    bearers: dict[str, str]

    async def request(
        self, method: str, path: str, *, role: str | None = "admin", **more: Any
    ) -> ClientResponse:
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers.setdefault("Authorization", f"Bearer {self.bearers[role]}")
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.request("GET", path, **more)

    async def post(self, path: str, **more: Any) -> ClientResponse:
        return await self.request("POST", path, **more)

    async def put(self, path: str, **more: Any) -> ClientResponse:
        return await self.request("PUT", path, **more)

    async def delete(self, path: str, **more: Any) -> ClientResponse:
        return await self.request("DELETE", path, **more)


@pytest.fixture
def hub(bus: Bus) -> ScriptedHub:
    return ScriptedHub(bus)


@pytest.fixture
def files(db: Database, clock: ManualClock, tmp_path: Path) -> FileDrop:
    return FileDrop(
        db=db,
        clock=clock,
        store=FileStore(tmp_path / "files", keep_free_bytes=0),
        instance_key=b"k" * 32,
        settings=FileDropSettings(firmware_limit_bytes=500_000, log_limit_bytes=300_000),
    )


@pytest.fixture
async def engine(
    db: Database, bus: Bus, clock: ManualClock, hub: ScriptedHub, files: FileDrop
) -> AsyncIterator[Engine]:
    running = Engine(
        db=db,
        bus=bus,
        clock=clock,
        kinds={
            **{
                kind.name: kind(
                    hub,
                    clock,
                    read=db.read,
                    call_timeout_s=30,
                    in_grace=lambda _: None,
                    seal=Seal(b"k" * 32),
                )
                for kind in (CommandRunner, ConfigTemplateRunner, ChargingProfileTemplateRunner)
            },
            "station_create": StationCreateRunner(
                read=db.read, deployment=ScriptedFleet(), max_virtual=2000
            ),
            "password_rotation": PasswordRunner(
                hub,
                clock,
                db=db,
                passwords=Passwords(db, b"k" * 32),
                call_timeout_s=30,
                in_grace=lambda _: None,
            ),
            **{
                kind.name: kind
                for kind in file_transfer.runners(
                    hub,
                    clock,
                    db=db,
                    files=files,
                    call_timeout_s=30,
                    in_grace=lambda _: None,
                    seal=Seal(b"k" * 32),
                )
            },
            "webhook_delivery": WebhookRunner(
                db=db,
                clock=clock,
                seal=Seal(b"k" * 32),
                sender=Sender(allowed=("127.0.0.1",), timeout_s=5),
                disable_after_days=5,
            ),
            "station_update": station_update.runner(),
            "station_delete": station_delete.runner(),
            "id_token_import": id_token_import.runner(),
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
async def deps(
    *,
    db: Database,
    bus: Bus,
    clock: ManualClock,
    hub: ScriptedHub,
    engine: Engine,
    files: FileDrop,
) -> AsyncIterator[Deps]:
    message_log = MessageLog(db, clock)
    yield Deps(
        db=db,
        bus=bus,
        clock=clock,
        hub=cast("Any", hub),
        engine=engine,
        fleet=cast("Any", None),
        passwords=Passwords(db, b"k" * 32),
        files=files,
        heartbeats=Heartbeats(db=db, clock=clock),
        message_log=message_log,
        endpoint=cast("Any", Upgrades(clock)),
        auth=Authenticator(db=db, bus=bus, clock=clock),
        feed=Feed(db=db, bus=bus, clock=clock),
        metrics=Metrics(clock, {}),
        started_at=clock.now(),
        # What is refused may be tried as often as a test likes.
        settings=ApiSettings(failed_tokens_per_minute=0, webhook_targets=("127.0.0.1",)),
        ready=True,
    )
    await message_log.close()


@pytest.fixture
async def bearers(db: Database) -> dict[str, str]:
    made = {}
    for role in Role:
        _, bearer = await db.write(lambda tx, r=role: tokens.create(tx, name=r.value, role=r))
        made[role.value] = bearer
    return made


Serve = Callable[[Iterable[Route]], Awaitable[Api]]


@pytest.fixture
async def serve(deps: Deps, bearers: dict[str, str]) -> AsyncIterator[Serve]:
    """Starts an application with any routes."""
    async with AsyncExitStack() as stack:

        async def start(wanted: Iterable[Route]) -> Api:
            client = TestClient(TestServer(build(deps, wanted)))
            return Api(await stack.enter_async_context(client), deps, bearers)

        yield start


@pytest.fixture
async def api(serve: Serve) -> Api:
    return await serve(routes.ALL)
