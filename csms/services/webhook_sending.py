"""Sends one delivery over HTTP, and only to where a webhook may lead.

The name is resolved once, every address is judged, and the connection goes to one of those:
a second look-up could answer otherwise. Nothing is followed, kept open, unpacked or read at length.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from csms import __version__
from csms.domain.targets import is_among
from csms.domain.webhook_targets import check_url, is_public
from csms.errors import Invalid

MOST_READ = 64 * 1024
"""Of an answer; the rest of it is not waited for."""
MOST_SHOWN = 200
MOST_LOOKUPS = 16
_HEADERS = {"Content-Type": "application/json", "User-Agent": f"csms/{__version__}"}

Address = tuple[int, str]
"""The family, and the address as text."""


class DeliveryFailed(Exception):
    """There was no answer, and why: for the delivery that it ends, never for a caller."""

    def __init__(self, message: str, *, code: str = "delivery_failed") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    text: str
    retry_after: str = ""
    """As the header says it."""


class Sender:
    """Makes one connection for each delivery."""

    def __init__(self, *, allowed: tuple[str, ...] = (), timeout_s: float = 10.0) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._lookups = threading.Semaphore(MOST_LOOKUPS)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Not at start: to read the authorities of this machine takes 20 ms and more.
        return ssl.create_default_context()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a POST; raises DeliveryFailed when there is none in time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                parts = self._checked(url)
                addresses = await self._addresses(parts)
                return await self._post(parts, body, {**_HEADERS, **headers}, addresses)
        except TimeoutError:
            raise DeliveryFailed(
                f"no answer within {self._timeout_s:g} s", code="delivery_timeout"
            ) from None
        except DeliveryFailed:
            raise
        except Exception as error:  # the receiver decides what a library makes of its answer
            raise DeliveryFailed(str(error)[:MOST_SHOWN] or type(error).__name__) from error

    def _checked(self, url: str) -> URL:
        """The URL as it is connected to; the settings may have changed since it was added."""
        try:
            check_url(url, self._allowed)
        except Invalid as error:
            raise DeliveryFailed(f"the URL {error.message}", code=error.code) from error
        parts = URL(url, encoded=True)
        # Two readers that see two hosts: one of them is deceived.
        if (parts.host or "").lower() != urlsplit(url).hostname:
            raise DeliveryFailed("the URL is not clear", code="target_not_allowed")
        return parts

    async def _addresses(self, parts: URL) -> list[Address]:
        """Where the connection may go."""
        assert parts.host is not None
        assert parts.port is not None
        found = await self._look_up(parts.host, parts.port)
        if not is_among(str(parts), self._allowed):
            # All of them: a name with one address inside is somebody's attempt to get in.
            for _, address in found:
                if not is_public(address):
                    raise DeliveryFailed(
                        f"{parts.host} is at {address}, which is not a public address",
                        code="target_not_allowed",
                    )
        return found

    async def _post(
        self, url: URL, body: bytes, headers: Mapping[str, str], addresses: list[Address]
    ) -> Answer:
        connector = aiohttp.TCPConnector(
            resolver=_Resolved(addresses),
            ssl=self._tls,
            use_dns_cache=False,
            force_close=True,
            limit=1,
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,  # a proxy would connect to what it likes
            ) as session,
            session.post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                skip_auto_headers=("Accept-Encoding",),
            ) as response,
        ):
            read = b""
            while len(read) < MOST_READ and (chunk := await response.content.read(MOST_READ)):
                read += chunk
            if len(read) >= MOST_READ:
                response.close()
            return Answer(
                response.status, _shown(read), response.headers.get("Retry-After", "")[:MOST_SHOWN]
            )

    async def _look_up(self, host: str, port: int) -> list[Address]:
        # In a thread of its own: the loop's pool is for others too, a resolver may take minutes,
        # and nobody waits for a daemon at the end.
        if not self._lookups.acquire(blocking=False):
            raise DeliveryFailed("too many names are being resolved", code="busy")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[Address]] = loop.create_future()

        def look() -> None:
            try:
                answer: Any = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                outcome: Any = [(family, str(where[0])) for family, *_, where in answer]
            except (OSError, UnicodeError) as error:
                outcome = error
            finally:
                self._lookups.release()
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_tell, found, outcome)

        threading.Thread(target=look, name="csms-resolve", daemon=True).start()
        return await found


def _tell(found: asyncio.Future[list[Address]], outcome: Any) -> None:
    if found.done():
        return
    if isinstance(outcome, list) and outcome:
        found.set_result(outcome)
    else:
        found.set_exception(DeliveryFailed("the name has no address", code="name_not_resolved"))


class _Resolved(AbstractResolver):
    """Answers with what was judged, whatever it is asked."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=its_family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for its_family, address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def _shown(read: bytes) -> str:
    text = read[: 4 * MOST_SHOWN].decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:MOST_SHOWN].strip()
