"""One OCPP connection: feed what comes to the session, serve CALLs, send ours.

Nothing here is periodic, and nothing waits while there is nothing to do: deadlines of an idle
connection belong to the hub's one sweep, and bytes are served in the call in which they arrive.
CALLs of the other end are served strictly in order; while one waits for its commit the next ones
queue up, and answers to ours are read all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from csms.clock import Clock
from csms.domain.lint import Rule
from csms.domain.versions import OcppVersion
from csms.errors import CallFailed, CallTimeout, ConnectionLost, StationOffline
from csms.ocpp import frames, websocket
from csms.ocpp.budget import Purse
from csms.ocpp.frames import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    FrameError,
    Send,
)
from csms.ocpp.our_calls import Ending, OurCall
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.router import Outcome, Waiting, answer_to_broken, refusal
from csms.ocpp.session import Finished, QueueFull, Received, Repeated, Session, Stray
from csms.ocpp.turns import Turns
from csms.ocpp.websocket import Socket

log = structlog.get_logger(__name__)

INBOX_LIMIT = 100
MAX_INBOX_BYTES = 1024 * 1024
CLOSE_TIMEOUT_S = 5.0
# Their answers hold for the moment only, so a repetition is served afresh.
_ANSWERED_AFRESH = frozenset({"Authorize", "BootNotification", "Heartbeat"})


class Watcher(Protocol):
    """Who answers and follows a connection; called synchronously, never raises."""

    def answer(self, call: Call) -> Outcome | Waiting:
        """Serve one CALL of the station."""

    def served(self, connection: Connection, call: Call, outcome: Outcome, began_at: int) -> None:
        """One CALL of the station is dealt with and its answer is sent."""

    def ended(self, connection: Connection, ours: OurCall, ending: Ending) -> None:
        """One CALL of ours is over; its slot may be free."""

    def rested(self, connection: Connection) -> None:
        """The pause after a CALL of ours is over; the slot may be free."""

    def noticed(self, connection: Connection, quirk: Observed) -> None:
        """The other end did something odd, and it was tolerated."""

    def slowed(self, connection: Connection) -> None:
        """The station sends more than it may; the rest waits for a moment."""

    def strayed(self, connection: Connection, answer: CallResult | CallError) -> None:
        """An answer came that nobody waits for."""

    def garbled(self, connection: Connection, error: FrameError) -> None:
        """Bytes came that are no frame."""

    def reused_id(self, connection: Connection, call: Call) -> None:
        """A CALL came with the message id of an earlier one."""

    def gone(self, connection: Connection) -> None:
        """The connection is over, and what came on it is served."""


class Connection:
    """One accepted websocket of one station."""

    __slots__ = (
        "__weakref__",
        "_began_at",
        "_clock",
        "_inbox",
        "_inbox_bytes",
        "_is_full",
        "_lost",
        "_ours",
        "_pause",
        "_purse",
        "_reading",
        "_tasks",
        "_turns",
        "_waiting",
        "_watcher",
        "address",
        "call_spacing_s",
        "closing",
        "frames_in",
        "has_ponged",
        "identity",
        "last_call_at",
        "last_frame_at",
        "lost",
        "opened_at",
        "pinged_at",
        "session",
        "socket",
        "version",
        "writing_since",
    )

    def __init__(
        self,
        socket: Socket,
        *,
        identity: str,
        address: str,
        version: OcppVersion,
        clock: Clock,
        watcher: Watcher,
        turns: Turns,
        purse: Purse,
    ) -> None:
        now = clock.monotonic()
        self.socket = socket
        self.address = address
        self.identity = identity
        self.version = version
        self.session = Session()
        self.closing = False
        self.lost = False
        self.opened_at = now
        self.last_frame_at = now
        self.last_call_at: float | None = None
        """When the station's last CALL came."""
        self.pinged_at = now
        self.frames_in = 0
        """How many came in, pings and pongs included."""
        self.has_ponged = False
        self.call_spacing_s = 0.0
        """How long the station is left alone between two CALLs of ours."""
        self.writing_since: float | None = None
        """Since when written bytes have been waiting for the other end to read."""
        self._clock = clock
        self._watcher = watcher
        self._turns = turns
        self._purse = purse
        self._reading: asyncio.TimerHandle | None = None
        """Set while what comes waits to be read."""
        self._pause: asyncio.TimerHandle | None = None
        """Set while the station has sent more than it may: nothing of it is served."""
        # Empty collections are None: most connections are idle.
        self._inbox: list[Call | Send] | None = None
        """CALLs of the station, the one being served first; None: none."""
        self._inbox_bytes = 0
        self._is_full = False
        self._began_at = 0
        self._waiting: Waiting | None = None
        """What the first CALL of the inbox waits for."""
        self._ours: dict[str, OurCall] | None = None
        self._tasks: set[asyncio.Task[Any]] | None = None
        self._lost: asyncio.Event | None = None

    @property
    def is_open(self) -> bool:
        """Whether a frame handed in now could reach the wire."""
        return not self.closing and self.socket.is_open

    @property
    def our_calls(self) -> tuple[OurCall, ...]:
        """Our CALLs that are not over yet."""
        return tuple((self._ours or {}).values())

    # ---- what the socket tells ---------------------------------------------------------------

    def on_open(self) -> None:
        """Read nothing of a station that has spent on earlier connections what it may."""
        wait_s = self._purse.open(time.monotonic())
        if wait_s > 0:
            self._hold_for(wait_s)

    def on_text(self, data: bytes) -> None:
        """Take one text message; Delta sends empty ones."""
        self._hear()
        if not data or self.closing:
            if not data:
                self._watcher.noticed(self, Observed.EMPTY_FRAME)
            return
        try:
            frame = frames.parse(data)
        except FrameError as error:
            if frames.is_utf8(data):
                self._broken(error, data)
            else:
                self.on_violation(websocket.INVALID_TEXT, "not UTF-8")
            return
        if self.version is not OcppVersion.V21 and isinstance(frame, (Send, CallResultError)):
            self._broken(_unknown_type(frame), data)
            return
        happening = self.session.receive(frame)
        if isinstance(happening, Received):
            if happening.reuses_id:
                self._watcher.reused_id(self, happening.call)
            self._take(happening.call, len(data))
        elif isinstance(happening, Finished):
            self._end(happening.call.message_id, happening.answer)
            self._send_waiting()
        elif isinstance(happening, Repeated):
            self._watcher.noticed(self, Observed.REPEATED_CALL)
            self.socket.send(frames.encode(happening.answer))
            if self.version is not OcppVersion.V21:  # part 4, 4.1.4 lets a retry have the same id
                self._watcher.reused_id(self, happening.call)
        elif isinstance(happening, Send):
            self._take(happening, len(data))
        elif isinstance(happening, Stray) and not isinstance(happening.answer, CallResultError):
            self._watcher.strayed(self, happening.answer)

    def on_reading(self) -> float:
        """Look at the clock."""
        return self._turns.begin()

    def on_read(self, size: int, count: int, began: float, *, is_more: bool) -> None:
        """Let others come first when a station sends more than it may, whatever it is."""
        wait_s = self._purse.read(size, count, self._turns.dear_s(began), time.monotonic())
        if wait_s > 0 or is_more:
            self._hold_for(wait_s)

    def _hold_for(self, wait_s: float) -> None:
        if wait_s > 0:
            self._watcher.slowed(self)
        self.socket.hold()
        loop = asyncio.get_running_loop()
        self._reading = loop.call_later(max(0.0, wait_s), self._read_on)

    def _read_on(self) -> None:
        self._reading = None
        self._release()

    def _release(self) -> None:
        if self._reading is None and not self._is_full:
            self.socket.release()

    def on_ping(self) -> None:
        """Note the sign of life."""
        self._hear()

    def on_pong(self) -> None:
        """Note that this one answers pings: not every station does."""
        self._hear()
        self.has_ponged = True

    def _hear(self) -> None:
        self.last_frame_at = self._clock.monotonic()
        self.frames_in += 1

    def on_writing(self, *, stalled: bool) -> None:
        """Serve no more CALLs of a station that does not read their answers."""
        self.writing_since = self._clock.monotonic() if stalled else None
        if not stalled:
            self._work()

    def on_violation(self, code: int, reason: str) -> None:
        """Close the socket: no more frames can be read from it."""
        if reason == websocket.RESERVED_BITS:
            self._watcher.noticed(self, Observed.RESERVED_BITS)
        self.spawn(self._close(code, reason, linger=True))

    def on_lost(self) -> None:
        """Nothing more comes; what has come is served, as much as the station may send."""
        self.closing = self.lost = True
        for timer in (self._pause, self._reading):
            if timer is not None:
                timer.cancel()
        self._pause = self._reading = None
        self._fail_ours()
        if self._lost is not None:
            self._lost.set()
        if self._inbox is None:
            self._watcher.gone(self)
        else:
            self._work()

    def _broken(self, error: FrameError, data: bytes) -> None:
        error.excerpt = data[: frames.MAX_EXCERPT]
        self._watcher.garbled(self, error)
        outstanding = self.session.outstanding
        if (
            error.message_type in {3, 4}
            and outstanding is not None
            and error.message_id == outstanding.message_id
        ):
            # Grizzl-E cuts its answers off: that fails the one call, not the socket.
            self._watcher.noticed(self, Observed.BROKEN_ANSWER)
            self.session.abandon(outstanding.message_id)
            self._end(
                outstanding.message_id,
                CallError(outstanding.message_id, "InvalidAnswer", error.reason, {}),
            )
            self._send_waiting()
            return
        answer = answer_to_broken(self.version, error)
        if answer is not None:
            self.socket.send(frames.encode(answer))

    # ---- serving -----------------------------------------------------------------------------

    def _take(self, call: Call | Send, size: int) -> None:
        self.last_call_at = self.last_frame_at
        self._inbox_bytes += size
        if self._inbox is None:
            self._inbox = [call]
            self._turns.put(self._work)
        else:
            self._inbox.append(call)
            if len(self._inbox) >= INBOX_LIMIT or self._inbox_bytes > MAX_INBOX_BYTES:
                self._is_full = True
                self.socket.hold()  # and TCP tells the station to wait

    def _work(self) -> None:
        """Serve the inbox until a CALL waits for its commit, or the station has to read first."""
        if self._inbox is None or self._waiting is not None or self._pause is not None:
            return
        try:
            while self._inbox and (self.closing or not self.socket.stalled):
                began = self._turns.begin()
                if not self._may_serve(began):
                    break
                self._began_at = self._clock.micros()
                call = self._inbox[0]
                outcome = self._watcher.answer(_as_call(call))
                if isinstance(outcome, Waiting):
                    self._waiting = outcome
                    outcome.future.add_done_callback(self._go_on)
                    self._purse.charge(self._turns.dear_s(began))
                    return
                self._conclude(call, outcome)
                self._purse.charge(self._turns.dear_s(began))
        except Exception as error:  # the loop called us
            self._fail(error)
        if not self._inbox:
            self._rest()

    def _may_serve(self, now: float) -> bool:
        wait_s = self._purse.wait_s(now)
        if wait_s <= 0:
            self._purse.serve(now)
            return True
        self._watcher.slowed(self)
        if self.closing:  # it comes back, and repeats what has no answer
            self._inbox = []
        else:
            self._pause = asyncio.get_running_loop().call_later(wait_s, self._resume)
        return False

    def _resume(self) -> None:
        self._pause = None
        self._work()

    def _go_on(self, _: asyncio.Future[Any]) -> None:
        waiting, self._waiting = self._waiting, None
        began = self._turns.begin()
        try:
            if waiting is not None and self._inbox:
                self._conclude(self._inbox[0], waiting.finish())
        except Exception as error:  # the loop called us
            self._fail(error)
        self._purse.charge(self._turns.dear_s(began))
        self._work()

    def _conclude(self, call: Call | Send, outcome: Outcome) -> None:
        assert self._inbox is not None
        if isinstance(call, Send):
            outcome = Outcome(None, outcome.breaches)
            self._watcher.served(self, _as_call(call), outcome, self._began_at)
        else:
            self._answer(call, outcome)
        if outcome.close_code is not None:
            del self._inbox[1:]  # they would meet the same fate; the station repeats them
            self.spawn(self.close(outcome.close_code, "try again later"))
        self._inbox.pop(0)
        if len(self._inbox) == INBOX_LIMIT // 2 and self._inbox_bytes <= MAX_INBOX_BYTES:
            self._is_full = False
            self._release()

    def _answer(self, call: Call, outcome: Outcome) -> None:
        outcome, data = self._encoded(call, outcome)
        if outcome.answer is None or call.action in _ANSWERED_AFRESH:
            self.session.forget(call)
        else:
            self.session.answer(call, outcome.answer)
        if data and not self.closing:
            self.socket.send(data)
        self._watcher.served(self, call, outcome, self._began_at)

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

    def _rest(self) -> None:
        self._inbox = None
        self._inbox_bytes = 0
        self._is_full = False
        self._release()
        if self.lost:
            self._watcher.gone(self)

    def _fail(self, error: Exception) -> None:
        log.error("connection failed", station=self.identity, exc_info=error)
        self._inbox = []
        self.abort()

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
        began_at = self._clock.micros()
        future = loop.create_future()
        ours = OurCall(call, frames.encode(call), future, began_at, timeout_s, on_sent)
        try:
            self.session.queue(call)
        except QueueFull:
            raise StationOffline("too many calls are waiting for this station") from None
        if self._ours is None:
            self._ours = {}
        self._ours[call.message_id] = ours
        ours.timer = loop.call_later(timeout_s, self._time_out, call.message_id)
        try:
            self._send_waiting()
            return await ours.future
        except asyncio.CancelledError:
            if not ours.sent:
                self.session.abandon(call.message_id)
                self._forget(call.message_id)
            raise

    def _send_waiting(self) -> None:
        call = self.session.next_to_send()
        if call is None:
            return
        if not self.is_open:
            self._fail_ours()
            return
        assert self._ours is not None
        ours = self._ours[call.message_id]
        ours.sent = True
        self.socket.send(ours.data)
        if ours.on_sent is not None:
            ours.on_sent()

    def _rest_slot(self) -> None:
        if self.call_spacing_s and not self.session.resting:
            self.session.resting = True
            asyncio.get_running_loop().call_later(self.call_spacing_s, self._rested)

    def _rested(self) -> None:
        self.session.resting = False
        self._send_waiting()
        self._watcher.rested(self)

    def _time_out(self, message_id: str) -> None:
        sent = self.session.abandon(message_id)
        if sent:
            self._rest_slot()
        failure: CallFailed | StationOffline = (
            CallTimeout("the station did not answer in time")
            if sent
            else StationOffline("the station was busy with another call")
        )
        self._fail_one(message_id, failure)
        self._send_waiting()

    def _end(self, message_id: str, answer: CallResult | CallError) -> None:
        ours = self._forget(message_id)
        if ours is None:
            return
        self._rest_slot()
        waited_for = not ours.future.done()
        if waited_for:
            ours.future.set_result(answer)
        self._watcher.ended(self, ours, Ending(answer=answer, waited_for=waited_for))

    def _fail_one(self, message_id: str, failure: CallFailed | StationOffline) -> None:
        ours = self._forget(message_id)
        if ours is None:
            return
        if not ours.future.done():
            ours.future.set_exception(failure)
        self._watcher.ended(self, ours, Ending(failure=failure))

    def _fail_ours(self) -> None:
        for ours in self.our_calls:
            self.session.abandon(ours.call.message_id)
            self._fail_one(
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

    # ---- closing -----------------------------------------------------------------------------

    def ping(self) -> None:
        """Ask for a sign of life, unless earlier bytes still wait for the other end."""
        if self.socket.unsent_bytes == 0:
            self.pinged_at = self._clock.monotonic()
            self.socket.ping()

    async def close(self, code: int = websocket.NORMAL, reason: str = "") -> None:
        """Say goodbye and close; nothing is sent afterwards."""
        await self._close(code, reason, linger=False)

    async def _close(self, code: int, reason: str, *, linger: bool) -> None:
        """Close; to linger is to let an end that is still sending read the reason first."""
        if self.closing:
            return
        self.closing = True
        if not self.socket.close(code, reason.encode()):
            return
        if not linger:
            self.socket.transport.close()
        self._lost = asyncio.Event()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._lost.wait()
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Cut the connection without a word: the other end does not read any more."""
        self.closing = True
        self.socket.abort()

    def spawn(self, work: Any) -> None:
        """Run something beside the reader; `serve` waits for it."""
        if self._tasks is None:
            self._tasks = set()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _as_call(call: Call | Send) -> Call:
    return call if isinstance(call, Call) else Call(call.message_id, call.action, call.payload)


def _unknown_type(frame: Send | CallResultError) -> FrameError:
    kind = 6 if isinstance(frame, Send) else 5
    return FrameError(
        "unknown message type",
        rule=Rule.UNKNOWN_MESSAGE_TYPE,
        message_id=frame.message_id,
        message_type=kind,
        unknown_type=True,
    )
