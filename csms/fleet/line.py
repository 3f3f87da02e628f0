"""What a virtual station has to say, in order, over however many connections it takes.

The frames and the session are the server's own. Messages about transactions are kept until the
CSMS has answered them (OCPP 1.6 3.7.1, 2.0.1 E04); all else is said on this connection or never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from csms.clock import Clock
from csms.domain.versions import OcppVersion
from csms.fleet.speech import Heard, Transaction
from csms.ocpp import frames, schemas
from csms.ocpp.frames import Call, CallError, CallResult, FrameError, JsonObject
from csms.ocpp.session import Finished, Received, Repeated, Session

CALL_TIMEOUT_S = 30.0
# A station that was offline for a week keeps the newest.
MAX_KEPT = 1000


@dataclass(slots=True)
class Errand:
    """One CALL to make."""

    action: str
    payload: Callable[[], JsonObject | None]
    """Asked when it goes out; None: it has lost its meaning."""
    done: Heard
    about: Transaction | None = None
    """The transaction it tells of; it is kept until it was answered."""
    prompted: bool = False
    """The CSMS asked for it."""
    number: int = 0
    refusals: int = 0
    not_before: float = 0.0


class Line:
    """The station's end of its connections."""

    __slots__ = (
        "_clock",
        "_current",
        "_kept",
        "_number",
        "_plain",
        "_random",
        "_session",
        "_version",
        "answer_due",
        "attempts",
        "on_refused",
        "on_unanswered",
        "out",
        "retry_s",
    )

    def __init__(self, *, version: OcppVersion, clock: Clock, random: Random) -> None:
        self.out: list[bytes] = []
        """Frames to send, oldest first; the shell takes them."""
        self.answer_due: float | None = None
        """When the open CALL counts as unanswered."""
        self.attempts = 3
        self.retry_s = 10.0
        self.on_refused: Callable[[CallError], None] = _unheard
        self.on_unanswered: Callable[[str], None] = _unheard
        self._version = version
        self._clock = clock
        self._random = random
        self._session: Session | None = None
        self._current: Errand | None = None
        # Lists: an empty deque takes ten times the memory, and these are short.
        self._kept: list[Errand] = []
        self._plain: list[Errand] = []
        self._number = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._session is not None

    @property
    def all_told(self) -> bool:
        """Whether every message about a transaction has been answered."""
        return not self._kept and (self._current is None or self._current.about is None)

    @property
    def retry_at(self) -> float | None:
        """When a refused message may go out again."""
        return self._kept[0].not_before if self._kept and self._kept[0].not_before else None

    def opened(self) -> None:
        """A new connection stands."""
        self._session = Session()
        self.out.clear()

    def closed(self) -> None:
        """It is gone; what is kept goes out again on the next one."""
        self._session = None
        self.out.clear()
        self._drop_current()
        dropped, self._plain = self._plain, []
        for errand in dropped:
            errand.done(None)

    def add(self, errand: Errand) -> None:
        """Line an errand up behind the others."""
        self._number += 1
        errand.number = self._number
        if errand.about is None:
            self._plain.append(errand)
            return
        if len(self._kept) >= MAX_KEPT:
            self._kept.pop(0)
        self._kept.append(errand)

    def has_kept(self, transaction_id: str | None) -> bool:
        """Whether a message about that transaction, or about any, is unanswered."""
        told = [*self._kept] if self._current is None else [self._current, *self._kept]
        owners = [errand.about for errand in told if errand.about is not None]
        return any(transaction_id in {None, owner.id} for owner in owners)

    def pump(self, allowed: Callable[[Errand], bool]) -> None:
        """Send the next CALL when the last is answered and it is `allowed`."""
        session = self._session
        while session is not None and self._current is None:
            queue = self._next_queue(allowed)
            if queue is None:
                return
            errand = queue.pop(0)
            payload = errand.payload()
            if payload is None:
                continue
            call = Call(f"{self._random.getrandbits(96):024x}", errand.action, payload)
            session.queue(call)
            session.next_to_send()
            self._current = errand
            self.answer_due = self._clock.monotonic() + CALL_TIMEOUT_S
            self.out.append(frames.encode(call))

    def _next_queue(self, allowed: Callable[[Errand], bool]) -> list[Errand] | None:
        """The queue with the oldest errand that may go now."""
        ready: list[list[Errand]] = []
        head = self._kept[0] if self._kept else None
        if head and allowed(head) and head.not_before <= self._clock.monotonic():
            ready.append(self._kept)
        while self._plain and not allowed(self._plain[0]):
            self._plain.pop(0).done(None)
        if self._plain:
            ready.append(self._plain)
        return min(ready, key=lambda queue: queue[0].number, default=None)

    def receive(self, data: bytes) -> Call | None:
        """Take a frame in; returns a CALL that wants an answer."""
        session = self._session
        if session is None:
            return None
        try:
            happening = session.receive(frames.parse(data))
        except FrameError as error:
            if error.message_id is not None and error.message_type == 2:
                code = schemas.spelled(self._version, "RpcFrameworkError")
                self._send_error(error.message_id, code, error.reason)
            return None
        if isinstance(happening, Received):
            return happening.call
        if isinstance(happening, Repeated):
            self.out.append(frames.encode(happening.answer))
        elif isinstance(happening, Finished):
            self._finish(happening.answer)
        return None

    def answer(self, call: Call, answer: CallResult | CallError) -> None:
        """Answer a CALL of the CSMS."""
        if self._session is not None:
            self.out.append(frames.encode(self._session.answer(call, answer)))

    def ignore(self, call: Call) -> None:
        """Leave a CALL of the CSMS unanswered."""
        if self._session is not None:
            self._session.forget(call)

    def expire(self) -> None:
        """Give up on the open CALL when its time is over."""
        if self.answer_due is None or self.answer_due > self._clock.monotonic():
            return
        errand = self._current
        if self._session is not None and self._session.outstanding is not None:
            self._session.abandon(self._session.outstanding.message_id)
        self._drop_current()
        if errand is not None:
            if errand.about is not None:
                errand.not_before = self._clock.monotonic() + self.retry_s
            self.on_unanswered(errand.action)

    def _drop_current(self) -> None:
        errand, self._current, self.answer_due = self._current, None, None
        if errand is None:
            return
        if errand.about is not None:
            self._kept.insert(0, errand)
        else:
            errand.done(None)

    def _finish(self, answer: CallResult | CallError) -> None:
        errand, self._current, self.answer_due = self._current, None, None
        assert errand is not None
        if isinstance(answer, CallResult):
            errand.done(answer.payload if self._usable(errand.action, answer.payload) else None)
            return
        errand.refusals += 1
        if errand.about is not None and errand.refusals < self.attempts:
            errand.not_before = self._clock.monotonic() + self.retry_s * errand.refusals
            self._kept.insert(0, errand)
        else:
            errand.done(None)
        self.on_refused(answer)

    def _usable(self, action: str, answer: JsonObject) -> bool:
        wrong = schemas.violation(self._version, action, "response", answer)
        return wrong is None or wrong.is_surplus

    def _send_error(self, message_id: str, code: str, reason: str) -> None:
        self.out.append(frames.encode(CallError(message_id, code, reason, {})))


def _unheard(happening: object) -> None:
    """Until somebody listens."""
