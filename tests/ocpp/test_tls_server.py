"""Handshakes that never come to a request: who is told of, and who only looked at the port."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator

import pytest

from csms.ocpp import tls
from csms.ocpp.listener import HEAD_TIMEOUT_S
from csms.ocpp.tls import TlsFiles
from csms.ocpp.tls_server import TlsServer, bind
from tests.pki import HOST, Authority, client

LOOPBACK = "127.0.0.1"
Told = asyncio.Queue[tuple[str, str, str | None]]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture
def told() -> Told:
    """Address, cause and detail of those who never came to a request."""
    return asyncio.Queue()


@pytest.fixture
async def port(ours: Authority, told: Told, request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """Where a server listens; its parameter is for how long a handshake may last."""
    own = ours.server("ec")
    contexts = tls.load(TlsFiles(certificates=(own.certificate,), keys=(own.key,)))
    sockets = await bind(LOOPBACK, 0, backlog=8)
    server = TlsServer(
        sockets,
        asyncio.Protocol,
        security_of=lambda: contexts.by_password,
        on_stranger=lambda *stranger: told.put_nowait(stranger),
        handshake_timeout_s=getattr(request, "param", HEAD_TIMEOUT_S),
    )
    yield sockets[0].getsockname()[1]
    server.close()


async def first_told(told: Told) -> tuple[str, str, str | None]:
    async with asyncio.timeout(5):
        return await told.get()


def hello(trusted: Authority) -> bytes:
    """What a station says first."""
    sent = ssl.MemoryBIO()
    own = client(trusted).wrap_bio(ssl.MemoryBIO(), sent, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        own.do_handshake()
    return sent.read()


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize("whole", [False, True])
async def test_who_leaves_in_the_middle_is_told_of(
    port: int, told: Told, ours: Authority, whole: bool, abruptly: bool
) -> None:
    said = hello(ours)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(said if whole else said[:50])
    if whole:
        await reader.read(1)  # our certificate is on its way
    if abruptly:
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    writer.close()
    assert (LOOPBACK, "tls_dropped", "it closed the connection") == await first_told(told)


@pytest.mark.parametrize("port", [0.2], indirect=True)
@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01"])
async def test_a_handshake_that_never_ends_is_cut_off(port: int, told: Told, first: bytes) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(first)
    async with asyncio.timeout(5):
        assert b"" == await reader.read()
    writer.close()
    if first:
        assert (LOOPBACK, "tls_dropped", "it said no more") == await first_told(told)
    assert 0 == told.qsize()


async def test_who_only_looks_whether_the_port_is_open_is_not_told_of(
    port: int, told: Told
) -> None:
    for said in (b"", b"", b"GET / HTTP/1.1\r\n\r\n"):
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(said)
        writer.close()
    assert "plain_on_tls_port" == (await first_told(told))[1]
    assert 0 == told.qsize()
