"""What the link of a station hands to the lint: each kind of message it sees go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from csms.domain.lint import Direction, Rule
from csms.ocpp import findings, schemas
from csms.ocpp.context import StationContext
from csms.ocpp.frames import Call, CallError, CallResult, FrameError
from csms.ocpp.schemas import Violation
from csms.services.lint import Lint, Origin
from csms.services.redaction import REDACTED, as_word


def note_call(
    lint: Lint, context: StationContext, call: Call, breaches: Sequence[Violation]
) -> None:
    """A CALL of the station was served, and its payload or what it means is flawed."""
    found, context.findings = context.findings or [], None
    if breaches:
        ours = findings.of_violations(
            context.version, Direction.IN, call.action, breaches, context.clock.now()
        )
        found = [*ours, *(one for one in found if one not in ours)]
    lint.note(_origin(context, Direction.IN, call), found, call.payload)


def note_answer(
    lint: Lint, context: StationContext, call: Call, answer: CallResult | CallError
) -> str | None:
    """A CALL of ours was answered; returns the worst that is to be said about the answer."""
    if isinstance(answer, CallError):
        found = findings.of_error_code(context.version, answer.error_code)
        if found is not None and answer.error_code != INVALID_ANSWER:
            lint.note(_origin(context, Direction.OUT, call), [found], call.payload)
        return None
    is_valid = schemas.checker(context.version, call.action, "response")
    if is_valid is None or is_valid(answer.payload):
        return None
    breaches = schemas.breaches(context.version, call.action, "response", answer.payload)
    of_it = findings.of_violations(
        context.version, Direction.OUT, call.action, breaches, context.clock.now()
    )
    lint.note(_origin(context, Direction.OUT, call), of_it, [call.payload, answer.payload])
    return breaches[0].verdict


def note_frame(
    lint: Lint, context: StationContext, error: FrameError, *, may_quote_secrets: bool
) -> None:
    """Bytes came that are no frame; perhaps they quote, cut off, what the station was told."""
    is_answer = error.message_type in {3, 4}
    direction = Direction.OUT if is_answer else Direction.IN
    found = findings.of_frame(context.version, error)
    if may_quote_secrets:
        found = replace(found, value=REDACTED)
    lint.note(_origin(context, direction), [found])


def note_reused_id(lint: Lint, context: StationContext, call: Call) -> None:
    """A CALL came with the message id of an earlier one."""
    found = findings.framework(context.version, Rule.REPEATED_MESSAGE_ID, call.message_id)
    lint.note(_origin(context, Direction.IN, call), [found])


# What we make of an answer that is no frame; that frame is a finding of its own.
INVALID_ANSWER = "InvalidAnswer"


def _origin(context: StationContext, direction: Direction, call: Call | None = None) -> Origin:
    action = "" if call is None else as_word(call.action)
    return Origin(context.station_id, context.version, direction, action)
