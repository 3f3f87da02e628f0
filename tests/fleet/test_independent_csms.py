"""A whole session against a central system that is not ours: the `ocpp` library over websockets."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    Action,
    AuthorizationStatus,
    ConfigurationStatus,
    RegistrationStatus,
    RemoteStartStopStatus,
    ResetStatus,
    ResetType,
)

from csms.fleet.backoff import Backoff
from csms.fleet.manager import Fleet
from csms.fleet.spec import StationSpec

DEADLINE_S = 20
ACCEPTED = {"status": AuthorizationStatus.accepted}


class CentralSystem(ChargePoint):
    """One connection, as the library's users write it; it refuses what breaks the schema."""

    def __init__(self, identity: str, connection: Any, heard: Heard) -> None:
        super().__init__(identity, connection)
        self.heard = heard

    @on(Action.boot_notification)
    def on_boot(self, **payload: Any) -> call_result.BootNotification:
        self.heard.note("boot", payload)
        return call_result.BootNotification(
            datetime.now(UTC).isoformat(), 300, RegistrationStatus.accepted
        )

    @on(Action.status_notification)
    def on_status(self, **payload: Any) -> call_result.StatusNotification:
        self.heard.note("status", payload)
        return call_result.StatusNotification()

    @on(Action.heartbeat)
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(datetime.now(UTC).isoformat())

    @on(Action.authorize)
    def on_authorize(self, **payload: Any) -> call_result.Authorize:
        self.heard.note("authorize", payload)
        return call_result.Authorize(ACCEPTED)

    @on(Action.start_transaction)
    def on_start(self, **payload: Any) -> call_result.StartTransaction:
        self.heard.note("start", payload)
        return call_result.StartTransaction(4711, ACCEPTED)

    @on(Action.meter_values)
    def on_meter_values(self, **payload: Any) -> call_result.MeterValues:
        self.heard.note("meter_values", payload)
        return call_result.MeterValues()

    @on(Action.stop_transaction)
    def on_stop(self, **payload: Any) -> call_result.StopTransaction:
        self.heard.note("stop", payload)
        return call_result.StopTransaction()


class Heard:
    """Everything the central system was told, and a way to wait for more of it."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.systems: list[Any] = []
        self.paths: list[str] = []
        self.credentials: list[bytes] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, what: str, payload: dict[str, Any]) -> None:
        self.notes.append((what, payload))
        task = asyncio.create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def all(self, what: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.notes if name == what]

    async def wait(self, what: str, times: int = 1) -> dict[str, Any]:
        """The last of at least `times`."""
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(lambda: len(self.all(what)) >= times)
        return self.all(what)[-1]


@asynccontextmanager
async def central_system(
    kind: Callable[[str, Any, Heard], Any] = CentralSystem, subprotocol: str = "ocpp1.6"
) -> AsyncIterator[tuple[str, Heard]]:
    heard = Heard()

    async def serve(connection: Any) -> None:
        path = connection.request.path
        heard.paths.append(path)
        header = connection.request.headers.get("Authorization", "")
        heard.credentials.append(base64.b64decode(header.removeprefix("Basic ")))
        system = kind(path.rsplit("/", 1)[-1], connection, heard)
        heard.systems.append(system)
        with suppress(websockets.ConnectionClosed):
            await system.start()

    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=[subprotocol]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ocpp", heard


@pytest.fixture
async def csms() -> AsyncIterator[tuple[str, Heard]]:
    async with central_system() as running:
        yield running


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async with Fleet(backoff=Backoff(first_s=0.05, cap_s=0.2)) as running:
        yield running


async def until(fleet: Fleet, holds: Callable[[], bool]) -> None:
    """Wait for a change of the fleet after which `holds`."""
    changed = asyncio.Event()
    fleet.on_change = changed.set
    async with asyncio.timeout(DEADLINE_S):
        while not holds():
            changed.clear()
            await changed.wait()


async def test_a_whole_session(csms, fleet):
    url, heard = csms
    spec = StationSpec(
        identity="RDAM 123",
        url=url,
        password=b"secret",
        reboot_s=0.1,
        configuration={"MeterValueSampleInterval": "1"},
    )
    fleet.start(spec)
    assert await fleet.wait_booted(spec.identity, DEADLINE_S)
    await heard.wait("status", 2)
    system = heard.systems[-1]
    assert heard.paths == ["/ocpp/RDAM%20123"]
    assert heard.credentials == [b"RDAM 123:secret"]

    started = await system.call(call.RemoteStartTransaction(id_tag="TAG1", connector_id=1))
    assert started.status == RemoteStartStopStatus.accepted
    assert (await heard.wait("start"))["id_tag"] == "TAG1"
    assert (await heard.wait("meter_values", 2))["transaction_id"] == 4711

    stopped = await system.call(call.RemoteStopTransaction(transaction_id=4711))
    assert stopped.status == RemoteStartStopStatus.accepted
    stop = await heard.wait("stop")
    assert stop["meter_stop"] >= heard.all("start")[0]["meter_start"]

    changed = await system.call(call.ChangeConfiguration(key="HeartbeatInterval", value="60"))
    assert changed.status == ConfigurationStatus.accepted
    reset = await system.call(call.Reset(type=ResetType.soft))
    assert reset.status == ResetStatus.accepted
    await heard.wait("boot", 2)
    assert len(heard.systems) == 2
    await until(fleet, lambda: fleet.find(spec.identity).boots == 2)


async def test_a_station_comes_back_when_the_csms_does(fleet):
    async with central_system() as (url, heard):
        port = url.rsplit(":", 1)[1].split("/")[0]
        station = fleet.start(StationSpec(identity="CS1", url=url))
        assert await station.wait_booted(DEADLINE_S)
        assert len(heard.all("boot")) == 1
    back = asyncio.Event()

    async def accept(connection: Any) -> None:
        back.set()
        await connection.wait_closed()

    async with websockets.serve(accept, "127.0.0.1", int(port), subprotocols=["ocpp1.6"]):
        async with asyncio.timeout(DEADLINE_S):
            await back.wait()
        await fleet.stop("cs1")
    assert fleet.count == 0


async def test_starting_twice_runs_one(csms, fleet):
    url, _ = csms
    first = fleet.start(StationSpec(identity="CS1", url=url))
    assert fleet.start(StationSpec(identity="cs1", url=url)) is first
    assert fleet.count == 1


async def test_a_refused_station_says_why_and_does_not_boot(fleet):
    def refuse(connection: Any, request: Any) -> Any:
        return connection.respond(401, "no")

    async def never(connection: Any) -> None:
        raise AssertionError

    async with websockets.serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        station = fleet.start(StationSpec(identity="CS1", url=f"ws://127.0.0.1:{port}"))
        await until(fleet, lambda: station.last_error is not None)
    assert station.last_error == "HTTP 401"
    assert not station.connected


async def test_a_redirect_is_not_followed(fleet):
    visited = []

    async def elsewhere(connection: Any) -> None:
        visited.append(connection.request.path)

    def redirect(connection: Any, request: Any) -> Any:
        response = connection.respond(302, "")
        response.headers["Location"] = target
        return response

    async with (
        websockets.serve(elsewhere, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as other,
        websockets.serve(elsewhere, "127.0.0.1", 0, process_request=redirect) as server,
    ):
        target = f"http://127.0.0.1:{next(iter(other.sockets)).getsockname()[1]}/CS1"
        port = next(iter(server.sockets)).getsockname()[1]
        station = fleet.start(StationSpec(identity="CS1", url=f"ws://127.0.0.1:{port}"))
        await until(fleet, lambda: station.last_error is not None)
    assert station.last_error == "HTTP 302"
    assert visited == []


async def test_a_server_that_speaks_another_version_is_left(fleet):
    async def serve(connection: Any) -> None:
        await connection.wait_closed()

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        station = fleet.start(StationSpec(identity="CS1", url=f"ws://127.0.0.1:{port}"))
        await until(fleet, lambda: station.last_error is not None)
    assert station.last_error == "the server does not speak ocpp1.6"
