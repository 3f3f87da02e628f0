from __future__ import annotations

import asyncio
import struct
from typing import Any

import aiohttp
import orjson
import pytest

from csms.domain.versions import OcppVersion
from csms.errors import CallTimeout, ConnectionLost, StationOffline, StorageFull
from csms.events import LateAnswer
from csms.ocpp.connection import INBOX_LIMIT
from csms.ocpp.context import StationContext
from csms.ocpp.frames import MAX_FRAME_BYTES, JsonObject
from tests.ocpp.conftest import BOOT, Server, Start, basic

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21


async def reset(server: Server, station_id: int, message_id: str, timeout_s: float = 5.0) -> Any:
    return await server.hub.call(
        station_id,
        action="Reset",
        payload={"type": "Soft"},
        message_id=message_id,
        timeout_s=timeout_s,
    )


def status(message_id: str) -> str:
    payload = '{"connectorId":1,"errorCode":"NoError","status":"Available"}'
    return f'[2,"{message_id}","StatusNotification",{payload}]'


async def test_fifty_pipelined_calls_get_fifty_answers_in_order(server: Server) -> None:
    _, client = await server.online("S")
    actions = [status(f"m{n}") if n % 2 else f'[2,"m{n}","Heartbeat",{{}}]' for n in range(50)]
    for text in actions:
        await client.send(text)
    answers = [await client.receive() for _ in actions]
    assert [(answer[0], answer[1]) for answer in answers] == [(3, f"m{n}") for n in range(50)]


async def test_answers_are_read_while_a_call_is_being_served(start: Start) -> None:
    release = asyncio.Event()

    async def slow(station: StationContext, payload: JsonObject) -> JsonObject:
        await release.wait()
        return {"status": "Accepted"}

    server = await start({(V16, "DataTransfer"): slow})
    station, client = await server.online("S")
    await client.send('[2,"slow","DataTransfer",{"vendorId":"v"}]')
    await server.until(lambda: server.hub.stats().being_answered)
    calling = asyncio.create_task(reset(server, station.id, "ours"))
    assert (await client.receive())[:2] == [2, "ours"]
    await client.send('[3,"ours",{"status":"Accepted"}]')
    assert await calling == {"status": "Accepted"}
    release.set()
    assert await client.receive() == [3, "slow", {"status": "Accepted"}]


async def test_reading_stops_when_the_inbox_is_full_and_goes_on(start: Start) -> None:
    release = asyncio.Event()
    seen: list[str] = []

    async def slow(station: StationContext, payload: JsonObject) -> JsonObject:
        await release.wait()
        seen.append(payload["vendorId"])
        return {"status": "Accepted"}

    server = await start({(V16, "DataTransfer"): slow}, messages_burst=1000)
    _station, client = await server.online("S")
    total = 3 * INBOX_LIMIT
    for number in range(total):
        await client.send(f'[2,"m{number}","DataTransfer",{{"vendorId":"{number}"}}]')
    await server.until(lambda: server.hub.stats().being_answered >= INBOX_LIMIT)
    for _ in range(20):
        await asyncio.sleep(0)
    assert server.hub.stats().being_answered == INBOX_LIMIT
    release.set()
    answers = [await client.receive() for _ in range(total)]
    assert [answer[1] for answer in answers] == [f"m{number}" for number in range(total)]
    assert seen == [str(number) for number in range(total)]


async def test_a_repeated_call_gets_the_same_answer_and_is_handled_once(start: Start) -> None:
    served: list[JsonObject] = []

    async def count(station: StationContext, payload: JsonObject) -> JsonObject:
        served.append(payload)
        return {"status": "Accepted", "data": str(len(served))}

    server = await start({(V16, "DataTransfer"): count})
    _, client = await server.online("S")
    first = await client.ask('[2,"same","DataTransfer",{"vendorId":"v"}]')
    assert await client.ask('[2,"same","DataTransfer",{"vendorId":"v"}]') == first
    other = await client.ask('[2,"same","DataTransfer",{"vendorId":"w"}]')
    assert other == [3, "same", {"status": "Accepted", "data": "2"}]


async def test_a_heartbeat_with_a_constant_id_gets_the_present_time(server: Server) -> None:
    _, client = await server.online("S")
    first = await client.ask('[2,"hb","Heartbeat",{}]')
    server.clock.advance(60)
    second = await client.ask('[2,"hb","Heartbeat",{}]')
    assert (first[2]["currentTime"], second[2]["currentTime"]) == (
        "2026-05-01T12:00:00.000Z",
        "2026-05-01T12:01:00.000Z",
    )


async def test_a_handlers_answer_that_is_no_json_is_an_internal_error(start: Start) -> None:
    answers: list[Any] = [object(), 2**70, "\ud800"]

    async def odd(station: StationContext, payload: JsonObject) -> JsonObject:
        return {"status": answers[int(payload["vendorId"])]}

    server = await start({(V16, "DataTransfer"): odd})
    _, client = await server.online("S")
    for number in range(len(answers)):
        answer = await client.ask(f'[2,"{number}","DataTransfer",{{"vendorId":"{number}"}}]')
        assert answer[:3] == [4, str(number), "InternalError"]


async def test_reading_stops_when_the_inbox_holds_too_many_bytes(start: Start) -> None:
    release = asyncio.Event()

    async def slow(station: StationContext, payload: JsonObject) -> JsonObject:
        await release.wait()
        return {"status": "Accepted"}

    server = await start({(V16, "DataTransfer"): slow})
    _, client = await server.online("S")
    text = "x" * (MAX_FRAME_BYTES // 2)
    for number in range(8):
        payload = f'{{"vendorId":"v","data":"{text}"}}'
        await client.send(f'[2,"m{number}","DataTransfer",{payload}]')
    await server.until(lambda: server.hub.stats().being_answered >= 2)
    for _ in range(50):
        await asyncio.sleep(0)
    assert server.hub.stats().being_answered <= 3
    release.set()
    assert [(await client.receive())[1] for _ in range(8)] == [f"m{n}" for n in range(8)]


async def test_a_call_that_is_no_json_never_takes_the_slot(server: Server) -> None:
    station, _ = await server.online("S")
    with pytest.raises(TypeError):
        await server.hub.call(
            station.id, action="Reset", payload={"a": object()}, message_id="x", timeout_s=1
        )
    assert server.hub.slot_free(station.id)


# ---- our CALLs -------------------------------------------------------------------------------


async def test_a_late_answer_is_not_given_to_the_next_call(server: Server) -> None:
    station, client = await server.online("S")
    with pytest.raises(CallTimeout):
        await reset(server, station.id, "first", timeout_s=0.01)
    assert (await client.receive())[1] == "first"
    calling = asyncio.create_task(reset(server, station.id, "second"))
    assert (await client.receive())[1] == "second"
    await client.send('[3,"first",{"status":"Rejected"}]')
    await server.until(lambda: server.count(LateAnswer))
    assert not calling.done()
    await client.send('[3,"second",{"status":"Accepted"}]')
    assert await calling == {"status": "Accepted"}
    assert LateAnswer(station.id, "first", {"status": "Rejected"}, None) in server.signals


async def test_calls_wait_for_the_one_slot_and_go_out_in_order(server: Server) -> None:
    station, client = await server.online("S")
    calls = [asyncio.create_task(reset(server, station.id, f"c{n}")) for n in range(5)]
    for number in range(5):
        assert (await client.receive())[1] == f"c{number}"
        assert not server.hub.slot_free(station.id)
        await client.send(f'[3,"c{number}",{{"status":"Accepted"}}]')
    assert await asyncio.gather(*calls) == [{"status": "Accepted"}] * 5
    assert server.hub.slot_free(station.id)


async def test_a_call_that_never_got_the_slot_was_never_sent(server: Server) -> None:
    station, client = await server.online("S")
    first = asyncio.create_task(reset(server, station.id, "first"))
    assert (await client.receive())[1] == "first"
    with pytest.raises(StationOffline):
        await reset(server, station.id, "second", timeout_s=0.01)
    await client.send('[3,"first",{"status":"Accepted"}]')
    await first
    third = asyncio.create_task(reset(server, station.id, "third"))
    assert (await client.receive())[1] == "third"
    await client.send('[3,"third",{"status":"Accepted"}]')
    await third


async def test_after_a_timeout_the_waiting_call_goes_out(server: Server) -> None:
    station, client = await server.online("S")
    first = asyncio.create_task(reset(server, station.id, "first", timeout_s=0.05))
    second = asyncio.create_task(reset(server, station.id, "second"))
    assert (await client.receive())[1] == "first"
    assert (await client.receive())[1] == "second"
    await client.send('[3,"second",{"status":"Accepted"}]')
    assert await second == {"status": "Accepted"}
    with pytest.raises(CallTimeout):
        await first


async def test_cancelling_the_wait_keeps_the_correlation(server: Server) -> None:
    station, client = await server.online("S")
    calling = asyncio.create_task(reset(server, station.id, "ours"))
    assert (await client.receive())[1] == "ours"
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert not server.hub.slot_free(station.id)
    await client.send('[3,"ours",{"status":"Accepted"}]')
    await server.until(lambda: server.count(LateAnswer))
    assert server.hub.slot_free(station.id)


async def test_cancelling_a_call_that_waits_takes_it_back(server: Server) -> None:
    station, client = await server.online("S")
    first = asyncio.create_task(reset(server, station.id, "first"))
    assert (await client.receive())[1] == "first"
    second = asyncio.create_task(reset(server, station.id, "second"))
    await server.until(lambda: server.hub.stats().calls_waiting)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await client.send('[3,"first",{"status":"Accepted"}]')
    await first
    assert server.hub.slot_free(station.id)


async def test_a_lost_socket_is_ambiguous_for_what_was_sent_only(server: Server) -> None:
    station, client = await server.online("S")
    sent = asyncio.create_task(reset(server, station.id, "sent"))
    waiting = asyncio.create_task(reset(server, station.id, "waiting"))
    assert (await client.receive())[1] == "sent"
    await client.close()
    with pytest.raises(ConnectionLost):
        await sent
    with pytest.raises(StationOffline):
        await waiting


async def test_a_truncated_answer_fails_its_call_and_keeps_the_socket(server: Server) -> None:
    station, client = await server.online("S")
    calling = asyncio.create_task(reset(server, station.id, "ours"))
    await client.receive()
    await client.send('[3,"ours",{"configurationKey":[]')
    with pytest.raises(Exception, match="InvalidAnswer"):
        await calling
    assert (await client.ask('[2,"hb","Heartbeat",{}]'))[0] == 3


# ---- bad frames ------------------------------------------------------------------------------


async def test_text_that_is_not_utf_8_closes_with_1007(server: Server) -> None:
    _, client = await server.online("S")
    await client.send(b'[2,"1","Heartbeat",{"a":"\xff"}]')
    assert await client.closed() == 1007


async def test_a_binary_frame_closes_with_1003(server: Server) -> None:
    _, client = await server.online("S")
    await client.socket.send_bytes(b'[2,"1","Heartbeat",{}]')
    assert await client.closed() == 1003


async def test_a_frame_over_the_limit_closes_with_1009(server: Server) -> None:
    _, client = await server.online("S")
    await client.send(b" " * (MAX_FRAME_BYTES + 1))
    assert await client.closed() == 1009


async def test_a_frame_at_the_limit_is_read(server: Server) -> None:
    _, client = await server.online("S")
    head = b'[2,"1","Heartbeat",{}'
    assert (await client.ask(head + b" " * (MAX_FRAME_BYTES - len(head) - 1) + b"]"))[0] == 3


async def test_empty_and_unreadable_frames_are_dropped_in_1_6(server: Server) -> None:
    _station, client = await server.online("S")
    for text in ("", "  ", "{", "[]", '[9,"1"]', '[6,"1","A",{}]', '[3,"unknown",{}]'):
        await client.send(text)
    assert (await client.ask('[2,"hb","Heartbeat",{}]'))[1] == "hb"
    assert server.hub.stats().garbled == 5
    assert server.hub.stats().strays == 1


async def test_a_broken_call_is_told_so(server: Server) -> None:
    _, client = await server.online("S")
    answer = await client.ask('[2,"7","Heartbeat",{"a":1,"a":2}]')
    assert answer[:3] == [4, "7", "FormationViolation"]


async def answer_2x(station: StationContext, payload: JsonObject) -> JsonObject:
    return {"status": "Accepted", "currentTime": "t", "interval": 1}


BOOT_2X = (
    '[2,"b","BootNotification",{"reason":"PowerUp",'
    '"chargingStation":{"model":"m","vendorName":"v"}}]'
)


@pytest.mark.parametrize(
    ("version", "answers"),
    [
        (V201, [[4, "-1", "RpcFrameworkError"], [4, "x", "MessageTypeNotSupported"]]),
        (V21, [[4, "-1", "RpcFrameworkError"]]),
    ],
)
async def test_broken_2_x_frames_are_answered(
    start: Start, version: OcppVersion, answers: list[Any]
) -> None:
    server = await start({(version, "BootNotification"): answer_2x})
    _, password = await server.register("S")
    client = await server.connect("S", password, protocols=(version.subprotocol,))
    assert (await client.ask(BOOT_2X))[0] == 3
    await client.send("{")
    await client.send('[6,"x","NotifyPeriodicEventStream",{}]')
    got = [await client.receive() for _ in answers]
    assert [answer[:3] for answer in got] == answers
    assert (await client.ask('[2,"y","Nope",{}]'))[:3] == [4, "y", "NotImplemented"]


async def test_a_send_is_served_in_order_and_never_answered(start: Start) -> None:
    seen: list[JsonObject] = []

    async def stream(station: StationContext, payload: JsonObject) -> JsonObject:
        seen.append(payload)
        return {}

    server = await start(
        {(V21, "BootNotification"): answer_2x, (V21, "NotifyPeriodicEventStream"): stream}
    )
    _, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp2.1",))
    payload = {"id": 1, "pending": 0, "basetime": "t", "data": [{"t": 0, "v": "1"}]}
    await client.send(orjson.dumps([6, "s", "NotifyPeriodicEventStream", payload]))
    assert (await client.ask(BOOT_2X))[1] == "b"
    assert seen == [payload]


# ---- storage, sockets ------------------------------------------------------------------------


async def test_a_full_disk_closes_with_1013_and_answers_nothing(start: Start) -> None:
    async def full(station: StationContext, payload: JsonObject) -> JsonObject:
        raise StorageFull("the disk is full")

    server = await start({(V16, "StatusNotification"): full})
    _, client = await server.online("S")
    await client.send('[2,"hb","Heartbeat",{}]')
    await client.send(status("lost"))
    await client.send(status("dropped"))
    assert (await client.receive())[:2] == [3, "hb"]
    message = await client.raw()
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1013)


async def test_a_ping_is_answered_with_its_content(server: Server) -> None:
    _, client = await server.online("S")
    await client.socket.ping(b"content")
    message = await client.raw()
    assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"content")


async def raw_station(server: Server, identity: str) -> tuple[asyncio.StreamReader, Any]:
    _, password = await server.register(identity)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
        f"Authorization: {basic(identity, password)}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"101 Switching" in head
    return reader, writer


def masked(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 126
    return struct.pack("!BB4x", 0x81, 0x80 | len(data)) + data


async def test_a_half_closed_socket_ends_the_connection(server: Server) -> None:
    _reader, writer = await raw_station(server, "S")
    await server.until(lambda: server.hub.is_connected(1))
    writer.write_eof()
    await server.until(lambda: not server.hub.is_connected(1))
    writer.close()


async def test_a_socket_that_is_reset_ends_the_connection(server: Server) -> None:
    reader, writer = await raw_station(server, "S")
    writer.write(masked(BOOT))
    await reader.readexactly(2)
    writer.transport.abort()
    await server.until(lambda: not server.hub.is_connected(1))


async def test_what_was_read_before_the_socket_closed_is_still_served(server: Server) -> None:
    _, writer = await raw_station(server, "S")
    for number in range(5):
        writer.write(masked(f'[2,"{number}","DataTransfer",{{"vendorId":"v{number}"}}]'))
    writer.write_eof()
    await server.until(lambda: not server.hub.is_connected(1))
    stored = await server.db.read(
        lambda tx: tx.all("SELECT vendor_id FROM data_transfers ORDER BY id")
    )
    assert [row[0] for row in stored] == [f"v{number}" for number in range(5)]
    writer.close()


async def test_nothing_is_answered_after_goodbye(server: Server) -> None:
    station, client = await server.online("S")
    await server.hub.disconnect(station.id, 1001, "bye")
    assert await client.closed() == 1001
    with pytest.raises(StationOffline):
        await reset(server, station.id, "late")


async def test_a_station_that_does_not_read_is_cut_off(start: Start) -> None:
    async def large(station: StationContext, payload: JsonObject) -> JsonObject:
        return {"status": "Accepted", "data": "x" * 500_000}

    server = await start({(V16, "DataTransfer"): large})
    station, client = await server.online("S")
    connection = server.hub.connection(station.id)
    assert connection is not None
    transport = client.socket._response.connection.transport
    transport.pause_reading()
    for number in range(40):
        await client.send(f'[2,"{number}","DataTransfer",{{"vendorId":"v"}}]')
    await server.until(lambda: connection.writing_since is not None)
    server.clock.advance(31)
    await server.hub.sweep()
    await server.until(lambda: not server.hub.is_connected(station.id))
    transport.resume_reading()


async def test_on_a_full_disk_heartbeats_go_on(server: Server) -> None:
    _, client = await server.online("S")
    _, other = await server.online("T")
    pages = await server.db.write(lambda tx: tx.value("PRAGMA page_count"))
    await server.db.write(lambda tx: tx.run(f"PRAGMA max_page_count = {pages}"))
    big = '{"connectorId":1,"errorCode":"NoError","status":"Available","info":"' + "i" * 9000 + '"}'
    await client.send(f'[2,"1","StatusNotification",{big}]')
    assert await client.closed() == 1013
    for number in range(3):
        assert (await other.ask(f'[2,"{number}","Heartbeat",{{}}]'))[0] == 3
    await server.db.write(lambda tx: tx.run("PRAGMA max_page_count = 1073741823"))
    _, again = await server.online("U")
    assert (await again.ask(f'[2,"1","StatusNotification",{big}]'))[0] == 3


async def test_heartbeats_do_not_commit(server: Server) -> None:
    _, client = await server.online("S")
    await server.log.flush()
    commits = server.db.stats.commits
    for number in range(20):
        await client.ask(f'[2,"{number}","Heartbeat",{{}}]')
    assert server.db.stats.commits - commits <= 1  # a batch of the message log at most
