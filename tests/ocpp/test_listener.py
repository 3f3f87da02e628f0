from __future__ import annotations

import asyncio
import ssl
import time

import pytest

from csms.ocpp.listener import MAX_HEAD_BYTES, upgrade_head
from tests.ocpp.conftest import Server, basic

KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="


WEBSOCKET = b"GET / HTTP/1.1\r\nUpgrade: websocket"


@pytest.mark.parametrize(
    ("head", "added"),
    [
        (WEBSOCKET + b"\r\n" + KEY, True),
        (b"GET / HTTP/1.1\r\nupgrade:WebSocket\r\n" + KEY.lower(), True),
        (WEBSOCKET + b"\r\nConnection: keep-alive\r\n" + KEY, True),
        (WEBSOCKET + b"\r\nConnection: Upgrade\r\n" + KEY, False),
        (WEBSOCKET + b"\r\nConnection: close, upgrade\r\n" + KEY, False),
        (WEBSOCKET + b"\r\nConnection: close\r\nConnection: upgrade\r\n" + KEY, False),
        (WEBSOCKET, False),
    ],
)
def test_only_a_missing_connection_upgrade_is_added(head: bytes, added: bool) -> None:
    assert upgrade_head(head) == (head + b"\r\nConnection: Upgrade" if added else head)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n" + KEY,
        b"GET / HTTP/1.1\r\n" + KEY,
        b"GET /websocket HTTP/1.1",
        b"",
        b"\x00\xff\r\n:::\r\n",
    ],
)
def test_what_is_no_upgrade_is_left_alone(head: bytes) -> None:
    assert upgrade_head(head) is None


def test_headers_that_nobody_reads_are_left_out_of_an_upgrade() -> None:
    head = WEBSOCKET + b"\r\nConnection: Upgrade\r\n" + KEY
    noise = b"\r\nAccept: */*\r\nCOOKIE: a=b\r\nUser-Agent: x\r\nAccept-Encoding: gzip"
    assert upgrade_head(head + noise) == head
    browser = head + b"\r\nOrigin: http://x\r\nUser-Agent: Mozilla/5.0"
    assert upgrade_head(browser) == browser
    folded = head + b"\r\nAccept: */*\r\n folded"
    assert upgrade_head(folded) == folded


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
async def test_a_head_that_never_ends_is_cut_off(server: Server, first: bytes) -> None:
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
    await server.until(lambda: server.tls_seen)
    assert server.tls_seen == ["127.0.0.1"]


async def test_garbage_is_answered_and_closed(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x00\x01\x02 garbage\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.0 400")
    writer.close()
