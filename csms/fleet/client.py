"""The websocket end of virtual stations, the same in the server's process and in one of its own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, WSMsgType

from csms.clock import Clock
from csms.domain.targets import is_among
from csms.fleet.backoff import Backoff
from csms.fleet.device import Device
from csms.fleet.frame_file import OnFrame
from csms.fleet.languages import LANGUAGES
from csms.fleet.password_file import OnPassword
from csms.fleet.spec import StationSpec, offers_compression, url_of
from csms.ocpp.frames import MAX_FRAME_BYTES

T = TypeVar("T")

HANDSHAKE_TIMEOUT_S = 10.0
SEND_TIMEOUT_S = 10.0
WINDOW_BITS = 15
# Dials under way at once: a fleet that comes back must not starve the loop it shares.
MAX_DIALS = 32
# A connection that stood this long was a good one; redialing starts from the beginning.
STEADY_S = 5.0
# For a file, all of it.
FILE_TIMEOUT_S = 300.0

Socket = aiohttp.ClientWebSocketResponse[bool]


class DialFailed(Exception):
    """No connection; says why in a few words."""


class Dialer:
    """The sockets of a whole fleet: one HTTP session, few dials at a time."""

    def __init__(self, *, max_dials: int = MAX_DIALS) -> None:
        self._slots = asyncio.Semaphore(max_dials)
        self._carriers = asyncio.Semaphore(max_dials)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Ready to dial."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_refuse_redirect,),
        )

    async def close(self) -> None:
        """Close every socket that is left."""
        if self._session is not None:
            await self._session.close()

    async def dial(self, spec: StationSpec, password: bytes | None) -> Socket:
        """Connect as the station; raises DialFailed."""
        assert self._session is not None
        subprotocol = spec.version.subprotocol
        async with self._slots:
            try:
                async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                    socket: Socket = await self._session.ws_connect(
                        url_of(spec),
                        protocols=(subprotocol,),
                        headers=_authorization(spec.identity, password),
                        timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                        max_msg_size=MAX_FRAME_BYTES,
                        decode_text=False,
                        compress=WINDOW_BITS if offers_compression(spec) else 0,
                    )
            except aiohttp.WSServerHandshakeError as error:
                raise DialFailed(f"HTTP {error.status}") from error
            except TimeoutError as error:
                raise DialFailed("no answer to the handshake") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise DialFailed(str(error) or type(error).__name__) from error
        if (socket.protocol or "").lower() != subprotocol:
            await socket.close(code=1002)
            raise DialFailed(f"the server does not speak {subprotocol}")
        return socket

    async def carry(self, url: str, content: bytes | None) -> bool:
        """Fetch the file there and forget it, or send this one; whether it went well."""
        assert self._session is not None
        method = "GET" if content is None else "PUT"
        async with self._carriers:
            try:
                async with (
                    asyncio.timeout(FILE_TIMEOUT_S),
                    self._session.request(method, url, data=content) as response,
                ):
                    async for _ in response.content.iter_any():
                        pass
                    return response.ok
            except (aiohttp.ClientError, DialFailed, OSError, TimeoutError, ValueError):
                return False


async def _refuse_redirect(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """A redirect would carry the password to a host that nobody allowed."""
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise DialFailed(f"HTTP {response.status}")
    return response


def _authorization(identity: str, password: bytes | None) -> dict[str, str]:
    if password is None:
        return {}
    # Passwords may be raw bytes, so the header is put together here.
    pair = identity.encode() + b":" + password
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


class VirtualStation:
    """One station: its device and the socket it has at the moment.

    `run` keeps it connected; somebody must call `tick` a few times a second, see `Fleet`.
    """

    def __init__(
        self,
        spec: StationSpec,
        dialer: Dialer,
        *,
        clock: Clock,
        random: Random,
        backoff: Backoff,
        on_frame: OnFrame | None = None,
        on_password: OnPassword | None = None,
    ) -> None:
        self.spec = spec
        self.device = Device(spec, LANGUAGES[spec.version], clock=clock, random=random)
        self.device.on_booted = self._note_boot
        self.device.carry = self._carry
        if on_password is not None:
            self.device.on_password = partial(on_password, spec.identity)
        self.last_error: str | None = None
        """Why the last dial failed; None once one succeeded."""
        self.boots = 0
        """Accepted ones."""
        self.on_change: Callable[[], None] = lambda: None
        """Told when `connected`, `boots` or `last_error` changed."""
        self._dialer = dialer
        self._clock = clock
        self._random = random
        self._backoff = backoff
        self._on_frame = on_frame
        self._socket: Socket | None = None
        self._sending = False
        self._sends: set[asyncio.Task[None]] = set()
        self._files: set[asyncio.Task[None]] = set()
        self._booted = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether a socket stands."""
        return self._socket is not None

    async def wait_booted(self, timeout_s: float) -> bool:
        """Wait until a first boot was accepted; False when the time is over before."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._booted.wait()
        except TimeoutError:
            return False
        return True

    async def run(self, *, first_delay_s: float = 0.0) -> None:
        """Stay connected until cancelled."""
        failures = 0
        delay_s = first_delay_s
        while True:
            await asyncio.sleep(delay_s)
            stood_s = await self._connect_once()
            hangup = self.device.hangup
            if hangup is not None:
                failures, delay_s = 0, hangup.redial_s
                continue
            failures = 0 if stood_s >= STEADY_S else failures + 1
            delay_s = self._backoff.delay_s(failures, self._random)

    async def _connect_once(self) -> float:
        """Dial and stay until the connection ends; returns how long it stood."""
        self.device.hangup = None
        try:
            socket = await self._dialer.dial(self.spec, self.device.password)
        except DialFailed as error:
            self.last_error = str(error)
            self.on_change()
            return 0.0
        opened_at = self._clock.monotonic()
        self.last_error = None
        try:
            self._socket = socket
            self.on_change()
            self.device.opened()
            await self._send_all()
            await self._listen(socket)
        finally:
            self._socket = None
            self.device.closed()
            _abort(socket)
            self.on_change()
        return self._clock.monotonic() - opened_at

    async def _listen(self, socket: Socket) -> None:
        async for message in socket:
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            if self._on_frame is not None:
                self._on_frame(self.spec.identity, "in", message.data)
            self.device.received(message.data)
            await self._send_all()

    def tick(self) -> None:
        """Do what is due now."""
        if self.device.next_due > self._clock.monotonic():
            return
        self.device.tick()
        self.flush()

    def let(self, happen: Callable[[Device], T]) -> T:
        """Something happens at the station now: see `csms.fleet.happenings`."""
        try:
            return self.device.let(happen)
        finally:
            self.flush()

    def flush(self) -> None:
        """Send what the device has to say, from outside of `run`."""
        if self._socket is None or self._sending:
            return
        task = asyncio.create_task(self._send_all())
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def aclose(self) -> None:
        """Wait for sends under way; call after `run` has ended."""
        for task in self._files:
            task.cancel()
        await asyncio.gather(*self._files, return_exceptions=True)
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def _send_all(self) -> None:
        socket = self._socket
        if socket is None or self._sending:
            return  # whoever sends takes our frames along
        self._sending = True
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                while socket is self._socket and (waiting := self.device.take()):
                    for data in waiting:
                        if self._on_frame is not None:
                            self._on_frame(self.spec.identity, "out", data)
                        await socket.send_frame(data, WSMsgType.TEXT)
        except (ConnectionError, TimeoutError, aiohttp.ClientError):
            _abort(socket)  # the reader notices and dials again
        finally:
            self._sending = False
        if self.device.hangup is not None:
            _abort(socket)

    def _carry(self, url: str, content: bytes | None, done: Callable[[bool], None]) -> bool:
        home = urlsplit(url_of(self.spec))
        scheme = "https" if home.scheme == "wss" else "http"
        if not is_among(url, [f"{scheme}://{home.netloc}"]):
            return False

        async def carry() -> None:
            well = await self._dialer.carry(url, content)
            self.let(lambda _: done(well))

        task = asyncio.create_task(carry())
        self._files.add(task)
        task.add_done_callback(self._files.discard)
        return True

    def _note_boot(self) -> None:
        self.boots += 1
        self._booted.set()
        self.on_change()


def _abort(socket: Socket) -> None:
    """Drop the connection without a word, as a station does that loses power or network."""
    # aiohttp has no public way to end a websocket without its closing handshake.
    socket._response.close()  # noqa: SLF001
