"""The answers about monitors: a result for each of them."""

from __future__ import annotations

from collections.abc import Callable

from csms.ocpp.commands.command import Answer, read_status
from csms.ocpp.fields import objects, text
from csms.ocpp.frames import JsonObject


def reader(name: str, *, gone: frozenset[str]) -> Callable[[JsonObject], Answer]:
    """Read the list `name`: the status is the word of the gravest result.

    A word in `gone` is less grave than another refusal: it alone makes a repeat succeed.
    """

    def read(payload: JsonObject) -> Answer:
        words = [text(result, "status") or "" for result in objects(payload.get(name))]
        if not words:
            return read_status(payload)
        refused = sorted(
            (word for word in words if word != "Accepted"), key=lambda word: word in gone
        )
        if not refused:
            return Answer(accepted=True, status="Accepted", payload=payload)
        return Answer(
            accepted=False,
            status=refused[0],
            payload=payload,
            detail=f"the station refused {len(refused)} of {len(words)}: {refused[0]}",
        )

    return read
