"""The present connection of one registered station: its readiness, its log rows, its signals."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from csms.clock import Clock
from csms.domain.histograms import Histogram
from csms.domain.stations import Registration
from csms.errors import CallTimeout
from csms.events import Bus, LateAnswer, SlotFree, StationReady
from csms.ocpp import linting, logged, questions
from csms.ocpp.breaker import Breaker
from csms.ocpp.budget import Budget, Purses
from csms.ocpp.calling import Caller
from csms.ocpp.connection import Connection
from csms.ocpp.context import StationContext
from csms.ocpp.delays import delayed
from csms.ocpp.frames import Call, CallError, CallResult, FrameError, JsonObject
from csms.ocpp.our_calls import Ending, OurCall
from csms.ocpp.presence import Unready
from csms.ocpp.questions import Asking, Patience
from csms.ocpp.quirks.applied import Applied
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.router import Outcome, Router, Waiting
from csms.ocpp.settings import OcppSettings
from csms.ocpp.turns import Turns
from csms.ocpp.websocket import Socket
from csms.services import redaction
from csms.services.lint import Lint
from csms.services.message_log import MessageLog
from csms.store import ocpp_messages

# Beyond that many a connection's stray answers are only counted.
MAX_STRAYS = 1000
log = structlog.get_logger(__name__)
CALL_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# So many CALLs with secrets are known again when their answers come late.
MAX_TOLD = 1000
# More than any station has; a number beyond it is nonsense.
MAX_CONNECTORS = 100
# More than the silence before the readiness trigger and the wait for its answer take by default.
READY_WITHIN_S = 120.0


def _latencies() -> dict[str, Histogram]:
    return {"in": Histogram(CALL_BUCKETS_S), "out": Histogram(CALL_BUCKETS_S)}


@dataclass(slots=True)
class Shared:
    """What every link of a hub uses."""

    bus: Bus
    clock: Clock
    settings: OcppSettings
    message_log: MessageLog
    lint: Lint
    gone: Callable[[Link], None]
    """Told once of every link that is over."""
    patience: Patience = field(default_factory=Patience)
    breaker: Breaker = field(default_factory=Breaker)
    turns: Turns = field(default_factory=Turns)
    messages: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(direction, action, result) → number, for /metrics."""
    latencies: dict[str, Histogram] = field(default_factory=_latencies)
    """Direction → seconds from a CALL to its answer, for /metrics."""
    garbled: int = 0
    strays: int = 0
    slowed: int = 0
    """How often a station had to wait because it sent too much."""
    purses: Purses = field(init=False)
    told: dict[tuple[int, str], frozenset[str]] = field(default_factory=dict)
    """The secrets in CALLs without an answer so far, by station and message id."""

    def __post_init__(self) -> None:
        settings = self.settings
        self.purses = Purses(Budget.of(settings.messages_per_s, settings.messages_burst))

    def remember(self, station_id: int, call: Call) -> None:
        """Know its secrets again in an answer that comes late."""
        secrets = redaction.secrets_of(call.payload)
        if secrets:
            self.told[station_id, call.message_id] = secrets
            if len(self.told) > MAX_TOLD:
                del self.told[next(iter(self.told))]

    def waits_for_told(self, station_id: int) -> bool:
        """Whether an answer to a CALL with secrets may still come."""
        return any(to == station_id for to, _ in self.told)


class Link:
    """Follows one connection from its registration to its end."""

    __slots__ = (
        "_asked_boot",
        "_asked_statuses",
        "_asking",
        "_shared",
        "_statuses",
        "_strays",
        "_unready_since",
        "_version",
        "_was_slowed",
        "caller",
        "connection",
        "context",
        "is_ready",
        "ready_at",
        "router",
    )

    def __init__(
        self, shared: Shared, context: StationContext, router: Router, socket: Socket
    ) -> None:
        self.context = context
        self.is_ready = False
        self.ready_at: float | None = None
        """When it showed the sign of readiness, monotonic."""
        self.router = router
        self.connection = Connection(
            socket,
            identity=context.identity,
            address=context.address,
            version=context.version,
            clock=shared.clock,
            watcher=self,
            turns=shared.turns,
            purse=shared.purses.of(context.station_id),
        )
        self._shared = shared
        self._unready_since = shared.clock.monotonic()
        self._strays = 0
        self._was_slowed = False
        self._version = context.version.value
        self.caller = Caller(
            context,
            self.connection,
            settings=shared.settings,
            clock=shared.clock,
            breaker=shared.breaker,
        )
        self._asking = Asking(
            context,
            self.caller,
            clock=shared.clock,
            patience=shared.patience,
            timeout_s=shared.settings.ready_trigger_s,
        )
        self._asked_boot = False
        self._asked_statuses = False
        self._statuses: set[int] | None = None
        """EVSEs that told their status, where a quirk makes us ask the others; 1.6: connectors."""
        self.take(context.quirks)

    def take(self, quirks: Applied) -> None:
        """Let these quirks apply from now on."""
        self.context.quirks = quirks
        self.connection.call_spacing_s = quirks.settings.call_spacing_s
        if not quirks.settings.trigger_status:
            self._statuses = None
        elif self._statuses is None:
            self._statuses = set()

    def register(self, registration: Registration) -> None:
        """Let this registration count from now on; who is not accepted gets no calls."""
        if self.is_ready or registration is not self.context.registration:
            self._unready_since = self._shared.clock.monotonic()
        self.context.registration = registration
        if registration is not Registration.ACCEPTED:
            self.is_ready, self.ready_at = False, None
            # Who waits for its slot must not wait for an answer that frees none any more.
            self._shared.bus.publish(SlotFree(self.context.station_id))

    @property
    def unready(self) -> Unready | None:
        """Why no CALL may go out, and how long that may take; None: one may."""
        if self.is_ready:
            return None
        registration = self.context.registration
        reason = "it has not shown that it is ready"
        if registration is not Registration.ACCEPTED:
            reason = f"its registration is {registration.value}"
        settings, quirks = self._shared.settings, self.context.quirks.settings
        silence_s = questions.boot_silence_s(settings, quirks)
        asked_s = silence_s + settings.ready_trigger_s + quirks.ready_delay_s
        waited_s = self._shared.clock.monotonic() - self._unready_since
        return Unready(max(READY_WITHIN_S, asked_s) - waited_s, reason)

    @property
    def is_slot_free(self) -> bool:
        """Whether a CALL handed in now goes out at once."""
        return self.is_ready and self.connection.session.idle and self.connection.is_open

    # ---- what the connection tells -----------------------------------------------------------

    def answer(self, call: Call) -> Outcome | Waiting:
        """Serve one CALL of the station."""
        outcome = self.router.begin(self.context, call)
        quirks = self.context.quirks
        if quirks.settings.response_delay_s:
            self.context.fire(quirks.origin("response_delay_s"))
            return delayed(outcome, quirks.settings.response_delay_s)
        return outcome

    def served(self, connection: Connection, call: Call, outcome: Outcome, began_at: int) -> None:
        """Log the station's CALL; it may be the sign of readiness."""
        answer = outcome.answer
        state = "ignored"
        if answer is not None:
            state = "done" if isinstance(answer, CallResult) else "failed"
        self._log("in", call, began_at, state=state, answer=answer, verdict=outcome.verdict)
        if outcome.breaches or self.context.findings:
            linting.note_call(self._shared.lint, self.context, call, outcome.breaches)
        if call.action == "StatusNotification":
            self._note_status(_evse_of(call.payload))
        if not self.is_ready and self._shows_readiness(call, outcome):
            self._become_ready()

    def ended(self, connection: Connection, ours: OurCall, ending: Ending) -> None:
        """Log our CALL, tell of a late answer and of the free slot."""
        answer = ending.answer
        if answer is not None:
            state = "done" if isinstance(answer, CallResult) else "failed"
            verdict = linting.note_answer(self._shared.lint, self.context, ours.call, answer)
            self._log("out", ours.call, ours.began_at, state=state, answer=answer, verdict=verdict)
            if not ending.waited_for:
                self._tell_late(answer, redaction.secrets_of(ours.call.payload))
            self.caller.heard()
        elif ours.sent:
            state = "timeout" if isinstance(ending.failure, CallTimeout) else "lost"
            self._log("out", ours.call, ours.began_at, state=state)
            self._shared.remember(self.context.station_id, ours.call)
            if state == "timeout":
                self.caller.gave_up(ours)
        self.rested(connection)

    def rested(self, connection: Connection) -> None:
        """Tell of the free slot."""
        if self.is_slot_free:
            self._shared.bus.publish(SlotFree(self.context.station_id))

    def noticed(self, connection: Connection, quirk: Observed) -> None:
        """Fire it."""
        self.context.fire(quirk.value)

    def slowed(self, connection: Connection) -> None:
        """Count it, and say it once."""
        self._shared.slowed += 1
        if not self._was_slowed:
            self._was_slowed = True
            log.warning("station sends too much", station=self.context.identity)

    def strayed(self, connection: Connection, answer: CallResult | CallError) -> None:
        """Tell of an answer that came after its CALL was given up."""
        self.caller.heard()
        self._shared.strays += 1
        self._strays += 1
        if self._strays > MAX_STRAYS:
            return
        key = self.context.station_id, answer.message_id
        told = self._shared.told.pop(key, redaction.NOTHING)
        self._shared.message_log.record_late(
            key,
            ocpp_messages.LateAnswer(
                logged.answer_text(answer, told),
                logged.error_code(answer, told),
                self._shared.clock.micros(),
            ),
        )
        self._tell_late(answer, told)

    def garbled(self, connection: Connection, error: FrameError) -> None:
        """Count it; the socket stays."""
        self._shared.garbled += 1
        self.context.log.debug("broken frame", reason=error.reason)
        outstanding = connection.session.outstanding
        may_quote = outstanding is not None and redaction.mentions_a_secret(outstanding.payload)
        may_quote = may_quote or self._shared.waits_for_told(self.context.station_id)
        linting.note_frame(self._shared.lint, self.context, error, may_quote_secrets=may_quote)

    def reused_id(self, connection: Connection, call: Call) -> None:
        """Let the lint know."""
        linting.note_reused_id(self._shared.lint, self.context, call)

    def gone(self, connection: Connection) -> None:
        """Tell the hub."""
        self._shared.gone(self)

    def _note_status(self, evse_id: int) -> None:
        if evse_id <= MAX_CONNECTORS:
            self.context.connectors = max(self.context.connectors, evse_id)
        if self._statuses is not None:
            self._statuses.add(evse_id)

    # ---- readiness, and what we ask by ourselves ---------------------------------------------

    def ask(self, now: float) -> None:
        """Ask what has to be asked: a silent station for a boot, once, and nothing before that.

        Stations that only lost their socket need not boot again, and Wallbox falls into a loop
        when it is asked anything before its boot was answered.
        """
        if self.is_ready:
            self._ask_for_statuses(now)
            return
        connection, context = self.connection, self.context
        if self._asked_boot or connection.session.being_answered or self.ready_at is not None:
            return
        if context.registration is not Registration.ACCEPTED:
            return
        quiet_since = connection.last_call_at or connection.opened_at
        settings = self._shared.settings
        if now - quiet_since < questions.boot_silence_s(settings, context.quirks.settings):
            return
        self._asked_boot = True
        if self._asking.may_ask(now):
            connection.spawn(self._ask_for_boot())
        else:
            self._become_ready()

    def _ask_for_statuses(self, now: float) -> None:
        if self._statuses is None or self._asked_statuses or not self.is_slot_free:
            return
        if self.ready_at is not None and now - self.ready_at >= questions.STATUS_SILENCE_S:
            self._asked_statuses = True
            if self._asking.may_ask(now):
                self.connection.spawn(self._asking.for_statuses(self._statuses))

    async def _ask_for_boot(self) -> None:
        await self._asking.for_boot()
        if self.connection.is_open:
            self._become_ready()

    def _shows_readiness(self, call: Call, outcome: Outcome) -> bool:
        if self.context.registration is not Registration.ACCEPTED:
            return False
        return call.action != "BootNotification" or isinstance(outcome.answer, CallResult)

    def _become_ready(self) -> None:
        if self.ready_at is not None:
            return
        self.ready_at = self._shared.clock.monotonic()
        quirks = self.context.quirks
        if quirks.settings.ready_delay_s:
            self.context.fire(quirks.origin("ready_delay_s"))
            loop = asyncio.get_running_loop()
            loop.call_later(quirks.settings.ready_delay_s, self._welcome_calls)
        else:
            self._welcome_calls()

    def _welcome_calls(self) -> None:
        if self.connection.is_open:
            self.is_ready = True
            self._shared.bus.publish(StationReady(self.context.station_id))

    # ---- answers to our CALLs ----------------------------------------------------------------

    def _tell_late(self, answer: CallResult | CallError, told: frozenset[str]) -> None:
        self.context.fire(Observed.LATE_ANSWER.value)
        self._shared.bus.publish(
            LateAnswer(
                self.context.station_id,
                answer.message_id,
                redaction.struck(answer.payload, told) if isinstance(answer, CallResult) else None,
                logged.error_code(answer, told),
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
        latency_us = None if answer is None else shared.clock.micros() - began_at
        if latency_us is not None:
            shared.latencies[direction].record(latency_us / 1e6)
        shared.message_log.record(
            logged.message(
                (self.context.station_id, direction, self._version, began_at),
                call,
                answer,
                state=state,
                verdict=verdict,
                latency_us=latency_us,
            )
        )


def _evse_of(payload: JsonObject) -> int:
    """Whose status it is; 1.6 speaks of connectors."""
    number = payload.get("connectorId" if "evseId" not in payload else "evseId")
    return number if isinstance(number, int) else 0
