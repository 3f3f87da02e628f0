"""A CALL and its answer as the message log has them: as text, and without secrets."""

from __future__ import annotations

from csms.ocpp.frames import Call, CallError, CallResult, JsonObject
from csms.services import redaction
from csms.store.columns import to_json
from csms.store.ocpp_messages import Message

Where = tuple[int, str, str, int]
"""Station, direction, OCPP version, and when it began in microseconds."""


def message(
    where: Where,
    call: Call,
    answer: CallResult | CallError | None = None,
    *,
    state: str,
    verdict: str | None = None,
    latency_us: int | None = None,
) -> Message:
    """The row. An answer to an order of ours has nothing of the secrets in the order, either."""
    station_id, direction, version, began_at = where
    payload, said = to_json(call.payload), None if answer is None else to_json(_said(answer))
    code = answer.error_code if isinstance(answer, CallError) else None
    row = Message(
        station_id,
        direction,
        version,
        call.action,
        call.message_id,
        payload,
        said,
        code,
        state,
        verdict,
        began_at,
        latency_us,
    )
    # Most messages say nothing of the kind anywhere, and one look at all of it is enough.
    everything = f"{call.action} {call.message_id} {payload} {said} {code} {verdict}"
    if not redaction.mentioned_in(everything):
        return row
    told = redaction.secrets_of(call.payload) if direction == "out" else redaction.NOTHING
    return row._replace(
        action=redaction.as_word(call.action),
        message_id=redaction.as_word(call.message_id),
        payload=redaction.as_text(call.payload),
        answer=None if answer is None else answer_text(answer, told),
        error_code=error_code(answer, told),
        verdict=redaction.struck(verdict, told),
    )


def answer_text(answer: CallResult | CallError, told: frozenset[str]) -> str:
    """The answer without secrets, nor what we `told` in the order that it answers."""
    return redaction.as_text(_said(answer), told)


def error_code(answer: CallResult | CallError | None, told: frozenset[str]) -> str | None:
    """The code of a CALLERROR, in the same way."""
    if not isinstance(answer, CallError):
        return None
    code: str = redaction.struck(redaction.as_word(answer.error_code), told)
    return code


def _said(answer: CallResult | CallError) -> JsonObject:
    if isinstance(answer, CallResult):
        return answer.payload
    return {"description": answer.description, "details": answer.details}
