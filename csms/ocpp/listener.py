"""Sockets in: a small protocol in front of aiohttp's that reads the first request head.

Autel MaxiCharger US (firmware 1.38.00) leaves `Connection: Upgrade` out, which aiohttp's parser
cannot forgive; that header is added here. The same place owns the deadline for the head and
knows a TLS client that dialled the plain port. Everything after the first head goes to aiohttp
directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

MAX_HEAD_BYTES = 8 * 1024
HEAD_TIMEOUT_S = 10.0
# Some thousand stations come back at the same moment after a restart.
BACKLOG = 4096
_END_OF_HEAD = b"\r\n\r\n"
_TLS_HANDSHAKE = 0x16

ProtocolFactory = Callable[[], asyncio.Protocol]
# Called with the address of a TLS client on the plain port.
OnTls = Callable[[str], None]


class HeadShim(asyncio.Protocol):
    """Holds a new connection until its first request head is complete, then steps aside."""

    __slots__ = ("_deadline", "_factory", "_head", "_on_tls", "_transport")

    def __init__(
        self, factory: ProtocolFactory, on_tls: OnTls, head_timeout_s: float = HEAD_TIMEOUT_S
    ) -> None:
        self._factory = factory
        self._on_tls = on_tls
        self._head = b""
        self._transport: asyncio.Transport
        self._deadline = asyncio.get_running_loop().call_later(head_timeout_s, self._too_late)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Gather the head; hand over once it is complete."""
        self._head += data
        if self._head[0] == _TLS_HANDSHAKE:
            peer = self._transport.get_extra_info("peername")
            self._on_tls(str(peer[0]) if peer else "")
            self._drop()
            return
        end = self._head.find(_END_OF_HEAD)
        if 0 <= end <= MAX_HEAD_BYTES:
            self._hand_over(end)
        elif len(self._head) > MAX_HEAD_BYTES:
            self._transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"Connection: close\r\nContent-Length: 0\r\n\r\n"
            )
            self._drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """It left before it said anything."""
        self._deadline.cancel()

    def _hand_over(self, end: int) -> None:
        self._deadline.cancel()
        data = with_connection_upgrade(self._head[:end]) + self._head[end:]
        self._head = b""
        inner = self._factory()
        self._transport.set_protocol(inner)
        inner.connection_made(self._transport)
        inner.data_received(data)

    def _too_late(self) -> None:
        self._drop()

    def _drop(self) -> None:
        self._deadline.cancel()
        self._head = b""
        self._transport.close()


def with_connection_upgrade(head: bytes) -> bytes:
    """The head with `Connection: Upgrade` added, when only that is missing for a websocket."""
    headers = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    values: dict[bytes, bytes] = {}
    for name, _, value in headers:
        key = name.lower()
        values[key] = values.get(key, b"") + b"," + value.lower()
    is_websocket = b"websocket" in values.get(b"upgrade", b"")
    if not is_websocket or b"sec-websocket-key" not in values:
        return head
    tokens = {token.strip() for token in values.get(b"connection", b"").split(b",")}
    return head if b"upgrade" in tokens else head + b"\r\nConnection: Upgrade"


async def listen(
    runner: web.BaseRunner,
    host: str,
    port: int,
    *,
    on_tls: OnTls = lambda _: None,
    head_timeout_s: float = HEAD_TIMEOUT_S,
) -> asyncio.Server:
    """Serve a runner that is set up; raises OSError when the address is taken."""
    server = runner.server
    assert server is not None
    return await asyncio.get_running_loop().create_server(
        lambda: HeadShim(server, on_tls, head_timeout_s), host, port, backlog=BACKLOG
    )
