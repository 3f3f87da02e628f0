from __future__ import annotations

import asyncio
import ssl
import time

import pytest

from csms.ocpp.handshake import Peer, read_upgrade
from csms.ocpp.listener import MAX_HEAD_BYTES, Silent, listen
from tests.ocpp.conftest import Server, Start, basic

KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="


WEBSOCKET = b"GET /ocpp/S HTTP/1.1\r\nUpgrade: websocket"


@pytest.mark.parametrize(
    "head",
    [
        WEBSOCKET + b"\r\n" + KEY,
        b"GET /ocpp/S HTTP/1.1\r\nupgrade:WebSocket\r\n" + KEY.lower(),
        WEBSOCKET + b"\r\nConnection: keep-alive\r\n" + KEY,
        WEBSOCKET,
    ],
)
def test_a_websocket_in_the_upgrade_header_is_enough(head: bytes) -> None:
    upgrade = read_upgrade(head, Peer("192.0.2.1"))
    assert upgrade is not None
    assert (upgrade.method, upgrade.target, upgrade.address) == ("GET", "/ocpp/S", "192.0.2.1")
    assert upgrade.headers["upgrade"].lower() == "websocket"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n" + KEY,
        b"GET / HTTP/1.1\r\n" + KEY,
        b"GET /websocket HTTP/1.1",
        b"",
        b"\x00\xff\r\n:::\r\n",
        WEBSOCKET + b"\r\nAccept: */*\r\n folded",
        WEBSOCKET + b"\r\nno colon",
        WEBSOCKET + b"\r\nSpace : x",
    ],
)
def test_what_is_no_upgrade_or_broken_is_left_to_the_http_server(head: bytes) -> None:
    assert read_upgrade(head, Peer("")) is None


def test_blanks_that_nobody_escaped_belong_to_the_target() -> None:
    upgrade = read_upgrade(b"GET /ocpp/My Box 1 HTTP/1.1\r\nUpgrade: websocket", Peer(""))
    assert upgrade is not None
    assert upgrade.target == "/ocpp/My Box 1"


def test_repeated_headers_are_one_list() -> None:
    twice = b"\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\nsec-websocket-protocol:ocpp1.6,x"
    upgrade = read_upgrade(WEBSOCKET + twice, Peer(""))
    assert upgrade is not None
    assert upgrade.offered == ["ocpp2.0.1", "ocpp1.6", "x"]


@pytest.mark.parametrize(
    ("lines", "valid"),
    [
        (b"Sec-WebSocket-Version: 13\r\n" + KEY, True),
        (b"Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n" + KEY, True),
        (b"Sec-WebSocket-Version: 13\r\nContent-Length: 5\r\n" + KEY, False),
        (b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked\r\n" + KEY, False),
        (b"Sec-WebSocket-Version: 12\r\n" + KEY, False),
        (b"Sec-WebSocket-Version: 13", False),
        (b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short", False),
        (b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \xff", False),
    ],
)
def test_a_handshake_is_checked(lines: bytes, valid: bool) -> None:
    upgrade = read_upgrade(WEBSOCKET + b"\r\n" + lines, Peer(""))
    assert upgrade is not None
    assert (upgrade.accept is not None) == valid


def test_the_accept_header_is_the_one_of_the_rfc() -> None:
    key = b"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    upgrade = read_upgrade(WEBSOCKET + key, Peer(""))
    assert upgrade is not None
    assert upgrade.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def upgrade(server: Server, password: str, *lines: str) -> bytes:
    head = [
        "GET /ocpp/S HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        KEY.decode(),
        "Sec-WebSocket-Protocol: ocpp1.6",
        f"Authorization: {basic('S', password)}",
        *lines,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n"


@pytest.mark.parametrize("lines", [(), ("Connection: keep-alive",), ("Connection: Upgrade",)])
async def test_an_autel_without_connection_upgrade_gets_in(
    server: Server, lines: tuple[str, ...]
) -> None:
    station, password = await server.register("S")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(upgrade(server, password, *lines))
    assert b"101" in await reader.readline()
    await server.until(lambda: server.hub.is_connected(station.id))
    writer.close()


async def test_a_head_that_comes_byte_by_byte_is_read(server: Server) -> None:
    station, password = await server.register("S")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for byte in upgrade(server, password):
        writer.write(bytes([byte]))
        await writer.drain()
    assert b"101" in await reader.readline()
    await server.until(lambda: server.hub.is_connected(station.id))
    writer.close()


async def test_a_frame_sent_along_with_the_head_is_not_lost(server: Server) -> None:
    _, password = await server.register("S")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    text = b'[2,"h","Heartbeat",{}]'
    frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
    writer.write(upgrade(server, password) + frame)
    await reader.readuntil(b"\r\n\r\n")
    head = await reader.readexactly(2)
    assert (await reader.readexactly(head[1])).startswith(b'[3,"h"')
    writer.close()


async def test_rest_works_with_keep_alive_and_large_bodies(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for size in (0, 10, 9000, 300_000):
        writer.write(
            f"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"b" * size
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert await reader.readexactly(length) == f'{{"path": "/a", "size": {size}}}'.encode()
    writer.close()


async def test_a_head_with_a_long_body_in_the_first_packet_is_no_long_head(server: Server) -> None:
    async with server.http.post(server.url("/x"), data=b"b" * 100_000) as response:
        assert (await response.json())["size"] == 100_000


async def test_a_head_over_the_limit_is_refused(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nX: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost:", b"\r\n"])
async def test_a_head_that_never_ends_is_cut_off(start: Start, first: bytes) -> None:
    server = await start(head_timeout_s=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    began = time.monotonic()
    writer.write(first)
    assert await reader.read() == b""
    assert time.monotonic() - began < 5
    writer.close()


async def test_a_tls_client_on_the_plain_port_is_recognised(server: Server) -> None:
    context = ssl.create_default_context()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
    await server.until(lambda: server.strangers)
    assert [("127.0.0.1", "tls_on_plain_port", None)] == server.strangers


async def test_garbage_is_answered_and_closed(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x00\x01\x02 garbage\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.0 400")
    writer.close()


async def test_an_upgrade_after_rest_on_the_same_connection_is_served(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    station, password = await server.register("S")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for _ in range(2):
        writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    text = b'[2,"h","Heartbeat",{}]'
    frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
    writer.write(upgrade(server, password, "Connection: Upgrade") + frame)
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    for _ in range(3):
        head = await reader.readexactly(2)
        assert (await reader.readexactly(head[1])).startswith(b'[3,"h"')
        writer.write(frame)
    await server.until(lambda: server.hub.is_connected(station.id))
    writer.close()
    await server.until(lambda: not server.hub.is_connected(station.id))
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "WARNING"}]


async def test_a_refusal_after_rest_on_the_same_connection_is_an_answer(server: Server) -> None:
    await server.register("S")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    writer.write(upgrade(server, "wrong", "Connection: Upgrade"))
    answer = await reader.read()
    assert b" 401 " in answer
    assert b'WWW-Authenticate: Basic realm="csms"' in answer
    writer.close()


async def test_of_too_many_that_say_nothing_the_oldest_go(server: Server) -> None:
    silent = Silent(limit=3)
    station, password = await server.register("S")
    listening = await listen(server.runner, server.endpoint, "127.0.0.1", 0, silent=silent)
    assert isinstance(listening, asyncio.Server)
    port = listening.sockets[0].getsockname()[1]
    sockets = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
    async with asyncio.timeout(10):
        assert [b"", b""] == [await reader.read() for reader, _ in sockets[:2]]
    server.port = port
    await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    assert len(silent) == 2  # the station was one of the three for a moment
    for _, writer in sockets:
        writer.close()
    await server.until(lambda: not len(silent))
    listening.close()


async def test_programs_beyond_the_limit_are_turned_away_and_stations_are_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csms.ocpp.listener.MAX_PROGRAMS", 1)
    station, password = await server.register("S")
    request = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    first = await asyncio.open_connection("127.0.0.1", server.port)
    first[1].write(request)
    assert b" 200 " in await first[0].readline()
    second = await asyncio.open_connection("127.0.0.1", server.port)
    second[1].write(request)
    assert b" 503 " in await second[0].readline()
    await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    for _, writer in (first, second):
        writer.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
async def test_a_head_whose_lines_end_in_bare_lf_is_refused_at_once(
    server: Server, end: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /ocpp/S HTTP/1.1\nUpgrade: websocket\n" + end)
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()
    detail = "the lines of its request end in LF, and not in CR LF"
    assert [("127.0.0.1", "bad_handshake", detail)] == server.strangers
