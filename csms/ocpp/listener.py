"""Sockets in: TLS, then a small protocol in front of aiohttp's that reads the first request head.

An upgrade goes to the endpoint from here and never meets aiohttp, whose parser, request, task and
routing would cost 400 µs of every reconnecting station. The same place owns the deadlines for
TLS and the head, and knows who does not speak what the port speaks. Everything else is aiohttp's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp import web

from csms.domain.onboarding import Cause
from csms.ocpp.endpoint import Admission, Endpoint
from csms.ocpp.handshake import is_lost_station, read_request, read_upgrade
from csms.ocpp.refusals import Refusal
from csms.ocpp.tls import address_of, peer_of
from csms.ocpp.tls_server import OnStranger, SecurityOf, TlsServer, bind
from csms.ocpp.websocket import transport_of
from csms.services import file_drop

log = structlog.get_logger(__name__)

MAX_HEAD_BYTES = 8 * 1024
HEAD_TIMEOUT_S = 10.0
# Sockets that have not sent a whole request head; they cost a file descriptor each.
MAX_SILENT = 2000
# Connections of people and programs at once. Stations have their own limit, so neither uses up
# what the other needs.
MAX_PROGRAMS = 2000
# Some thousand stations come back at the same moment after a restart.
BACKLOG = 4096
_END_OF_HEAD = b"\r\n\r\n"
_BARE_ENDS_OF_HEAD = (b"\n\n", b"\n\r\n")
FILES = file_drop.PATH.encode()
"""Beside upgrades, all that a port for stations serves."""
_TLS_HANDSHAKE = 0x16

Runner = web.BaseRunner


class Silent:
    """Connections that have not said yet what they want; of too many the oldest has to go.

    Whoever speaks at once, as stations do, is never among the oldest for long.
    """

    def __init__(self, limit: int = MAX_SILENT) -> None:
        self._limit = limit
        self._shims: dict[HeadShim, None] = {}

    def __len__(self) -> int:
        return len(self._shims)

    def add(self, shim: HeadShim) -> None:
        """One more."""
        self._shims[shim] = None
        if len(self._shims) > self._limit:
            next(iter(self._shims)).drop()

    def discard(self, shim: HeadShim) -> None:
        """It has spoken, or is gone."""
        self._shims.pop(shim, None)


class HeadShim(asyncio.Protocol):
    """Holds a new connection until its first request head is complete, then steps aside."""

    __slots__ = (
        "_deadline",
        "_endpoint",
        "_head",
        "_head_timeout_s",
        "_knocking",
        "_on_stranger",
        "_programs_only",
        "_rest",
        "_silent",
        "_stations_only",
        "_transport",
    )

    def __init__(
        self,
        rest: web.Server,
        endpoint: Endpoint,
        *,
        stations_only: bool,
        programs_only: bool,
        silent: Silent,
        on_stranger: OnStranger,
        head_timeout_s: float = HEAD_TIMEOUT_S,
    ) -> None:
        self._silent = silent
        self._rest = rest
        self._stations_only = stations_only
        self._programs_only = programs_only
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
        self._deadline = loop.call_later(self._head_timeout_s, self.drop)
        self._silent.add(self)

    def data_received(self, data: bytes) -> None:
        """Gather the head; hand over once it is complete."""
        self._head += data
        if self._knocking is not None:  # nobody has reason to send anything before the answer
            if len(self._head) > MAX_HEAD_BYTES:
                self._transport.pause_reading()
            return
        if self._head[0] == _TLS_HANDSHAKE:
            self._on_stranger(address_of(self._transport), Cause.TLS_ON_PLAIN_PORT, None)
            self.drop()
            return
        end = self._head.find(_END_OF_HEAD)
        if 0 <= end <= MAX_HEAD_BYTES:
            self._hand_over(end)
        elif len(self._head) > MAX_HEAD_BYTES:
            detail = f"a request head of more than {MAX_HEAD_BYTES} bytes"
            self._on_stranger(address_of(self._transport), Cause.BAD_HANDSHAKE, detail)
            self._turn_away(b"431 Request Header Fields Too Large")
        elif any(bare in self._head for bare in _BARE_ENDS_OF_HEAD):  # no other will come
            detail = "the lines of its request end in LF, and not in CR LF"
            self._on_stranger(address_of(self._transport), Cause.BAD_HANDSHAKE, detail)
            self._turn_away(b"400 Bad Request")

    def connection_lost(self, exc: Exception | None) -> None:
        """It left before it said anything, or before it was answered."""
        self._heard()

    def drop(self) -> None:
        """Close it, whatever it has said so far."""
        self._heard()
        self._head = b""
        self._transport.close()

    def _heard(self) -> None:
        self._deadline.cancel()
        self._silent.discard(self)

    def _hand_over(self, end: int) -> None:
        self._heard()
        upgrade = read_upgrade(self._head[:end], peer_of(self._transport))
        if upgrade is not None and not self._programs_only:  # else the application refuses it
            self._head = self._head[end + len(_END_OF_HEAD) :]
            self._answer(self._endpoint.knock(upgrade))
            return
        if self._stations_only:
            if not _asks_for_a_file(self._head):
                self._turn_away_from_stations(end)
                return
            self._head = _as_the_only_one(self._head)
        if len(self._rest.connections) >= MAX_PROGRAMS:
            self._turn_away(b"503 Service Unavailable")
            return
        inner, data = self._rest(), self._head
        self._head = b""
        self._transport.set_protocol(inner)
        inner.connection_made(self._transport)
        inner.data_received(data)

    def _turn_away_from_stations(self, end: int) -> None:
        request = read_request(self._head[:end], peer_of(self._transport))
        if request is not None and is_lost_station(request):
            self._answer(self._endpoint.without_upgrade(request))
        else:
            self._turn_away(b"404 Not Found")

    def _answer(self, asking: Coroutine[Any, Any, Admission | Refusal]) -> None:
        self._knocking = asyncio.get_running_loop().create_task(self._wait_for(asking))

    async def _wait_for(self, asking: Coroutine[Any, Any, Admission | Refusal]) -> None:
        transport = self._transport
        try:
            answer = await asking
            if isinstance(answer, Refusal):
                if not transport.is_closing():  # whoever is refused late may have left
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
        self.drop()


def _asks_for_a_file(head: bytes) -> bool:
    words = head.partition(b"\r\n")[0].split(b" ")
    # In 1.0 a `Connection: keep-alive` would count for more than what `_as_the_only_one` says.
    return len(words) == 3 and words[1].startswith(FILES) and words[2] == b"HTTP/1.1"


def _as_the_only_one(head: bytes) -> bytes:
    """The request as the last of its connection: what follows could be one to the API."""
    line, end, rest = head.partition(b"\r\n")
    return line + end + b"Connection: close" + end + rest


async def listen(
    runner: Runner,
    endpoint: Endpoint,
    host: str,
    port: int,
    *,
    security_of: SecurityOf | None = None,
    stations_only: bool = False,
    programs_only: bool = False,
    silent: Silent | None = None,
    on_stranger: OnStranger = lambda *_: None,
    head_timeout_s: float = HEAD_TIMEOUT_S,
) -> asyncio.Server | TlsServer:
    """Serve a runner that is set up; raises OSError when the address is taken.

    The runner's application has to hand upgrades that come later on a connection to the endpoint.
    """
    assert runner.server is not None
    rest = runner.server
    silent = Silent() if silent is None else silent

    def shim() -> HeadShim:
        return HeadShim(
            rest,
            endpoint,
            stations_only=stations_only,
            programs_only=programs_only,
            silent=silent,
            on_stranger=on_stranger,
            head_timeout_s=head_timeout_s,
        )

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
