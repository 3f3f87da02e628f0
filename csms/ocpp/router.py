"""(version, action) → handler, and everything that goes wrong on the way → CALLERROR code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from csms.domain.lint import Rule
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion
from csms.errors import (
    BadRequest,
    CsmsError,
    Forbidden,
    NotSupportedByVersion,
    Unauthenticated,
    Unavailable,
)
from csms.ocpp import schemas
from csms.ocpp.context import Handler, StationContext, Stored
from csms.ocpp.directions import FROM_STATION
from csms.ocpp.frames import (
    MAX_DESCRIPTION,
    Call,
    CallError,
    CallResult,
    FrameError,
    JsonObject,
)
from csms.ocpp.quirks.observed import Observed

log = structlog.get_logger(__name__)

# What we acknowledge of these the station deletes: never refused for its meaning, and never
# answered while it cannot be stored (a CALLERROR would use up the station's attempts).
TRANSACTION_CLASS = frozenset(
    {
        "BatterySwap",
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "MeterValues",
        "NotifyEvent",
        "NotifySettlement",
        "PublishFirmwareStatusNotification",
        "SecurityEventNotification",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "TransactionEvent",
    }
)
# What asks us to decide something cannot be answered without the thing it is about. All else is
# told to us, and half of it is better than nothing.
QUESTIONS = frozenset(
    {
        "Authorize",
        "DataTransfer",
        "Get15118EVCertificate",
        "GetCertificateChainStatus",
        "GetCertificateStatus",
        "OpenPeriodicEventStream",
        "PullDynamicScheduleUpdate",
        "SignCertificate",
        "VatNumberValidation",
    }
)
TRY_AGAIN_LATER = 1013


@dataclass(slots=True)  # one to a message; see frames.Call
class Outcome:
    """What became of a CALL: its answer, or none and perhaps a reason to close the socket."""

    answer: CallResult | CallError | None
    breaches: Sequence[schemas.Violation] = ()
    """What is wrong with the payload, the gravest first, also when it was handled all the same."""
    close_code: int | None = None

    @property
    def verdict(self) -> str | None:
        """The gravest breach, as the message log keeps it."""
        return self.breaches[0].verdict if self.breaches else None


@dataclass(slots=True)
class Waiting:
    """A CALL whose answer has to wait: call `finish` when the future is done."""

    future: asyncio.Future[Any]
    finish: Callable[[], Outcome]


class Router:
    """The actions of one OCPP version."""

    def __init__(
        self,
        version: OcppVersion,
        handlers: Mapping[tuple[OcppVersion, str], Handler],
        *,
        elder: Router | None = None,
    ) -> None:
        self.version = version
        self._elder = elder
        """Of an older version, whose payloads are served when they come on a newer socket."""
        self._handlers = {
            action: handlers.get((version, action)) for action in schemas.actions(version)
        }

    def knows(self, action: str) -> bool:
        """Whether the version has this action at all."""
        return action in self._handlers

    def serves(self, call: Call) -> bool:
        """Whether the CALL is one of this version, whatever its times look like, and is handled."""
        if self._handlers.get(call.action) is None:
            return False
        return schemas.is_valid(self.version, call.action, "request", call.payload)

    async def route(self, context: StationContext, call: Call) -> Outcome:
        """Serve one CALL; raises nothing but CancelledError."""
        outcome = self.begin(context, call)
        if isinstance(outcome, Outcome):
            return outcome
        await asyncio.wait([outcome.future])
        return outcome.finish()

    def begin(self, context: StationContext, call: Call) -> Outcome | Waiting:
        """As `route`, without a task for what needs none; raises nothing."""
        if call.action not in self._handlers:
            if (elder := self._elder_for(context, call)) is not None:
                return elder.begin(context, call)
            context.lint(Rule.UNKNOWN_ACTION, value=call.action)
            return self._refuse(call, "NotImplemented", "the action is not known")
        handler = self._handlers[call.action]
        if handler is None:
            if call.action not in FROM_STATION[self.version]:
                context.lint(Rule.UNEXPECTED_ACTION)
            return self._refuse(call, "NotSupported", "the action is known but not supported here")
        if self._must_boot_first(context, call):
            context.lint(Rule.CALL_BEFORE_ACCEPTANCE, clause=f"OCPP {self.version.value} B02.FR.09")
            return self._refuse(call, "SecurityError", "the station is not accepted")
        breaches: Sequence[schemas.Violation] = ()
        try:
            is_valid = schemas.checker(self.version, call.action, "request")
            if is_valid is None or not is_valid(call.payload):
                if (elder := self._elder_for(context, call)) is not None:
                    return elder.begin(context, call)
                breaches = schemas.breaches(self.version, call.action, "request", call.payload)
                if context.strict or _is_undecidable(call.action, breaches):
                    return self._violated(call, breaches)
            answer = handler(context, call.payload)
            if answer is None or isinstance(answer, dict):
                return _answered(call, answer, breaches)
            future, reply = _started(context, answer)
        except Exception as error:
            return self._failed(context, call, error, breaches)
        return Waiting(future, partial(self._finish, context, call, future, reply, breaches))

    def _finish(
        self,
        context: StationContext,
        call: Call,
        future: asyncio.Future[Any],
        reply: Callable[[Any], JsonObject | None] | None,
        breaches: Sequence[schemas.Violation],
    ) -> Outcome:
        if future.cancelled():
            return Outcome(None)
        try:
            result = future.result()
            return _answered(call, result if reply is None else reply(result), breaches)
        except Exception as error:
            return self._failed(context, call, error, breaches)

    def _failed(
        self,
        context: StationContext,
        call: Call,
        error: Exception,
        breaches: Sequence[schemas.Violation],
    ) -> Outcome:
        if isinstance(error, Unavailable):
            return self._not_stored(context, call, error)
        if breaches:  # nothing the handler could use: the schema's refusal stands
            context.log.info("flawed message", action=call.action, error=type(error).__name__)
            return self._violated(call, breaches)
        if isinstance(error, CsmsError):
            # Only our own words go back: the message may repeat what the station sent.
            return self._refuse(call, _code_of(error), f"the message was refused: {error.code}")
        context.log.error("handler failed", action=call.action, exc_info=error)
        return self._refuse(call, "InternalError", "the message could not be processed")

    def _not_stored(self, context: StationContext, call: Call, error: Unavailable) -> Outcome:
        context.log.warning("message not stored", action=call.action, reason=error.code)
        if call.action in TRANSACTION_CLASS:
            return Outcome(None, close_code=TRY_AGAIN_LATER)
        return self._refuse(call, "InternalError", "storage is not available")

    def _elder_for(self, context: StationContext, call: Call) -> Router | None:
        """FoxESS in its automatic mode sends payloads of 1.6 on a socket of 2.0.1."""
        elder = self._elder
        if elder is None or context.strict or not elder.serves(call):
            return None
        if self._must_boot_first(context, call):
            return None
        context.fire(Observed.OTHER_VERSION.value, f"{call.action} of OCPP {elder.version.value}")
        return elder

    def _must_boot_first(self, context: StationContext, call: Call) -> bool:
        # OCPP 2.0.1 B02.FR.09, B03.FR.07; 1.6 has no such rule and allows triggered messages.
        return (
            context.registration is not Registration.ACCEPTED
            and self.version is not OcppVersion.V16
            and call.action != "BootNotification"
        )

    def _violated(self, call: Call, breaches: Sequence[schemas.Violation]) -> Outcome:
        worst = breaches[0]
        return Outcome(CallError(call.message_id, worst.code, worst.message, {}), breaches)

    def _refuse(self, call: Call, code: str, description: str) -> Outcome:
        return Outcome(refusal(self.version, call.message_id, code, description))


def refusal(version: OcppVersion, message_id: str, code: str, description: str) -> CallError:
    """A CALLERROR in the spelling of the version."""
    return CallError(message_id, schemas.spelled(version, code), description[:MAX_DESCRIPTION], {})


def answer_to_broken(version: OcppVersion, error: FrameError) -> CallError | None:
    """The CALLERROR that a frame we could not read gets; None: it gets none."""
    if error.unknown_type or (version is not OcppVersion.V21 and error.message_type in {5, 6}):
        # OCPP-J 1.6 4.1.3 and 2.1 part 4 4.4: ignored. Only 2.0.1 wants to hear of it.
        if version is not OcppVersion.V201:
            return None
        return refusal(version, error.message_id or "-1", "MessageTypeNotSupported", error.reason)
    if error.message_type in {3, 4, 5, 6}:
        return None  # an answer is never answered, nor is a SEND
    if version is OcppVersion.V16:
        if error.message_type != 2 or error.message_id is None:
            return None
        return refusal(version, error.message_id, "FormatViolation", error.reason)
    return refusal(version, error.message_id or "-1", "RpcFrameworkError", error.reason)


def _code_of(error: CsmsError) -> str:
    if isinstance(error, NotSupportedByVersion):
        return "NotSupported"
    if isinstance(error, (Forbidden, Unauthenticated)):
        return "SecurityError"
    if isinstance(error, BadRequest):
        return "PropertyConstraintViolation"
    return "InternalError"


def _started(
    context: StationContext, answer: Stored | Awaitable[JsonObject | None]
) -> tuple[asyncio.Future[Any], Callable[[Any], JsonObject | None] | None]:
    if isinstance(answer, Stored):
        return context.db.submit(answer.write), answer.reply
    return asyncio.ensure_future(answer), None


def _answered(
    call: Call, payload: JsonObject | None, breaches: Sequence[schemas.Violation]
) -> Outcome:
    if payload is None:
        return Outcome(None, breaches)
    return Outcome(CallResult(call.message_id, payload), breaches)


def _is_undecidable(action: str, breaches: Sequence[schemas.Violation]) -> bool:
    # A word we do not know may still be decided: unknown types of id tokens are about.
    return action in QUESTIONS and any(
        not one.is_surplus and one.keyword != "enum" for one in breaches
    )
