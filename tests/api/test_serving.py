"""What never becomes a request: refused in our words, and neither repeated nor logged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from csms.api.serving import Runner

SECRET = b"csms_0123456789_Abcdefghijklmnop"
HOST = b"Host: csms\r\n"
FINE = b"GET /fine HTTP/1.1\r\n" + HOST + b"\r\n"
BAD = {
    "no colon": (b"GET / HTTP/1.1\r\nAuthorization Bearer %s\r\n\r\n", 400),
    "a control character": (b"GET / HTTP/1.1\r\nAuthorization: Bearer %s\x01\r\n\r\n", 400),
    "no number": (b"POST / HTTP/1.1\r\nContent-Length: %s\r\n\r\n", 400),
    "a blank in the path": (b"GET /ocpp/MY %s HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", 400),
    "no version": (b"GET /?token=%s HTTP/9.x\r\n\r\n", 400),
    "no method": (b"G(T /?token=%s HTTP/1.1\r\n\r\n", 400),
    "no address": (b"GET http://[::1/%s HTTP/1.1\r\n\r\n", 400),
    "no chunk": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx%s\r\n", 400),
    "a long header": (b"GET / HTTP/1.1\r\nX: %s" + b"x" * 8190 + b"\r\n\r\n", 431),
    "a long path": (b"GET /%s" + b"x" * 8190 + b" HTTP/1.1\r\n\r\n", 431),
}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def fine(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async def url(request: web.Request) -> web.Response:
        return web.Response(text=str(request.url))

    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError("broken")

    app = web.Application()
    app.router.add_get("/fine", fine)
    app.router.add_get("/url", url)
    app.router.add_get("/broken", broken)
    runner = Runner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made: int = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def told(port: int, *requests: bytes) -> tuple[int, bytes, bytes]:
    """Status, headers and body of the last answer; the others are fine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.read(10_000)
    writer.close()
    return int(head.split()[1]), head, body


@pytest.mark.parametrize("name", BAD)
async def test_it_is_refused_in_our_words(
    port: int, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    bad, expected = BAD[name]
    for before in ((), (FINE,)):
        status, head, body = await told(port, *before, bad.replace(b"%s", SECRET))
        assert expected == status
        assert b"application/problem+json" in head
        assert (expected, "http_error") == (json.loads(body)["status"], json.loads(body)["code"])
        assert SECRET not in head + body
        assert b"aiohttp" not in head
    assert "" == caplog.text
    assert ("", "") == tuple(capfd.readouterr())


async def test_a_fault_of_ours_is_in_the_log(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, body = await told(port, b"GET /broken HTTP/1.1\r\n" + HOST + b"\r\n")
    assert 500 == status
    assert b"Traceback" not in body
    assert "Traceback" in "".join(capfd.readouterr())


async def test_a_target_on_a_host_that_no_script_can_write_is_a_request_to_be_refused(
    port: int,
) -> None:
    request = b"GET http://xn--a/url HTTP/1.1\r\n" + HOST + b"\r\n"
    status, _, body = await told(port, request)
    assert (200, b"http://unreadable@unreadable/url") == (status, body)
