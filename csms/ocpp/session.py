"""The state of one OCPP-J connection, the same for both ends: no socket, no clock, no task.

Two rules. All that changes the state of a conversation lives in this file. This file does not
know whether it is the CSMS or the charging station.

Theory of operation: the shell feeds parsed frames to `receive` and sends what `next_to_send`
and `answer` return. One CALL of ours is outstanding at a time (OCPP-J 4.1.1); answers are
matched by message id, never by order, so a late answer is never given to the next call.
"""

from __future__ import annotations

from dataclasses import dataclass

from csms.ocpp.frames import Call, CallError, CallResult, CallResultError, Frame, Send

# A station that repeats a message within a connection gets the same answer again.
REMEMBERED_ANSWERS = 4
MAX_WAITING = 100


# Made for every message, like frames; see there why they are not frozen.
@dataclass(slots=True)
class Received:
    """A CALL of the other end that wants an answer."""

    call: Call
    reuses_id: bool = False
    """Whether an earlier CALL with other content had the same message id."""


@dataclass(slots=True)
class Repeated:
    """A CALL we have answered already on this connection; send `answer` again."""

    call: Call
    answer: CallResult | CallError


@dataclass(slots=True)
class Finished:
    """Our outstanding CALL is over."""

    call: Call
    answer: CallResult | CallError


@dataclass(slots=True)
class Stray:
    """An answer nobody waits for: late, repeated, or invented."""

    answer: CallResult | CallError | CallResultError


Happening = Received | Repeated | Finished | Stray | Send


class QueueFull(Exception):
    """Too many CALLs wait on this connection."""


class Session:
    """One connection's conversation. Empty collections are None: most connections are idle."""

    __slots__ = ("_answers", "_being_answered", "_waiting", "outstanding", "resting")

    def __init__(self) -> None:
        self.outstanding: Call | None = None
        """Our CALL on the wire."""
        self.resting = False
        """The other end needs a moment before our next CALL; the shell knows how long."""
        self._waiting: list[Call] | None = None
        self._being_answered: dict[str, Call] | None = None
        self._answers: dict[str, _Answered] | None = None

    @property
    def idle(self) -> bool:
        """Whether a CALL handed in now would go out at once."""
        return self.outstanding is None and not self._waiting and not self.resting

    @property
    def waiting(self) -> tuple[Call, ...]:
        """Our CALLs behind the outstanding one, in order."""
        return tuple(self._waiting or ())

    @property
    def being_answered(self) -> tuple[Call, ...]:
        """CALLs of the other end that have no answer yet, in order of arrival."""
        return tuple((self._being_answered or {}).values())

    def queue(self, call: Call) -> None:
        """Line our CALL up; raises QueueFull."""
        if self._waiting is None:
            self._waiting = []
        elif len(self._waiting) >= MAX_WAITING:
            raise QueueFull
        self._waiting.append(call)

    def next_to_send(self) -> Call | None:
        """The CALL that may go on the wire now, or None."""
        if self.outstanding is not None or self.resting or not self._waiting:
            return None
        self.outstanding = self._waiting.pop(0)
        return self.outstanding

    def abandon(self, message_id: str) -> bool:
        """Stop waiting for our CALL; returns whether it had been sent.

        A later answer to it is a Stray.
        """
        if self.outstanding is not None and self.outstanding.message_id == message_id:
            self.outstanding = None
            return True
        self._waiting = [call for call in self._waiting or () if call.message_id != message_id]
        return False

    def receive(self, frame: Frame) -> Happening | None:
        """What a frame from the other end means; None when there is nothing to do."""
        if isinstance(frame, Call):
            return self._receive_call(frame)
        if isinstance(frame, Send):
            return frame
        outstanding = self.outstanding
        if (
            isinstance(frame, CallResultError)
            or outstanding is None
            or outstanding.message_id != frame.message_id
        ):
            return Stray(frame)
        self.outstanding = None
        return Finished(outstanding, frame)

    def _receive_call(self, call: Call) -> Received | Repeated | None:
        reuses_id = False
        if self._answers:
            known = self._answers.get(call.message_id)
            reuses_id = known is not None
            # The id alone is no proof: stations restart their counters, so the content must match.
            if known is not None and known.is_to(call):
                return Repeated(call, known.answer)
        if self._being_answered is None:
            self._being_answered = {}
        elif call.message_id in self._being_answered:
            return None  # repeated while we still work on it: one answer is enough
        self._being_answered[call.message_id] = call
        return Received(call, reuses_id)

    def answer(self, call: Call, answer: CallResult | CallError) -> CallResult | CallError:
        """Remember the answer to a received CALL; the shell sends it."""
        self.forget(call)
        if self._answers is None:
            self._answers = {}
        self._answers.pop(call.message_id, None)
        self._answers[call.message_id] = _Answered(call.action, call.fingerprint, answer)
        if len(self._answers) > REMEMBERED_ANSWERS:
            del self._answers[next(iter(self._answers))]
        return answer

    def forget(self, call: Call) -> None:
        """Drop a received CALL without remembering an answer to it."""
        if self._being_answered:
            self._being_answered.pop(call.message_id, None)
            if not self._being_answered:
                self._being_answered = None


@dataclass(slots=True)
class _Answered:
    """An answer given, with what is enough to know its CALL again."""

    action: str
    fingerprint: int
    answer: CallResult | CallError

    def is_to(self, call: Call) -> bool:
        return self.action == call.action and self.fingerprint == call.fingerprint
