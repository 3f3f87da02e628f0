"""One delivery over real sockets: what is sent, to where, and how long that may take."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from csms.services.webhook_sending import MOST_SHOWN, Answer, DeliveryFailed, Sender
from tests.pki import Authority

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Receive = Callable[..., Awaitable[TestServer]]
LOOPBACK = ("127.0.0.1", "localhost", "receiver.test")


@pytest.fixture
async def receive() -> AsyncIterator[Receive]:
    """Starts a receiver that answers with `handler`."""
    async with AsyncExitStack() as stack:

        async def start(handler: Handler, **more: Any) -> TestServer:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            server = TestServer(app)
            await server.start_server(**more)
            stack.push_async_callback(server.close)
            return server

        yield start


def url_of(server: TestServer, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.port}/in?key=a%2Fb"


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """What the system's resolver answers, one look-up after the other; returns who was asked."""
    asked: list[str] = []
    given = iter(answers)

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port),
            )
            for one in next(given)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


async def test_the_body_and_the_headers_arrive_as_they_are(receive: Receive) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, await request.read(), request.headers))
        headers = {"Retry-After": "120"}
        return web.Response(status=202, text="thanks\x1b[31m\n", headers=headers)

    server = await receive(handler)
    sender = Sender(allowed=LOOPBACK)
    answer = await sender.post(url_of(server), b'{"a":1}', {"webhook-id": "msg_1"})
    assert answer == Answer(202, "thanks [31m", "120")
    ((method, path, body, headers),) = seen
    assert (method, path, body) == ("POST", "/in?key=a%2Fb", b'{"a":1}')
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == "msg_1"
    assert "Accept-Encoding" not in headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(receive: Receive, status: int) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    server = await receive(handler)
    answer = await Sender(allowed=LOOPBACK).post(url_of(server), b"{}", {})
    assert (answer.status, asked) == (status, ["/in"])


async def test_no_more_of_an_answer_is_read_than_a_little(receive: Receive) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with pytest.raises((ConnectionError, asyncio.CancelledError)):
            while True:
                await response.write(b"x" * 65536)
        return response

    server = await receive(handler)
    answer = await Sender(allowed=LOOPBACK, timeout_s=20).post(url_of(server), b"{}", {})
    assert answer == Answer(200, "x" * MOST_SHOWN)


async def test_a_compressed_answer_is_not_unpacked(receive: Receive) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})

    server = await receive(handler)
    answer = await Sender(allowed=LOOPBACK).post(url_of(server), b"{}", {})
    assert answer == Answer(200, "not gzip at all")


async def test_a_receiver_that_does_not_answer_is_given_up(receive: Receive) -> None:
    async def handler(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    server = await receive(handler)
    with pytest.raises(DeliveryFailed) as failure:
        await Sender(allowed=LOOPBACK, timeout_s=0.2).post(url_of(server), b"{}", {})
    assert failure.value.code == "delivery_timeout"


async def test_a_receiver_that_drips_is_given_up(receive: Receive) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0)

    server = await receive(handler)
    with pytest.raises(DeliveryFailed):
        await Sender(allowed=LOOPBACK, timeout_s=0.3).post(url_of(server), b"{}", {})


async def test_an_answer_that_a_library_stumbles_over_is_a_failure(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: Any) -> None:
        raise LookupError("of a kind that nobody expected")

    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    monkeypatch.setattr(aiohttp.ClientResponse, "content", property(stumble), raising=False)
    server = await receive(answer)
    with pytest.raises(DeliveryFailed, match="of a kind that nobody expected"):
        await Sender(allowed=LOOPBACK).post(url_of(server), b"{}", {})


async def test_nobody_listening_is_a_failure() -> None:
    with pytest.raises(DeliveryFailed) as failure:
        await Sender(allowed=LOOPBACK).post(f"http://127.0.0.1:{unused_port()}/", b"{}", {})
    assert failure.value.code == "delivery_failed"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://017700000001:{port}/",
        "https://127.1:{port}/",
        "https://localhost:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://[::1]:{port}/",
        "https://0:{port}/",
    ],
)
async def test_loopback_is_not_connected_to_however_it_is_written(
    receive: Receive, url: str
) -> None:
    connected = []

    async def connect(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(url)
        writer.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DeliveryFailed) as failure:
            await Sender(timeout_s=5).post(url.format(port=port), b"{}", {})
    assert failure.value.code in {"target_not_allowed", "name_not_resolved"}
    assert connected == []


async def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "10.0.0.7"])
    with pytest.raises(DeliveryFailed) as failure:
        await Sender().post("https://rebind.example/", b"{}", {})
    assert failure.value.code == "target_not_allowed"
    assert "10.0.0.7" in failure.value.message


async def test_the_name_is_asked_for_once_and_the_connection_goes_to_that_answer(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["Host"])

    server = await receive(handler)
    asked = resolve_to(monkeypatch, ["127.0.0.1"], ["10.0.0.7"], ["10.0.0.7"])
    answer = await Sender(allowed=LOOPBACK).post(url_of(server, "receiver.test"), b"{}", {})
    assert (answer.status, answer.text) == (200, f"receiver.test:{server.port}")
    assert asked == ["receiver.test"]


async def test_a_slow_resolver_holds_up_neither_the_loop_nor_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        answered.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(DeliveryFailed) as failure:
        await Sender(timeout_s=0.1).post("https://slow.example/", b"{}", {})
    assert failure.value.code == "delivery_timeout"
    assert [t.daemon for t in threading.enumerate() if t.name == "csms-resolve"] == [True]
    answered.set()


@pytest.fixture
async def over_tls(receive: Receive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestServer:
    """A receiver whose certificate is for `localhost`, of an authority that this machine trusts."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=204)

    trusted = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = trusted.server()
    context.load_cert_chain(pair.certificate, pair.key)
    return await receive(handler, ssl=context)


async def test_the_certificate_is_for_the_name_and_not_for_the_address(
    over_tls: TestServer,
) -> None:
    sender = Sender(allowed=LOOPBACK)
    answer = await sender.post(f"https://LocalHost:{over_tls.port}/", b"{}", {})
    assert answer.status == 204
    with pytest.raises(DeliveryFailed, match="certificate"):
        await sender.post(f"https://127.0.0.1:{over_tls.port}/", b"{}", {})


async def test_a_certificate_of_nobody_known_is_refused(
    over_tls: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DeliveryFailed, match="certificate"):
        await Sender(allowed=LOOPBACK).post(f"https://localhost:{over_tls.port}/", b"{}", {})


async def test_a_proxy_of_the_environment_is_not_used(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=204)

    server = await receive(handler)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    answer = await Sender(allowed=LOOPBACK).post(url_of(server), b"{}", {})
    assert answer.status == 204
