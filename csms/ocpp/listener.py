"""Sockets in: a small protocol in front of aiohttp's that reads the first request head.

Autel MaxiCharger US (firmware 1.38.00) leaves `Connection: Upgrade` out, which aiohttp's parser
cannot forgive; that header is added here. The same place owns the deadline for the head and
knows a TLS client that dialled the plain port. Everything after the first head goes to aiohttp
directly: upgrades to a bare server of their own, since the application's routing and middlewares
would stay in memory for as long as the station is connected.
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

    __slots__ = ("_deadline", "_head", "_on_tls", "_rest", "_transport", "_upgrades")

    def __init__(
        self,
        rest: ProtocolFactory,
        upgrades: ProtocolFactory,
        *,
        on_tls: OnTls,
        head_timeout_s: float = HEAD_TIMEOUT_S,
    ) -> None:
        self._rest = rest
        self._upgrades = upgrades
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
        head = upgrade_head(self._head[:end])
        inner = self._rest() if head is None else self._upgrades()
        data = self._head if head is None else head + self._head[end:]
        self._head = b""
        self._transport.set_protocol(inner)
        inner.connection_made(self._transport)
        inner.data_received(data)

    def _too_late(self) -> None:
        self._drop()

    def _drop(self) -> None:
        self._deadline.cancel()
        self._head = b""
        self._transport.close()


def upgrade_head(head: bytes) -> bytes | None:
    """The head of a websocket upgrade as it is handed on; None for every other request."""
    lines = head.split(b"\r\n")
    headers = _headers(lines)
    if b"websocket" not in headers.get(b"upgrade", b""):
        return None
    if any(line.startswith((b" ", b"\t")) for line in lines):
        return head  # folded lines belong together; the parser refuses them
    kept = [line for line in lines if _is_read(line, headers)]
    tokens = {token.strip() for token in headers.get(b"connection", b"").split(b",")}
    if b"upgrade" not in tokens and b"sec-websocket-key" in headers:
        kept.append(b"Connection: Upgrade")
    return b"\r\n".join(kept)


# Nobody looks at these in an upgrade, and aiohttp keeps every header, at half a kilobyte each,
# for as long as the station is connected.
_UNREAD = frozenset(
    {b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"cookie", b"pragma"}
)


def _is_read(line: bytes, headers: dict[bytes, bytes]) -> bool:
    name = line.partition(b":")[0].lower()
    if name == b"user-agent":  # tells browsers from stations that send an Origin
        return b"origin" in headers
    return name not in _UNREAD


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    """Names and values in lower case; what is repeated is one list."""
    found: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, _, value = line.lower().partition(b":")
        found[name] = found[name] + b"," + value if name in found else value
    return found


async def listen(
    runner: web.BaseRunner,
    host: str,
    port: int,
    *,
    upgrades: web.Server | None = None,
    on_tls: OnTls = lambda _: None,
    head_timeout_s: float = HEAD_TIMEOUT_S,
) -> asyncio.Server:
    """Serve a runner that is set up; raises OSError when the address is taken.

    `upgrades` is `web.Server(endpoint.handle)`; without it the runner's application has to hand
    upgrade requests to the endpoint.
    """
    rest = runner.server
    assert rest is not None

    def shim() -> HeadShim:
        return HeadShim(rest, upgrades or rest, on_tls=on_tls, head_timeout_s=head_timeout_s)

    loop = asyncio.get_running_loop()
    return await loop.create_server(shim, host, port, backlog=BACKLOG)
