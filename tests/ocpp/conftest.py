"""A real listener on loopback with the 1.6 handlers, and stations that speak to it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from csms.clock import ManualClock
from csms.domain.stations import NewStation, Station
from csms.domain.versions import OcppVersion
from csms.events import Bus, Signal, StationReady
from csms.ocpp import listener
from csms.ocpp.actions import HANDLERS
from csms.ocpp.context import Handler
from csms.ocpp.endpoint import Endpoint
from csms.ocpp.handshake import is_websocket
from csms.ocpp.hub import Hub
from csms.ocpp.settings import OcppSettings
from csms.ocpp.tls_server import SecurityOf
from csms.services import credentials
from csms.services.credentials import Passwords
from csms.services.heartbeats import Heartbeats
from csms.services.lint import Lint
from csms.services.message_log import MessageLog
from csms.store import engine, ocpp_messages, stations
from csms.store.database import Database

BOOT = '[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
WAIT_S = 10.0
Handlers = dict[tuple[OcppVersion, str], Handler]


@dataclass
class Server:
    """Everything below the API, listening on a free port."""

    db: Database
    bus: Bus
    clock: ManualClock
    hub: Hub
    log: MessageLog
    lint: Lint
    endpoint: Endpoint
    runner: web.AppRunner
    port: int
    signals: list[Signal] = field(default_factory=list)
    strangers: list[tuple[str, str, str | None]] = field(default_factory=list)
    _clients: list[Client] = field(default_factory=list)
    _http: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self._http

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def register(self, identity: str, **columns: Any) -> tuple[Station, str]:
        def insert(tx: Any) -> tuple[Station, str]:
            station = stations.insert(tx, NewStation(identity, **columns))
            return station, credentials.rotate(tx, station.id)

        return await self.db.write(insert)

    async def connect(
        self,
        identity: str,
        password: str | None = None,
        *,
        protocols: tuple[str, ...] = ("ocpp1.6",),
        path: str | None = None,
    ) -> Client:
        headers = {} if password is None else {"Authorization": basic(identity, password)}
        socket = await self.http.ws_connect(
            self.url(path or f"/ocpp/{identity}", "ws"),
            protocols=protocols,
            headers=headers,
            max_msg_size=0,
            autoping=False,
        )
        client = Client(socket)
        self._clients.append(client)
        return client

    async def online(self, identity: str) -> tuple[Station, Client]:
        """A registered station that is connected, booted and ready."""
        station, password = await self.register(identity)
        client = await self.connect(identity, password)
        await client.ask(BOOT)
        await self.until(lambda: self.hub.is_ready(station.id))
        return station, client

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():  # noqa: ASYNC110 - anything may be waited for
                await asyncio.sleep(0)

    async def log_rows(self, station_id: int) -> list[ocpp_messages.Message]:
        """The station's message log, oldest first."""
        await self.log.flush()
        page = await self.db.read(lambda tx: ocpp_messages.list_page(tx, station_id, limit=1000))
        return [row.message for row in reversed(page)]

    async def events(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.db.read(
            lambda tx: tx.all("SELECT data FROM events WHERE type = ? ORDER BY id", (kind,))
        )
        return [orjson.loads(row["data"]) for row in rows]

    def count(self, kind: type) -> int:
        return sum(isinstance(signal, kind) for signal in self.signals)

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        if self._http is not None:
            await self._http.close()


class Client:
    """A station's end of a websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Any]) -> None:
        self.socket = socket

    async def send(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        await self.socket.send_frame(data, aiohttp.WSMsgType.TEXT)

    async def receive(self) -> Any:
        """The next text frame as JSON."""
        message = await self.raw()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return orjson.loads(message.data)

    async def raw(self) -> aiohttp.WSMessage:
        """The next message of any type, pings left out."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.PING:
                    return message

    async def ask(self, text: str | bytes) -> Any:
        await self.send(text)
        return await self.receive()

    async def closed(self) -> int | None:
        """Read to the end; the code the server closed with."""
        async with asyncio.timeout(WAIT_S):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code

    async def close(self) -> None:
        with suppress(ConnectionError):
            await self.socket.close()


Start = Callable[..., Awaitable[Server]]


def basic(user: str, password: str | bytes) -> str:
    raw = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(user.encode() + b":" + raw).decode()


@pytest.fixture
async def start(db: Database, bus: Bus, clock: ManualClock) -> AsyncIterator[Start]:
    servers: list[tuple[Server, Any, web.AppRunner]] = []

    async def make(
        handlers: Handlers | None = None,
        *,
        security_of: SecurityOf | None = None,
        stations_only: bool = False,
        head_timeout_s: float = listener.HEAD_TIMEOUT_S,
        **settings: Any,
    ) -> Server:
        log, lint = MessageLog(db, clock), Lint(db, clock)
        hub = Hub(
            db=db,
            bus=bus,
            clock=clock,
            settings=OcppSettings(**settings),
            epoch=await db.read(engine.epoch),
            message_log=log,
            lint=lint,
            heartbeats=Heartbeats(db, clock),
            handlers={**HANDLERS, **(handlers or {})},
        )
        endpoint = Endpoint(hub=hub, db=db, passwords=Passwords(db, b"k" * 32))
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{tail:.*}", _everything(endpoint))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        server = Server(db, bus, clock, hub, log, lint, endpoint, runner, 0)
        sockets = await listener.listen(
            runner,
            endpoint,
            "127.0.0.1",
            0,
            security_of=security_of,
            stations_only=stations_only,
            on_stranger=lambda *told: server.strangers.append(told),
            head_timeout_s=head_timeout_s,
        )
        server.port = sockets.sockets[0].getsockname()[1]
        _record(bus, server.signals)
        servers.append((server, sockets, runner))
        return server

    yield make
    for server, sockets, runner in servers:
        sockets.close()
        await server.hub.close_all(spread_s=0)
        await server.close()
        await runner.cleanup()
        await server.log.close()
        await server.lint.close()


@pytest.fixture
async def server(start: Start) -> Server:
    return await start()


def _everything(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if is_websocket(request.headers.get("Upgrade", "")):
            return await endpoint.handle(request)
        return web.json_response({"path": request.path, "size": len(await request.read())})

    return handle


def _record(bus: Bus, signals: list[Signal]) -> None:
    from csms.events import LateAnswer, SlotFree, StationGone

    for kind in (StationReady, StationGone, SlotFree, LateAnswer):
        bus.subscribe(kind, signals.append)
