"""Questions of stations that csms cannot answer itself, put to the operator's provider."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from csms.errors import ProgramFailed
from csms.ocpp import schemas
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject
from csms.services.programs import Program

Otherwise = Callable[[JsonObject], JsonObject]
"""Makes the honest answer from a StatusInfoType that says why there is no better one."""


async def ask(
    station: StationContext, action: str, payload: JsonObject, otherwise: Otherwise
) -> JsonObject:
    """What the provider answers, when it is a valid answer."""
    if station.provider is None:
        return otherwise(
            {"reasonCode": "NotEnabled", "additionalInfo": "no provider is configured"}
        )
    try:
        return await _answer(station, station.provider, action, payload)
    except ProgramFailed as error:
        station.log.warning("no answer by the provider", action=action, reason=error.message)
        return otherwise(
            {"reasonCode": "InternalError", "additionalInfo": "the provider gave no answer"}
        )


async def _answer(
    station: StationContext, provider: Program, action: str, payload: JsonObject
) -> JsonObject:
    question = {
        "station": station.identity,
        "version": station.version.value,
        "action": action,
        "payload": payload,
    }
    about = {"OCPP_STATION": station.identity, "OCPP_ACTION": action}
    written = await provider.run(orjson.dumps(question), about)
    try:
        answer = orjson.loads(written)
    except ValueError as error:
        raise ProgramFailed("the provider wrote no JSON") from error
    violation = schemas.violation(station.version, action, "response", answer)
    if violation is not None:
        raise ProgramFailed(f"the provider wrote no answer: {violation.message}")
    assert isinstance(answer, dict)
    return answer
