"""The addresses that are listened on, and certificates that change under them."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from csms.clock import ManualClock
from csms.host import parse_listen
from csms.ocpp import tls_server
from csms.ocpp.doors import CannotListen, Doors
from csms.ocpp.endpoint import Endpoint
from csms.ocpp.tls import TlsFiles
from csms.services import inbox
from csms.store.database import Database
from tests.acceptance.processes import free_port
from tests.ocpp.conftest import Server
from tests.pki import HOST, TODAY, Authority, Pair, client


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def files(pair: Pair, client_ca: Path | None = None) -> TlsFiles:
    return TlsFiles((pair.certificate,), (pair.key,), client_ca)


def address(options: str = "") -> str:
    return f"127.0.0.1:{free_port()}{options}"


class Opened:
    """Doors, the tasks they spawned, and a way to knock."""

    def __init__(self, server: Server, *addresses: str, files: TlsFiles | None = None) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self._server = server
        self.doors = Doors(
            [parse_listen(one) for one in addresses],
            files,
            db=server.db,
            clock=server.clock,
            spawn=self._spawn,
        )

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def open(self, endpoint: Endpoint) -> None:
        runner = web.ServerRunner(web.Server(self._nothing))
        await runner.setup()
        await self.doors.open(runner, endpoint, head_timeout_s=1.0)

    async def _nothing(self, request: web.BaseRequest) -> web.Response:
        return web.Response()

    async def shown(self, trusted: Authority) -> bytes:
        """The certificate that a new connection gets to see."""
        port = self.doors.ports[0]
        _, writer = await asyncio.open_connection(HOST, port, ssl=client(trusted))
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return shown


@pytest.fixture
def endpoint(server: Server) -> Endpoint:
    return server.endpoint


def touch(path: Path, second: int) -> None:
    """Make the file look changed, however fast the test is."""
    os.utime(path, (second, second))


async def test_new_certificates_count_for_new_connections_and_drop_no_other(
    server: Server, endpoint: Endpoint, ours: Authority
) -> None:
    opened = Opened(server, address(",tls"), files=files(ours.server()))
    await opened.open(endpoint)
    before = await opened.shown(ours)
    port = opened.doors.ports[0]
    reader, writer = await asyncio.open_connection(HOST, port, ssl=client(ours))
    await opened.doors.look()
    assert before == await opened.shown(ours)
    touch(ours.server().certificate, 1)
    await opened.doors.look()
    assert before != await opened.shown(ours)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200" in await reader.readline()
    writer.close()
    opened.doors.close()


async def test_broken_files_leave_the_old_certificates(
    server: Server, endpoint: Endpoint, ours: Authority
) -> None:
    pair = ours.server()
    opened = Opened(server, address(",tls"), files=files(pair))
    await opened.open(endpoint)
    before = await opened.shown(ours)
    good = pair.certificate.read_bytes()
    for bad in (b"", good[:100]):
        pair.certificate.write_bytes(bad)
        await opened.doors.look()
    pair.certificate.unlink()
    await opened.doors.look()
    assert before == await opened.shown(ours)
    pair.certificate.write_bytes(good)
    await opened.doors.look()
    assert before == await opened.shown(ours)
    opened.doors.close()


async def test_an_end_that_is_near_is_told_once_a_step(
    server: Server, clock: ManualClock, db: Database, ours: Authority
) -> None:
    clock.advance((TODAY - clock.now()).total_seconds())
    opened = Opened(server, files=files(ours.server(days=31)))
    told = []
    for days in (0, 2, 10, 13, 2, 3, 2):  # 31, 29, 19, 6, 4, 1 and -1 days are left
        clock.advance(timedelta(days=days).total_seconds())
        await opened.doors.look()
        told.append(len(await server.events("server_certificate.expiring")))
    assert [0, 1, 1, 2, 2, 3, 4] == told


async def test_who_fails_before_an_upgrade_is_in_the_inbox_once_a_second(
    server: Server, endpoint: Endpoint, ours: Authority
) -> None:
    opened = Opened(server, address(",tls"), files=files(ours.server()))
    await opened.open(endpoint)
    for _ in range(3):
        reader, writer = await asyncio.open_connection(HOST, opened.doors.ports[0])
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
    await asyncio.gather(*opened.tasks)
    (entry,) = await server.db.read(inbox.list_entries)
    assert ("plain_on_tls_port", 1) == (entry.cause, entry.attempts)
    opened.doors.close()


async def test_a_port_asks_for_certificates_or_does_not(
    server: Server, endpoint: Endpoint, ours: Authority
) -> None:
    given = files(ours.server(), ours.file)
    opened = Opened(server, address(), address(",tls"), address(",mtls"), files=given)
    await opened.open(endpoint)
    plain, tls, mtls = opened.doors.ports
    for port, context in (
        (plain, None),
        (tls, client(ours)),
        (mtls, client(ours, ours.station("S"))),
    ):
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in await reader.readline()
        writer.close()
    nameless = client(ours, at_most=ssl.TLSVersion.TLSv1_2)  # later ones hear of it later
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(HOST, mtls, ssl=nameless)
    opened.doors.close()


@pytest.mark.parametrize("option", ["tls", "mtls"])
async def test_tls_without_files_is_said(server: Server, endpoint: Endpoint, option: str) -> None:
    with pytest.raises(CannotListen, match=r"tls\.certificates"):
        await Opened(server, address(f",{option}")).open(endpoint)


async def test_certificates_of_stations_need_a_ca(
    server: Server, endpoint: Endpoint, ours: Authority
) -> None:
    opened = Opened(server, address(), address(",mtls"), files=files(ours.server()))
    with pytest.raises(CannotListen, match=r"tls\.client_ca"):
        await opened.open(endpoint)
    assert [] == opened.doors.ports


async def test_a_failed_accept_is_not_the_last_one(
    server: Server, endpoint: Endpoint, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_server, "PAUSE_S", 0)
    loop = asyncio.get_running_loop()
    accept, failures = loop.sock_accept, [OSError(errno.EMFILE, "Too many open files")] * 3

    async def failing(listening: socket.socket) -> Any:
        if failures:
            raise failures.pop()
        return await accept(listening)

    monkeypatch.setattr(loop, "sock_accept", failing)
    opened = Opened(server, address(",tls"), files=files(ours.server()))
    await opened.open(endpoint)
    assert await opened.shown(ours)
    assert [] == failures
    opened.doors.close()
