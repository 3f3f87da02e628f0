"""A port for stations alone: their sockets, the files that they have a link for, nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ocpp.conftest import Server, Start

HOST = "127.0.0.1"


async def test_a_port_for_stations_has_no_api(start: Start) -> None:
    server = await start(stations_only=True)
    _, password = await server.register("S")
    async with server.http.get(server.url("/api/v1/stations")) as response:
        assert 404 == response.status
    await server.connect("S", password)


async def raw(server: Server, *requests: str) -> str:
    """All that comes back on one connection, until it is closed."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write("".join(requests).encode())
    async with asyncio.timeout(5):
        told = await reader.read()
    writer.close()
    return told.decode()


@pytest.mark.parametrize("more", ["", "Connection: keep-alive\r\n"])
async def test_a_port_for_stations_serves_files_and_nothing_after(start: Start, more: str) -> None:
    server = await start(stations_only=True)
    asked = f"GET /files/x/y HTTP/1.1\r\nHost: a\r\n{more}\r\n"
    told = await raw(server, asked)  # to the end of the connection
    assert told.startswith("HTTP/1.1 200 ")
    assert '"path": "/files/x/y"' in told
    told = await raw(server, asked, asked.replace("/files/x/y", "/api/v1/stations"))
    assert '"path": "/api' not in told


@pytest.mark.parametrize(
    "line",
    [
        "GET /files/x HTTP/1.0",
        "GET /filesx HTTP/1.1",
        "GET /api/v1/stations?/files/ HTTP/1.1",
        "GET http://a/files/x HTTP/1.1",
        "GET  /files/x HTTP/1.1",
        "GET /files/x",
    ],
)
async def test_a_port_for_stations_serves_nothing_like_files(start: Start, line: str) -> None:
    server = await start(stations_only=True)
    told = await raw(server, f"{line}\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    assert told.startswith("HTTP/1.1 404 Not Found\r\nConnection: close")
