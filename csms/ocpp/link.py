"""The present connection of one registered station: its readiness, its log rows, its signals."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from csms.clock import Clock
from csms.domain.stations import Registration
from csms.errors import CallFailed, CallTimeout, StationOffline
from csms.events import Bus, LateAnswer, SlotFree, StationReady
from csms.ocpp import schemas
from csms.ocpp.connection import Connection, Ending, OurCall
from csms.ocpp.context import StationContext
from csms.ocpp.frames import Call, CallError, CallResult, FrameError, JsonObject
from csms.ocpp.router import Outcome, Router, Waiting
from csms.ocpp.settings import OcppSettings
from csms.ocpp.turns import Turns
from csms.ocpp.websocket import Socket
from csms.services.message_log import MessageLog, as_text
from csms.store import ocpp_messages
from csms.store.ocpp_messages import Message

# Beyond that many a connection's stray answers are only counted.
MAX_STRAYS = 1000


@dataclass(slots=True)
class Shared:
    """What every link of a hub uses."""

    bus: Bus
    clock: Clock
    settings: OcppSettings
    message_log: MessageLog
    gone: Callable[[Link], None]
    """Told once of every link that is over."""
    turns: Turns = field(default_factory=Turns)
    messages: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(direction, action, result) → number, for /metrics."""
    garbled: int = 0
    strays: int = 0


class Link:
    """Follows one connection from its registration to its end."""

    __slots__ = ("_shared", "_strays", "_version", "connection", "context", "is_ready", "router")

    def __init__(
        self, shared: Shared, context: StationContext, router: Router, socket: Socket
    ) -> None:
        self.context = context
        self.is_ready = False
        self.router = router
        self.connection = Connection(
            socket,
            identity=context.identity,
            address=context.address,
            version=context.version,
            clock=shared.clock,
            watcher=self,
            turns=shared.turns,
        )
        self._shared = shared
        self._strays = 0
        self._version = context.version.value

    @property
    def is_slot_free(self) -> bool:
        """Whether a CALL handed in now goes out at once."""
        return self.is_ready and self.connection.session.idle and self.connection.is_open

    # ---- what the connection tells -----------------------------------------------------------

    def answer(self, call: Call) -> Outcome | Waiting:
        """Serve one CALL of the station."""
        return self.router.begin(self.context, call)

    def served(self, connection: Connection, call: Call, outcome: Outcome, began_at: int) -> None:
        """Log the station's CALL; it may be the sign of readiness."""
        answer = outcome.answer
        state = "ignored"
        if answer is not None:
            state = "done" if isinstance(answer, CallResult) else "failed"
        self._log("in", call, began_at, state=state, answer=answer, verdict=outcome.verdict)
        if not self.is_ready and self._shows_readiness(call, outcome):
            self._become_ready()

    def ended(self, connection: Connection, ours: OurCall, ending: Ending) -> None:
        """Log our CALL, tell of a late answer and of the free slot."""
        answer = ending.answer
        if answer is not None:
            state = "done" if isinstance(answer, CallResult) else "failed"
            verdict = self._verdict(ours.call, answer)
            self._log("out", ours.call, ours.began_at, state=state, answer=answer, verdict=verdict)
            if not ending.waited_for:
                self._tell_late(answer)
        elif ours.sent:
            state = "timeout" if isinstance(ending.failure, CallTimeout) else "lost"
            self._log("out", ours.call, ours.began_at, state=state)
        if self.is_slot_free:
            self._shared.bus.publish(SlotFree(self.context.station_id))

    def strayed(self, connection: Connection, answer: CallResult | CallError) -> None:
        """Tell of an answer that came after its CALL was given up."""
        self._shared.strays += 1
        self._strays += 1
        if self._strays > MAX_STRAYS:
            return
        self._shared.message_log.record_late(
            (self.context.station_id, answer.message_id),
            ocpp_messages.LateAnswer(
                _answer_text("", answer),
                answer.error_code if isinstance(answer, CallError) else None,
                self._shared.clock.micros(),
            ),
        )
        self._tell_late(answer)

    def garbled(self, connection: Connection, error: FrameError) -> None:
        """Count it; the socket stays."""
        self._shared.garbled += 1
        self.context.log.debug("broken frame", reason=error.reason)

    def gone(self, connection: Connection) -> None:
        """Tell the hub."""
        self._shared.gone(self)

    # ---- readiness ---------------------------------------------------------------------------

    def ask_for_boot_if_silent(self, now: float) -> None:
        """After a while without any CALL ask for a boot, once; nothing else is sent before.

        Stations that only lost their socket need not boot again, and Wallbox falls into a loop
        when it is asked anything before its boot was answered.
        """
        connection, settings = self.connection, self._shared.settings
        if self.is_ready or self.context.triggered or connection.session.being_answered:
            return
        if self.context.registration is not Registration.ACCEPTED:
            return
        quiet_since = connection.last_call_at or connection.opened_at
        if now - quiet_since >= settings.ready_silence_s:
            self.context.triggered = True
            connection.spawn(self._ask_for_boot())

    async def _ask_for_boot(self) -> None:
        payload = {"requestedMessage": "BootNotification"}
        call = Call(str(uuid.uuid4()), "TriggerMessage", payload)
        try:
            await self.connection.call(call, self._shared.settings.ready_trigger_s)
        except (CallFailed, StationOffline) as error:
            self.context.log.info("no answer to the trigger", reason=error.code)
        if self.connection.is_open:
            self._become_ready()

    def _shows_readiness(self, call: Call, outcome: Outcome) -> bool:
        if self.context.registration is not Registration.ACCEPTED:
            return False
        return call.action != "BootNotification" or isinstance(outcome.answer, CallResult)

    def _become_ready(self) -> None:
        if not self.is_ready:
            self.is_ready = True
            self._shared.bus.publish(StationReady(self.context.station_id))

    # ---- answers to our CALLs ----------------------------------------------------------------

    def violation(self, action: str, answer: JsonObject) -> schemas.Violation | None:
        """What makes a CALLRESULT unusable; what it only says too much is let pass."""
        found = schemas.violation(self.context.version, action, "response", answer)
        if found is not None and found.is_surplus and not self.context.strict:
            return None
        return found

    def _verdict(self, call: Call, answer: CallResult | CallError) -> str | None:
        if isinstance(answer, CallError):
            return None
        found = schemas.violation(self.context.version, call.action, "response", answer.payload)
        return None if found is None else f"{found.code}: {found.message}"

    def _tell_late(self, answer: CallResult | CallError) -> None:
        self._shared.bus.publish(
            LateAnswer(
                self.context.station_id,
                answer.message_id,
                answer.payload if isinstance(answer, CallResult) else None,
                answer.error_code if isinstance(answer, CallError) else None,
            )
        )

    def _log(
        self,
        direction: str,
        call: Call,
        began_at: int,
        *,
        state: str,
        answer: CallResult | CallError | None = None,
        verdict: str | None = None,
    ) -> None:
        shared = self._shared
        action = call.action
        shared.messages[direction, action if self.router.knows(action) else "unknown", state] += 1
        shared.message_log.record(
            Message(
                self.context.station_id,
                direction,
                self._version,
                action,
                call.message_id,
                as_text(action, call.payload),
                None if answer is None else _answer_text(action, answer),
                answer.error_code if isinstance(answer, CallError) else None,
                state,
                verdict,
                began_at,
                None if answer is None else shared.clock.micros() - began_at,
            )
        )


def _answer_text(action: str, answer: CallResult | CallError) -> str:
    if isinstance(answer, CallResult):
        return as_text(action, answer.payload)
    return as_text("", {"description": answer.description, "details": answer.details})
