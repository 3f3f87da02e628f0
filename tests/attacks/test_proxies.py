from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.processes import Server, eventually
from tests.attacks.proxies import Proxy
from tests.attacks.witness import Known, register
from tests.attacks.words import basic
from tests.pki import client

pytestmark = pytest.mark.campaign
NAMES = ("nginx", "caddy", "haproxy")


@pytest.fixture(params=NAMES)
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    server = Server(
        tmp_path / "server",
        dev=False,
        CSMS_LOG__LEVEL="warning",
        CSMS_ONBOARDING__MODE="closed",
        CSMS_TRUSTED_PROXIES="127.0.0.1",
    )
    made = Proxy(request.param, tmp_path, server)
    if not made.is_installed:
        pytest.skip(f"{made.name} is not installed")
    server.start()
    made.start()
    yield made
    made.stop()
    assert server.stop() == 0


async def come_in(
    proxy: Proxy,
    station: Known,
    headers: Mapping[str, str] | None = None,
    *,
    context: ssl.SSLContext | None = None,
) -> int:
    """Boot through the proxy; the status of the handshake."""
    context = context or client(proxy.authority)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as http:
        try:
            async with http.ws_connect(
                f"wss://localhost:{proxy.port}/ocpp/{station.identity}",
                protocols=["ocpp1.6"],
                headers=headers,
            ) as socket:
                boot = {"chargePointVendor": "V", "chargePointModel": "M"}
                await socket.send_json([2, "b", "BootNotification", boot])
                assert "Accepted" == (await socket.receive_json())[2]["status"]
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def test_a_station_comes_in_with_security_profile_2(proxy: Proxy) -> None:
    station = register(proxy.server, "S")
    credentials = basic(station.identity, station.password)
    lies = {"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "http"}
    assert 101 == await come_in(proxy, station, {**credentials, **lies})
    await asyncio.to_thread(
        eventually, lambda: station.show()["security_profile"] == 2, timeout_s=10
    )
    page = proxy.server.client.get(f"/api/v1/stations/{station.id}/connections")
    assert {"127.0.0.1"} == {one["address"] for one in page["items"]}


async def test_nobody_brings_the_certificate_of_a_station_in_a_header(proxy: Proxy) -> None:
    station = register(proxy.server, "S")
    for name in ("Client-Cert", "client-cert", "CLIENT_CERT", "Client_Cert"):
        assert 401 == await come_in(proxy, station, {name: certificate_of(proxy, station)})
    assert 401 == await come_in(proxy, station)


async def test_nothing_is_smuggled_past_the_proxy(proxy: Proxy) -> None:
    """A request in a request, or behind an upgrade that fails: the proxy is not asked about it.

    From the proxy's own address, with the certificate of a station in its head, it would open the
    door. HTTP desynchronisation, and websocket smuggling (0ang3el/websocket-smuggle).
    """
    station = register(proxy.server, "S")
    inner = (
        f"GET /ocpp/{station.identity} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
        f"X-Forwarded-Proto: https\r\nClient-Cert: {certificate_of(proxy, station)}\r\n\r\n"
    )
    heads = (
        f"Content-Length: {len(inner) + 5}\r\nTransfer-Encoding: chunked",
        f"Content-Length: {len(inner) + 5}\r\nTransfer-Encoding: xchunked",
        f"Content-Length: 0\r\nContent-Length: {len(inner) + 5}",
        f"Transfer-Encoding:\x0bchunked\r\nContent-Length: {len(inner) + 5}",
        "Content-Length: 0\r\nUpgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: websocket\r\nSec-WebSocket-Version: 777\r\nConnection: Upgrade",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    )
    for path in ("/healthz", "/ocpp/nobody"):
        for head in heads:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", proxy.port, ssl=client(proxy.authority), server_hostname="localhost"
            )
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n"
            writer.write(f"{request}0\r\n\r\n{inner}".encode())
            assert b" 101 " not in await read_all(reader), head
            writer.close()
    assert station.show()["last_connected_at"] is None


def certificate_of(proxy: Proxy, station: Known) -> str:
    """As RFC 9440 writes it."""
    pem = proxy.authority.station(station.identity).certificate.read_text()
    return ":" + "".join(pem.partition("-----END")[0].splitlines()[1:]) + ":"


async def read_all(reader: asyncio.StreamReader) -> bytes:
    answered = b""
    try:
        async with asyncio.timeout(0.6):
            while chunk := await reader.read(65536):
                answered += chunk
    except (TimeoutError, ConnectionError):
        pass
    return answered


async def test_a_certificate_that_haproxy_verified_is_the_stations(
    proxy: Proxy, tmp_path: Path
) -> None:
    if proxy.name != "haproxy":
        pytest.skip("the shipped configuration passes certificates on with HAProxy only")
    station, other = register(proxy.server, "S"), register(proxy.server, "S")
    context = client(proxy.authority, proxy.authority.station(station.identity))
    assert 101 == await come_in(proxy, station, context=context)
    assert 401 == await come_in(proxy, other, context=context)
    assert 3 == station.show()["security_profile"]


def test_each_is_named_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    names: list[Any] = ["proxies/nginx.conf", "proxies/Caddyfile", "proxies/haproxy.cfg"]
    assert all(name in text for name in names)
