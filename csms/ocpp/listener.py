"""Sockets in: TLS, then a small protocol in front of aiohttp's that reads the first request head.

An upgrade goes to the endpoint from here and never meets aiohttp, whose parser, request, task and
routing would cost 400 µs of every reconnecting station. The same place owns the deadlines for
TLS and the head, and knows who does not speak what the port speaks. Everything else is aiohttp's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web

from csms.ocpp.endpoint import Endpoint, Refusal
from csms.ocpp.handshake import Upgrade, read_upgrade
from csms.ocpp.tls import address_of, peer_of
from csms.ocpp.tls_server import OnStranger, SecurityOf, TlsServer, bind
from csms.ocpp.websocket import transport_of

log = structlog.get_logger(__name__)

MAX_HEAD_BYTES = 8 * 1024
HEAD_TIMEOUT_S = 10.0
# Some thousand stations come back at the same moment after a restart.
BACKLOG = 4096
_END_OF_HEAD = b"\r\n\r\n"
_TLS_HANDSHAKE = 0x16

Runner = web.BaseRunner
ProtocolFactory = Callable[[], asyncio.Protocol]


class HeadShim(asyncio.Protocol):
    """Holds a new connection until its first request head is complete, then steps aside."""

    __slots__ = (
        "_deadline",
        "_endpoint",
        "_head",
        "_head_timeout_s",
        "_knocking",
        "_on_stranger",
        "_rest",
        "_transport",
    )

    def __init__(
        self,
        rest: ProtocolFactory | None,
        endpoint: Endpoint,
        *,
        on_stranger: OnStranger,
        head_timeout_s: float = HEAD_TIMEOUT_S,
    ) -> None:
        self._rest = rest
        self._endpoint = endpoint
        self._on_stranger = on_stranger
        self._head = b""
        self._knocking: asyncio.Task[None] | None = None
        self._head_timeout_s = head_timeout_s
        self._transport: asyncio.Transport
        self._deadline: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        self._transport = transport_of(transport)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._head_timeout_s, self._drop)

    def data_received(self, data: bytes) -> None:
        """Gather the head; hand over once it is complete."""
        self._head += data
        if self._knocking is not None:  # nobody has reason to send anything before the answer
            if len(self._head) > MAX_HEAD_BYTES:
                self._transport.pause_reading()
            return
        if self._head[0] == _TLS_HANDSHAKE:
            self._on_stranger(address_of(self._transport), "tls_on_plain_port", None)
            self._drop()
            return
        end = self._head.find(_END_OF_HEAD)
        if 0 <= end <= MAX_HEAD_BYTES:
            self._hand_over(end)
        elif len(self._head) > MAX_HEAD_BYTES:
            self._turn_away(b"431 Request Header Fields Too Large")

    def connection_lost(self, exc: Exception | None) -> None:
        """It left before it said anything, or before it was answered."""
        self._deadline.cancel()

    def _hand_over(self, end: int) -> None:
        self._deadline.cancel()
        upgrade = read_upgrade(self._head[:end], peer_of(self._transport))
        if upgrade is not None:
            self._head = self._head[end + len(_END_OF_HEAD) :]
            self._knocking = asyncio.get_running_loop().create_task(self._knock(upgrade))
            return
        if self._rest is None:
            self._turn_away(b"404 Not Found")
            return
        inner, data = self._rest(), self._head
        self._head = b""
        self._transport.set_protocol(inner)
        inner.connection_made(self._transport)
        inner.data_received(data)

    async def _knock(self, upgrade: Upgrade) -> None:
        transport = self._transport
        try:
            answer = await self._endpoint.knock(upgrade)
            if isinstance(answer, Refusal):
                transport.write(answer.encode())
                transport.close()
                return
            if len(self._head) > MAX_HEAD_BYTES and not transport.is_closing():
                transport.resume_reading()
            answer.enter(transport, self._head)
        except Exception:  # a task's outermost frame
            log.exception("upgrade failed")
            transport.abort()

    def _turn_away(self, status: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        self._drop()

    def _drop(self) -> None:
        self._deadline.cancel()
        self._head = b""
        self._transport.close()


async def listen(
    runner: Runner,
    endpoint: Endpoint,
    host: str,
    port: int,
    *,
    security_of: SecurityOf | None = None,
    stations_only: bool = False,
    on_stranger: OnStranger = lambda *_: None,
    head_timeout_s: float = HEAD_TIMEOUT_S,
) -> asyncio.Server | TlsServer:
    """Serve a runner that is set up; raises OSError when the address is taken.

    The runner's application has to hand upgrades that come later on a connection to the endpoint.
    """
    assert runner.server is not None
    rest = None if stations_only else runner.server

    def shim() -> HeadShim:
        return HeadShim(rest, endpoint, on_stranger=on_stranger, head_timeout_s=head_timeout_s)

    if security_of is not None:
        return TlsServer(
            await bind(host, port, backlog=BACKLOG),
            shim,
            security_of=security_of,
            on_stranger=on_stranger,
            handshake_timeout_s=head_timeout_s,
        )
    loop = asyncio.get_running_loop()
    return await loop.create_server(shim, host, port, backlog=BACKLOG)
