from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.clock import ManualClock
from csms.domain.stations import NewStation
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, CallTimeout, CallWithheld, StationOffline
from csms.events import Bus, Event, LateAnswer, SlotFree, StationGone, StationReady
from csms.ocpp import duels
from csms.ocpp.actions import HANDLERS
from csms.ocpp.connection import Connection
from csms.ocpp.hub import Hub
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.services.lint import Lint
from csms.services.message_log import MessageLog
from csms.store import engine, stations
from csms.store.database import Database
from tests.ocpp.conftest import BOOT, Client, Server, Start

V16 = OcppVersion.V16
HEARTBEAT = '[2,"hb","Heartbeat",{}]'


async def answering(client: Client, payload: str, kind: int = 3) -> Any:
    """Read one CALL and answer it."""
    call = await client.receive()
    await client.send(f'[{kind},"{call[1]}",{payload}]')
    return call


async def call(server: Server, station_id: int, action: str = "Reset", **more: Any) -> Any:
    return await server.hub.call(
        station_id,
        action=action,
        payload=more.pop("payload", {"type": "Soft"}),
        message_id=more.pop("message_id", "ours"),
        timeout_s=more.pop("timeout_s", 5.0),
        **more,
    )


async def stored(server: Server, station_id: int) -> Any:
    return await server.db.read(lambda tx: stations.get(tx, station_id))


# ---- calling ---------------------------------------------------------------------------------


@pytest.mark.parametrize("late_s", [0, 1])
async def test_a_reservation_that_would_be_over_is_not_asked_for(
    server: Server, late_s: int
) -> None:
    station, client = await server.online("S")
    end = format_timestamp(server.clock.now() + timedelta(seconds=1))
    payload = {"connectorId": 1, "expiryDate": end, "idTag": "A", "reservationId": 1}
    server.clock.advance(late_s)
    asked = asyncio.ensure_future(call(server, station.id, "ReserveNow", payload=payload))
    if late_s:
        with pytest.raises(CallWithheld, match="over already"):
            await asked
        return
    await answering(client, '{"status":"Accepted"}')
    assert {"status": "Accepted"} == await asked


async def test_a_call_returns_the_payload_of_its_answer(server: Server) -> None:
    station, client = await server.online("S")
    calling = asyncio.create_task(call(server, station.id))
    assert await answering(client, '{"status":"Accepted"}') == [
        2,
        "ours",
        "Reset",
        {"type": "Soft"},
    ]
    assert await calling == {"status": "Accepted"}


async def test_a_call_error_is_raised_with_its_code(server: Server) -> None:
    station, client = await server.online("S")
    calling = asyncio.create_task(call(server, station.id))
    await answering(client, '"NotSupported","no reset here",{}', kind=4)
    with pytest.raises(CallRefused) as caught:
        await calling
    assert (caught.value.error_code, caught.value.description) == ("NotSupported", "no reset here")


@pytest.mark.parametrize("answer", ["{}", '{"status":"Perhaps"}', '{"status":1}'])
async def test_an_answer_that_breaks_its_schema_is_refused(server: Server, answer: str) -> None:
    station, client = await server.online("S")
    calling = asyncio.create_task(call(server, station.id))
    await answering(client, answer)
    with pytest.raises(CallRefused) as caught:
        await calling
    assert caught.value.error_code == "InvalidAnswer"
    assert (await server.log_rows(station.id))[-1].verdict is not None


@pytest.mark.parametrize(("strict", "refused"), [(False, False), (True, True)])
async def test_an_answer_that_says_too_much_is_refused_by_a_strict_server_only(
    start: Start, strict: bool, refused: bool
) -> None:
    server = await start(strict=strict)
    station, client = await server.online("S")
    calling = asyncio.create_task(call(server, station.id))
    await answering(client, '{"status":"Accepted","vendor":"words"}')
    if refused:
        with pytest.raises(CallRefused):
            await calling
    else:
        assert (await calling)["status"] == "Accepted"


async def test_a_station_that_is_not_there_was_never_sent_anything(server: Server) -> None:
    station, _ = await server.register("S")
    with pytest.raises(StationOffline):
        await call(server, station.id)


async def test_a_call_for_another_generation_is_not_sent(server: Server) -> None:
    station, client = await server.online("S")
    generation = server.hub.generation(station.id)
    assert generation is not None
    with pytest.raises(StationOffline):
        await call(server, station.id, generation=generation - 1)
    calling = asyncio.create_task(call(server, station.id, generation=generation))
    await answering(client, '{"status":"Accepted"}')
    await calling


async def test_an_answer_on_a_new_socket_is_a_late_answer(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await client.ask(BOOT)
    calling = asyncio.create_task(call(server, station.id))
    await client.receive()
    newer = await server.connect("S", password)
    with pytest.raises(Exception, match="lost"):
        await calling
    await newer.send('[3,"ours",{"status":"Accepted"}]')
    await server.until(lambda: server.count(LateAnswer))
    assert LateAnswer(station.id, "ours", {"status": "Accepted"}, None) in server.signals


async def test_the_free_slot_is_told(server: Server) -> None:
    station, client = await server.online("S")
    assert server.hub.slot_free(station.id)
    calling = asyncio.create_task(call(server, station.id))
    await server.until(lambda: not server.hub.slot_free(station.id))
    assert server.count(SlotFree) == 0
    await answering(client, '{"status":"Accepted"}')
    await calling
    assert server.count(SlotFree) == 1


async def test_a_late_answer_completes_its_row_of_the_log(server: Server) -> None:
    station, client = await server.online("S")
    with pytest.raises(CallTimeout):
        await call(server, station.id, timeout_s=0.01)
    row = (await server.log_rows(station.id))[-1]
    assert (row.state, row.answer) == ("timeout", None)
    await client.receive()
    await client.send('[3,"ours",{"status":"Accepted"}]')
    await server.until(lambda: server.count(LateAnswer))
    row = (await server.log_rows(station.id))[-1]
    assert (row.state, row.answer, row.verdict) == ("done", '{"status":"Accepted"}', "late")


async def test_invented_answers_are_told_a_thousand_times_at_most(server: Server) -> None:
    _station, client = await server.online("S")
    for number in range(1050):
        await client.send(f'[3,"x{number}",{{}}]')
    await client.ask(HEARTBEAT)
    assert server.hub.stats().strays == 1050
    assert server.count(LateAnswer) == 1000


# ---- readiness -------------------------------------------------------------------------------


async def test_a_station_is_ready_once_its_boot_is_answered(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    assert not server.hub.is_ready(station.id)
    with pytest.raises(StationOffline):
        await call(server, station.id)
    await client.ask(BOOT)
    await server.until(lambda: server.hub.is_ready(station.id))
    assert server.signals.count(StationReady(station.id)) == 1


async def test_any_other_call_is_a_sign_of_readiness(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await client.ask(HEARTBEAT)
    await server.until(lambda: server.hub.is_ready(station.id))


async def test_a_station_that_is_not_accepted_is_never_ready(server: Server) -> None:
    station, password = await server.register("S")
    await server.db.write(lambda tx: stations.update(tx, station.id, registration="Pending"))
    client = await server.connect("S", password)
    assert (await client.ask(BOOT))[2]["status"] == "Pending"
    await client.ask(HEARTBEAT)
    server.clock.advance(60)
    await server.hub.sweep()
    await client.ask(HEARTBEAT)
    assert not server.hub.is_ready(station.id)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [(3, '{"status":"Accepted"}'), (3, '{"status":"Rejected"}'), (4, '"NotSupported","",{}')],
)
async def test_a_silent_station_is_asked_for_a_boot_once(
    server: Server, kind: int, answer: str
) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    server.clock.advance(4.9)
    await server.hub.sweep()
    server.clock.advance(0.2)
    await server.hub.sweep()
    await server.hub.sweep()
    call_ = await answering(client, answer, kind)
    assert call_[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
    await server.until(lambda: server.hub.is_ready(station.id))
    server.clock.advance(20)
    await server.hub.sweep()
    assert (await client.ask(HEARTBEAT))[1] == "hb"


async def test_a_trigger_without_an_answer_counts_after_its_time(start: Start) -> None:
    server = await start(ready_trigger_s=0.02)
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    server.clock.advance(5)
    await server.hub.sweep()
    assert (await client.receive())[2] == "TriggerMessage"
    await server.until(lambda: server.hub.is_ready(station.id))


async def test_a_triggered_boot_is_marked(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    server.clock.advance(5)
    await server.hub.sweep()
    await answering(client, '{"status":"Accepted"}')
    await client.ask(BOOT)
    rows = await server.db.read(lambda tx: tx.all("SELECT triggered, generation FROM boots"))
    assert [tuple(row) for row in rows] == [(1, server.hub.generation(station.id))]


async def test_a_boot_that_the_operator_asked_for_is_marked(server: Server) -> None:
    station, client = await server.online("S")
    order = asyncio.create_task(
        call(
            server,
            station.id,
            action="TriggerMessage",
            payload={"requestedMessage": "BootNotification"},
        )
    )
    await answering(client, '{"status":"Accepted"}')
    await order
    await client.ask(BOOT)
    rows = await server.db.read(lambda tx: tx.all("SELECT triggered FROM boots ORDER BY id"))
    assert [row["triggered"] for row in rows] == [0, 1]


# ---- coming and going ------------------------------------------------------------------------


async def test_presence_is_stored_and_told(server: Server) -> None:
    station, client = await server.online("S")
    await server.until(lambda: server.hub.presence(station.id).ready)
    presence = server.hub.presence(station.id)
    assert (presence.connected, presence.version, presence.address) == (True, V16, "127.0.0.1")
    assert presence.last_frame_at == server.clock.now()
    assert (await stored(server, station.id)).connected_epoch == 1
    await client.close()
    await server.until(lambda: StationGone(station.id) in server.signals)
    assert not server.hub.presence(station.id).connected
    assert server.hub.generation(station.id) is None
    assert [event["id"] for event in await eventually(server, "station.disconnected")] == [
        station.uuid
    ]
    assert (await stored(server, station.id)).connected_epoch is None
    assert [event["version"] for event in await server.events("station.connected")] == ["1.6"]


async def eventually(server: Server, kind: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while not (found := await server.events(kind)):  # noqa: ASYNC110 - rows have no event
            await asyncio.sleep(0)
    return found


async def test_the_newest_connection_wins(server: Server) -> None:
    station, password = await server.register("S")
    older = await server.connect("S", password)
    await older.ask(BOOT)
    first = server.hub.generation(station.id)
    newer = await server.connect("s", password, path="/ocpp/s")
    await server.until(lambda: server.hub.generation(station.id) != first)
    assert await older.closed() == 1000
    assert (await newer.ask(HEARTBEAT))[0] == 3
    assert server.hub.is_connected(station.id)
    assert StationGone(station.id) not in server.signals
    assert (await stored(server, station.id)).connected_epoch == 1
    assert await server.events("duplicate_identity") == []


async def test_an_identity_that_is_taken_over_from_elsewhere_is_told(server: Server) -> None:
    station, client = await server.online("S")
    socket: Any = FakeSocket()
    socket.start(server.hub.open(station, socket, "198.51.100.7", V16))
    assert await client.closed() == 1000
    (told,) = await eventually(server, "duplicate_identity")
    assert ("127.0.0.1", "198.51.100.7") == (told["replaced_address"], told["address"])
    socket.abort()


async def test_a_duel_is_stopped_and_the_others_go_on(server: Server) -> None:
    station, password = await server.register("S")
    clients = [await server.connect("S", password) for _ in range(duels.REPLACEMENTS + 1)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await server.connect("S", password)
    assert caught.value.status == 503
    assert (await clients[-1].ask(HEARTBEAT))[0] == 3
    await server.online("T")
    server.clock.advance(61)
    await server.connect("S", password)
    await server.hub.sweep()
    assert not server.hub.is_dueling(station.id)


async def test_deleting_a_station_closes_its_socket(server: Server) -> None:
    station, client = await server.online("S")
    await server.db.write(lambda tx: tx.emit(Event("station.deleted", {}, station_id=station.id)))
    assert await client.closed() == 1000


async def test_stopping_says_1001_and_keeps_the_marks(start: Start) -> None:
    server = await start()
    station, client = await server.online("S")
    closing = asyncio.create_task(server.hub.close_all(spread_s=0))
    assert await client.closed() == 1001
    await closing
    assert not server.hub.is_connected(station.id)
    assert (await stored(server, station.id)).connected_epoch == 1
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await server.connect("S")
    assert caught.value.status == 503


async def test_stopping_does_not_wait_for_a_station_that_is_deaf(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start()
    station, client = await server.online("S")
    monkeypatch.setattr("csms.ocpp.connection.CLOSE_TIMEOUT_S", 0.05)
    transport = client.socket._response.connection.transport
    transport.pause_reading()
    await server.hub.close_all(spread_s=0)
    assert not server.hub.is_connected(station.id)
    transport.resume_reading()


async def test_pending_messages_are_shown(start: Start) -> None:
    release = asyncio.Event()

    async def slow(station: Any, payload: Any) -> Any:
        await release.wait()
        return {"status": "Accepted"}

    server = await start({(V16, "DataTransfer"): slow})
    station, client = await server.online("S")
    await client.send('[2,"theirs","DataTransfer",{"vendorId":"v"}]')
    calling = asyncio.create_task(call(server, station.id))
    await server.until(lambda: len(server.hub.pending_messages(station.id)) == 2)
    shown = server.hub.pending_messages(station.id)
    assert [(row.direction, row.message_id, row.state) for row in shown] == [
        ("in", "theirs", "pending"),
        ("out", "ours", "pending"),
    ]
    release.set()
    await client.receive()
    await client.receive()
    await client.send('[3,"ours",{"status":"Accepted"}]')
    await calling
    assert server.hub.pending_messages(station.id) == []


async def test_every_call_has_its_row_in_the_log(server: Server) -> None:
    station, client = await server.online("S")
    await client.ask('[2,"n","Nope",{}]')
    await client.ask(
        '[2,"s","StatusNotification",{"connectorId":1,"errorCode":"Error","status":"Available"}]'
    )
    calling = asyncio.create_task(
        call(
            server,
            station.id,
            "ChangeConfiguration",
            payload={"key": "AuthorizationKey", "value": "canary"},
        )
    )
    await answering(client, '{"status":"Accepted"}')
    await calling
    lost = asyncio.create_task(call(server, station.id, message_id="lost"))
    await client.receive()
    await client.close()
    with pytest.raises(Exception, match="lost"):
        await lost
    rows = await server.log_rows(station.id)
    summary = [(row.direction, row.action, row.state, row.error_code) for row in rows]
    assert sorted(summary) == sorted(
        [
            ("in", "BootNotification", "done", None),
            ("in", "Nope", "failed", "NotImplemented"),
            ("in", "StatusNotification", "done", None),
            ("out", "ChangeConfiguration", "done", None),
            ("out", "Reset", "lost", None),
        ]
    )
    assert [row.verdict is None for row in rows if row.action == "StatusNotification"] == [False]
    assert "canary" not in str(rows)


# ---- liveness --------------------------------------------------------------------------------


async def test_a_ping_goes_out_and_a_pong_is_noticed(server: Server) -> None:
    station, client = await server.online("S")
    server.clock.advance(30)
    await server.hub.sweep()
    async with asyncio.timeout(5):
        message = await client.socket.receive()
    assert message.type is aiohttp.WSMsgType.PING
    await client.socket.pong(message.data)
    connection = server.hub.connection(station.id)
    assert connection is not None
    await server.until(lambda: connection.has_ponged)
    server.clock.advance(51)
    await server.hub.sweep()
    assert await client.closed() == 1001


async def test_a_station_that_never_pongs_has_three_heartbeats(server: Server) -> None:
    station, client = await server.online("S")
    server.clock.advance(3 * 300)
    await server.hub.sweep()
    assert server.hub.is_connected(station.id)
    server.clock.advance(1)
    await server.hub.sweep()
    assert await client.closed() == 1001


async def test_held_stations_are_looked_after_too(server: Server) -> None:
    client = await server.connect("unknown")
    await server.until(lambda: server.hub.held_count)
    server.clock.advance(901)
    await server.hub.sweep()
    assert await client.closed() == 1001


# ---- generations, at random ------------------------------------------------------------------


class FakeSocket:
    """A station's websocket that ends when told to."""

    stalled = False
    unsent_bytes = 0
    close_code = 1000

    def __init__(self) -> None:
        self.transport = self
        self.is_open = True
        self.gone = asyncio.Event()
        self.owner: Any = None

    def start(self, owner: Any) -> None:
        self.owner = owner
        if not self.is_open:
            self._lose()

    def send(self, data: bytes) -> bool:
        return self.is_open

    def release(self) -> None:
        pass

    def close(self, code: int = 1000, reason: bytes = b"") -> bool:
        was_open = self.is_open
        asyncio.get_running_loop().call_soon(self.abort)
        return was_open

    def abort(self) -> None:
        if self.is_open:
            self.is_open = False
            if self.owner is not None:
                asyncio.get_running_loop().call_soon(self._lose)

    def _lose(self) -> None:
        self.owner.on_lost()
        self.gone.set()


Steps = list[tuple[str, int]]


def test_an_old_connection_never_touches_the_newer_one(
    tmp_path: Path, bus: Bus, clock: ManualClock
) -> None:
    with asyncio.Runner() as runner:
        db = Database(tmp_path / "csms.sqlite3", clock=clock, bus=bus)
        runner.run(db.open())
        hub = Hub(
            db=db,
            bus=bus,
            clock=clock,
            settings=OcppSettings(),
            epoch=runner.run(db.write(lambda tx: engine.begin_epoch(tx, "boot"))),
            message_log=MessageLog(db, clock),
            lint=Lint(db, clock),
            heartbeats=Heartbeats(db, clock),
            handlers=HANDLERS,
        )

        @settings(max_examples=1000)
        @given(
            st.lists(
                st.tuples(st.sampled_from(["open", "close", "turn"]), st.integers(0, 5)),
                min_size=2,
                max_size=14,
            )
        )
        def interleave(steps: Steps) -> None:
            runner.run(_interleave(hub, db, steps))

        interleave()
        runner.run(db.close())


async def _interleave(hub: Hub, db: Database, steps: Steps) -> None:
    station = await db.write(_any_station)
    opened: list[tuple[FakeSocket, Connection]] = []
    for what, number in steps:
        if what == "open":
            socket: Any = FakeSocket()
            connection = hub.open(station, socket, f"address {len(opened)}", V16)
            socket.start(connection)
            opened.append((socket, connection))
        elif what == "close" and opened:
            opened[number % len(opened)][0].abort()
        else:
            for _ in range(number):
                await asyncio.sleep(0)
        if opened and opened[-1][0].is_open:
            assert hub.connection(station.id) is opened[-1][1]
    await _settled(lambda: all(s.gone.is_set() or s.is_open for s, _ in opened))
    await _settled(lambda: not hub._tasks)
    alive = bool(opened) and opened[-1][0].is_open
    assert hub.is_connected(station.id) == alive
    row = await db.read(lambda tx: stations.get(tx, station.id))
    assert (row.connected_epoch == 1) == alive
    for socket, _ in opened:
        socket.abort()
        await socket.gone.wait()
    await _settled(lambda: not hub._tasks)


def _any_station(tx: Any) -> Any:
    found = stations.find_by_identity(tx, "S")
    return found or stations.insert(tx, NewStation("S"))


async def _settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - counts turns of the loop
            await asyncio.sleep(0)
