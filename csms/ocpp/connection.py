"""The aiohttp shell of one OCPP connection: read, feed the session, serve CALLs, send ours.

Nothing here is periodic: deadlines of an idle connection belong to the hub's one sweep, so that
ten thousand of them cost no timers. CALLs of the other end are served strictly in order by a
task that lives only while there are some; answers to ours are read meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from csms.clock import Clock, to_micros
from csms.domain.versions import OcppVersion
from csms.errors import CallFailed, CallTimeout, ConnectionLost, StationOffline
from csms.ocpp import frames
from csms.ocpp.frames import (
    MAX_FRAME_BYTES,
    Call,
    CallError,
    CallResult,
    CallResultError,
    FrameError,
    Send,
)
from csms.ocpp.router import Outcome, answer_to_broken, refusal
from csms.ocpp.session import Finished, QueueFull, Received, Repeated, Session, Stray

log = structlog.get_logger(__name__)

INBOX_LIMIT = 100
MAX_INBOX_BYTES = 1024 * 1024
CLOSE_TIMEOUT_S = 5.0
# Their answers hold for the moment only, so a repetition is served afresh.
_ANSWERED_AFRESH = frozenset({"Authorize", "BootNotification", "Heartbeat"})


@dataclass(frozen=True, slots=True)
class Wire:
    """An upgraded socket: the websocket, the transport under it, and who is at the other end."""

    socket: web.WebSocketResponse[Any]
    transport: asyncio.WriteTransport
    address: str


class Watcher(Protocol):
    """Who follows what happens on connections; called synchronously, never raises."""

    def served(self, connection: Connection, call: Call, outcome: Outcome, began_at: int) -> None:
        """One CALL of the station is dealt with and its answer is sent."""

    def ended(self, connection: Connection, ours: OurCall, ending: Ending) -> None:
        """One CALL of ours is over; its slot may be free."""

    def strayed(self, connection: Connection, answer: CallResult | CallError) -> None:
        """An answer came that nobody waits for."""

    def garbled(self, connection: Connection, error: FrameError) -> None:
        """Bytes came that are no frame."""


@dataclass(slots=True)
class OurCall:
    """A CALL of ours between `call` and its end."""

    call: Call
    data: bytes
    future: asyncio.Future[CallResult | CallError]
    began_at: int
    """Wall clock, microseconds."""
    on_sent: Callable[[], None] | None = None
    timer: asyncio.TimerHandle | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How a CALL of ours ended: with an answer, or with the reason why there is none."""

    answer: CallResult | CallError | None = None
    failure: CallFailed | StationOffline | None = None
    waited_for: bool = True
    """Whether somebody still waits; an answer nobody waits for is a late one."""


class Connection:
    """One accepted websocket of one station."""

    __slots__ = (
        "__weakref__",
        "_answer",
        "_clock",
        "_inbox",
        "_inbox_bytes",
        "_ours",
        "_room",
        "_tasks",
        "_watcher",
        "_worker",
        "address",
        "closing",
        "has_ponged",
        "identity",
        "last_call_at",
        "last_frame_at",
        "opened_at",
        "pinged_at",
        "session",
        "socket",
        "transport",
        "version",
        "writing_since",
    )

    def __init__(
        self,
        wire: Wire,
        *,
        identity: str,
        version: OcppVersion,
        clock: Clock,
        watcher: Watcher,
        answer: Callable[[Call], Awaitable[Outcome]],
    ) -> None:
        now = clock.monotonic()
        self.socket = wire.socket
        self.transport = wire.transport
        self.address = wire.address
        self.identity = identity
        self.version = version
        self.session = Session()
        self.closing = False
        self.opened_at = now
        self.last_frame_at = now
        self.last_call_at: float | None = None
        """When the station's last CALL came."""
        self.pinged_at = now
        self.has_ponged = False
        self.writing_since: float | None = None
        """Since when a write has been waiting for the other end to read."""
        self._clock = clock
        self._watcher = watcher
        self._answer = answer
        self._inbox: list[Call | Send] | None = None
        self._inbox_bytes = 0
        self._worker: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._ours: dict[str, OurCall] | None = None
        self._tasks: set[asyncio.Task[Any]] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a frame handed in now could reach the wire."""
        return not (self.closing or self.socket.closed or self.transport.is_closing())

    @property
    def our_calls(self) -> tuple[OurCall, ...]:
        """Our CALLs that are not over yet."""
        return tuple((self._ours or {}).values())

    # ---- reading -----------------------------------------------------------------------------

    async def serve(self) -> None:
        """Read until the socket is gone; what was read is served to the end."""
        try:
            await self._read()
        finally:
            self.closing = True
            self._fail_ours()
            if self._worker is not None:
                await self._worker
            for task in tuple(self._tasks or ()):
                with suppress(asyncio.CancelledError):
                    await task

    async def _read(self) -> None:
        receive = self.socket.receive
        while True:
            message = await receive()
            kind = message.type
            self.last_frame_at = self._clock.monotonic()
            if kind is WSMsgType.TEXT:
                if message.data and not await self._text(message.data):  # Delta sends empty ones
                    return
            elif kind is WSMsgType.PING:
                if not await self._control(WSMsgType.PONG, message.data):
                    return
            elif kind is WSMsgType.PONG:
                self.has_ponged = True
            elif kind is WSMsgType.BINARY:
                await self.close(WSCloseCode.UNSUPPORTED_DATA, "text frames only")
                return
            else:  # CLOSE, CLOSING, CLOSED, ERROR
                return

    async def _text(self, data: bytes) -> bool:
        """Take one text frame; returns whether to go on reading."""
        try:
            frame = frames.parse(data)
        except FrameError as error:
            if not frames.is_utf8(data):
                await self.close(WSCloseCode.INVALID_TEXT, "not UTF-8")
                return False
            return await self._broken(error)
        if self.version is not OcppVersion.V21 and isinstance(frame, (Send, CallResultError)):
            return await self._broken(_unknown_type(frame))
        happening = self.session.receive(frame)
        if isinstance(happening, Received):
            return await self._take(happening.call, len(data))
        if isinstance(happening, Finished):
            self._end(happening.call.message_id, happening.answer)
            return await self._send_waiting()
        if isinstance(happening, Repeated):
            return await self._send(frames.encode(happening.answer))
        if isinstance(happening, Send):
            return await self._take(happening, len(data))
        if isinstance(happening, Stray) and not isinstance(happening.answer, CallResultError):
            self._watcher.strayed(self, happening.answer)
        return True

    async def _broken(self, error: FrameError) -> bool:
        self._watcher.garbled(self, error)
        outstanding = self.session.outstanding
        if (
            error.message_type in {3, 4}
            and outstanding is not None
            and error.message_id == outstanding.message_id
        ):
            # Grizzl-E cuts its answers off: that fails the one call, not the socket.
            self.session.abandon(outstanding.message_id)
            self._end(
                outstanding.message_id,
                CallError(outstanding.message_id, "InvalidAnswer", error.reason, {}),
            )
            return await self._send_waiting()
        answer = answer_to_broken(self.version, error)
        return True if answer is None else await self._send(frames.encode(answer))

    # ---- serving -----------------------------------------------------------------------------

    async def _take(self, call: Call | Send, size: int) -> bool:
        self.last_call_at = self.last_frame_at
        if self._inbox is None:
            self._inbox = []
        self._inbox.append(call)
        self._inbox_bytes += size
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        if len(self._inbox) >= INBOX_LIMIT or self._inbox_bytes > MAX_INBOX_BYTES:
            # Reading stops here, and TCP tells the station to wait.
            self._room = asyncio.Event()
            await self._room.wait()
            self._room = None
        return True

    async def _work(self) -> None:
        try:
            while self._inbox:
                await self._serve_one(self._inbox[0])
                self._inbox.pop(0)
                if len(self._inbox) == INBOX_LIMIT // 2 and self._inbox_bytes <= MAX_INBOX_BYTES:
                    self._make_room()
        except Exception:  # a task's outermost loop
            log.exception("connection failed", station=self.identity)
            self.abort()
        finally:
            self._inbox = None
            self._inbox_bytes = 0
            self._worker = None
            self._make_room()

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set()

    async def _serve_one(self, call: Call | Send) -> None:
        began_at = to_micros(self._clock.now())
        if isinstance(call, Send):
            call = Call(call.message_id, call.action, call.payload)
            outcome = await self._answer(call)
            self._watcher.served(self, call, Outcome(None, outcome.verdict), began_at)
            return
        outcome, data = self._encoded(call, await self._answer(call))
        if outcome.answer is None or call.action in _ANSWERED_AFRESH:
            self.session.forget(call)
        else:
            self.session.answer(call, outcome.answer)
        if data:
            await self._send(data)
        self._watcher.served(self, call, outcome, began_at)
        if outcome.close_code is not None and self._inbox:
            del self._inbox[1:]  # they would meet the same fate; the station repeats them
            self.spawn(self.close(outcome.close_code, "try again later"))

    def _encoded(self, call: Call, outcome: Outcome) -> tuple[Outcome, bytes]:
        if outcome.answer is None:
            return outcome, b""
        try:
            return outcome, frames.encode(outcome.answer)
        except TypeError:  # a handler's payload is no JSON; building an error cannot fail
            log.exception("answer cannot be sent", station=self.identity, action=call.action)
            error = refusal(
                self.version, call.message_id, "InternalError", "no answer could be made"
            )
            return Outcome(error), frames.encode(error)

    # ---- our CALLs ---------------------------------------------------------------------------

    async def call(
        self, call: Call, timeout_s: float, on_sent: Callable[[], None] | None = None
    ) -> CallResult | CallError:
        """Send one CALL and wait for its answer; `on_sent` is told when it is on the wire.

        Raises StationOffline when it was certainly never sent, CallTimeout or ConnectionLost
        when it may have been. Cancelling the wait keeps the correlation.
        """
        if not self.is_open:
            raise StationOffline("the connection is closing")
        loop = asyncio.get_running_loop()
        began_at = to_micros(self._clock.now())
        ours = OurCall(call, frames.encode(call), loop.create_future(), began_at, on_sent)
        try:
            self.session.queue(call)
        except QueueFull:
            raise StationOffline("too many calls are waiting for this station") from None
        if self._ours is None:
            self._ours = {}
        self._ours[call.message_id] = ours
        ours.timer = loop.call_later(timeout_s, self._time_out, call.message_id)
        try:
            await self._send_waiting()
            return await ours.future
        except asyncio.CancelledError:
            if not ours.sent:
                self.session.abandon(call.message_id)
                self._forget(call.message_id)
            raise

    async def _send_waiting(self) -> bool:
        call = self.session.next_to_send()
        if call is None:
            return True
        if not self.is_open:
            self._fail_ours()
            return False
        assert self._ours is not None
        ours = self._ours[call.message_id]
        ours.sent = True
        went_out = await self._send(ours.data)
        if ours.on_sent is not None:
            ours.on_sent()
        return went_out

    def _time_out(self, message_id: str) -> None:
        sent = self.session.abandon(message_id)
        failure: CallFailed | StationOffline = (
            CallTimeout("the station did not answer in time")
            if sent
            else StationOffline("the station was busy with another call")
        )
        self._fail(message_id, failure)
        if self.session.waiting:
            self.spawn(self._send_waiting())

    def _end(self, message_id: str, answer: CallResult | CallError) -> None:
        ours = self._forget(message_id)
        if ours is None:
            return
        waited_for = not ours.future.done()
        if waited_for:
            ours.future.set_result(answer)
        self._watcher.ended(self, ours, Ending(answer=answer, waited_for=waited_for))

    def _fail(self, message_id: str, failure: CallFailed | StationOffline) -> None:
        ours = self._forget(message_id)
        if ours is None:
            return
        if not ours.future.done():
            ours.future.set_exception(failure)
        self._watcher.ended(self, ours, Ending(failure=failure))

    def _fail_ours(self) -> None:
        for ours in self.our_calls:
            self.session.abandon(ours.call.message_id)
            self._fail(
                ours.call.message_id,
                ConnectionLost("the connection was lost before the answer came")
                if ours.sent
                else StationOffline("the connection was lost before the call was sent"),
            )

    def _forget(self, message_id: str) -> OurCall | None:
        ours = self._ours.pop(message_id, None) if self._ours else None
        if ours is not None and ours.timer is not None:
            ours.timer.cancel()
        if not self._ours:
            self._ours = None
        return ours

    # ---- writing and closing -----------------------------------------------------------------

    async def _send(self, data: bytes) -> bool:
        """Write one text frame; False when the socket is gone."""
        return await self._control(WSMsgType.TEXT, data)

    async def _control(self, kind: WSMsgType, data: bytes) -> bool:
        if self.writing_since is None:
            self.writing_since = self._clock.monotonic()
        try:
            await self.socket.send_frame(data, kind)
        except ConnectionError:
            return False
        finally:
            self.writing_since = None
        return True

    async def ping(self) -> None:
        """Ask for a sign of life, unless earlier bytes still wait for the other end."""
        if self.unsent_bytes == 0:
            self.pinged_at = self._clock.monotonic()
            await self._control(WSMsgType.PING, b"")

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the other end has not taken yet."""
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    async def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Say goodbye and close; nothing is sent afterwards."""
        if self.closing:
            return
        self.closing = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.socket.close(code=code, message=reason.encode()[:123])
        except (TimeoutError, ConnectionError):
            self.abort()

    def abort(self) -> None:
        """Cut the connection without a word: the other end does not read any more."""
        self.closing = True
        self.transport.abort()

    def spawn(self, work: Any) -> None:
        """Run something beside the reader; `serve` waits for it."""
        if self._tasks is None:
            self._tasks = set()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def new_socket(protocols: tuple[str, ...]) -> web.WebSocketResponse[Any]:
    """A websocket response with the options that every connection has."""
    return web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT_S,
        autoping=False,  # else PONGs are swallowed, and we want to see them
        compress=False,
        decode_text=False,
        max_msg_size=MAX_FRAME_BYTES + 1,  # aiohttp refuses what reaches it
        protocols=protocols,
    )


def _unknown_type(frame: Send | CallResultError) -> FrameError:
    kind = 6 if isinstance(frame, Send) else 5
    return FrameError(
        "unknown message type", message_id=frame.message_id, message_type=kind, unknown_type=True
    )
