"""Sockets in with TLS, where it is known who failed and why.

A loop that accepts and secures by itself forgets the connections whose handshake fails.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

import structlog

from csms.domain.onboarding import Cause
from csms.ocpp.tls import why_refused

log = structlog.get_logger(__name__)

# When no file descriptor is left: a connection that ends frees one.
PAUSE_S = 1.0
SHUTDOWN_TIMEOUT_S = 5.0
# Handshakes under way; each costs a file descriptor.
MAX_SECURING = 2000

SecurityOf = Callable[[], ssl.SSLContext]
"""What secures a new connection; asked each time, because certificates are replaced."""
OnStranger = Callable[[str, Cause, str | None], None]
"""Told of who never came to a request: the address, the cause, and what else is known."""


class TlsServer:
    """Accepts connections, secures them, and gives each to a protocol of its own."""

    def __init__(
        self,
        sockets: list[socket.socket],
        factory: Callable[[], asyncio.Protocol],
        *,
        security_of: SecurityOf,
        on_stranger: OnStranger,
        handshake_timeout_s: float,
    ) -> None:
        self.sockets = sockets
        self._factory = factory
        self._security_of = security_of
        self._on_stranger = on_stranger
        self._handshake_timeout_s = handshake_timeout_s
        self._securing: dict[asyncio.Task[None], None] = {}
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(one)) for one in sockets]

    def close(self) -> None:
        """Take no new connection; those that are secured stay."""
        for task in (*self._accepting, *self._securing):
            task.cancel()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                try:
                    bare, address = await loop.sock_accept(listening)
                except OSError as error:
                    log.warning("cannot accept", reason=str(error))
                    await asyncio.sleep(PAUSE_S)
                    continue
                task = loop.create_task(self._secure(bare, str(address[0])))
                self._securing[task] = None
                task.add_done_callback(self._secured)
                if len(self._securing) > MAX_SECURING:  # the oldest has had the longest
                    next(iter(self._securing)).cancel()

    def _secured(self, task: asyncio.Task[None]) -> None:
        self._securing.pop(task, None)

    async def _secure(self, bare: socket.socket, address: str) -> None:
        try:
            if not await self._has_begun(bare):
                return
            await asyncio.get_running_loop().connect_accepted_socket(
                self._factory,
                bare,
                ssl=self._security_of(),
                ssl_handshake_timeout=self._handshake_timeout_s,
                ssl_shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            )
        except ssl.SSLError as error:
            cause, detail = why_refused(error)
            self._on_stranger(address, cause, detail)
        except ConnectionAbortedError:
            self._on_stranger(address, Cause.TLS_DROPPED, "it said no more")
        except OSError:
            self._on_stranger(address, Cause.TLS_DROPPED, "it closed the connection")
        except Exception:  # a task's outermost frame
            log.exception("securing failed", address=address)

    async def _has_begun(self, bare: socket.socket) -> bool:
        """Wait for its first byte, and leave it there; who says nothing is no station.

        Else the socket is closed, as it is when this is cancelled.
        """
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        loop.add_reader(bare, _set, readable)
        has_begun = False
        try:
            async with asyncio.timeout(self._handshake_timeout_s):
                await readable
            has_begun = bool(bare.recv(1, socket.MSG_PEEK))
        except OSError as error:  # a time that is over is one too
            log.debug("no TLS", reason=str(error))
        finally:
            loop.remove_reader(bare)
            if not has_begun:
                bare.close()
        return has_begun


def _set(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


async def bind(host: str, port: int, *, backlog: int) -> list[socket.socket]:
    """Sockets that listen on every address of the name; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            made = socket.create_server(address[:2], family=family, backlog=backlog)
            made.setblocking(False)
            sockets.append(made)
    except OSError:
        for made in sockets:
            made.close()
        raise
    return sockets
