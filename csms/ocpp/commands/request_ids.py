"""The ids by which what a station sends later names the request that it belongs to."""

from __future__ import annotations

import random
from dataclasses import field, fields
from typing import Annotated, Any

from annotated_types import Ge, Le

from csms.ocpp.commands.command import doc
from csms.ocpp.frames import JsonObject

RequestId = Annotated[int, Ge(0), Le(2**31 - 1)]
_DRAWN = "drawn"


def draw() -> int:
    """A new id.

    Random, because stations keep theirs for longer than we keep jobs; it is looked up within one
    station and one kind of request only.
    """
    return random.randint(1, 2**31 - 1)


def request_id() -> Any:
    """The field of a command's parameters that holds its request id."""
    about = doc("names this request in what the station sends later; left out: drawn")
    return field(default_factory=draw, metadata={**about, _DRAWN: True})


def following(base: int, number: int) -> int:
    """The id of part `number` of a request that goes out in parts; `base` for the first."""
    return (base + number) % 2**31


def freeze(kind: type[Any], values: JsonObject) -> JsonObject:
    """The parameters with their request id, so that every attempt of a job sends the same."""
    drawn = [one.name for one in fields(kind) if one.metadata.get(_DRAWN)]
    return {**dict.fromkeys(drawn, draw()), **values} if drawn else values
