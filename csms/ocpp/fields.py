"""Reading fields of a payload that may break its schema: a wrong type reads as absent."""

from __future__ import annotations

import orjson

from csms.ocpp.frames import JsonObject

# Stations exceed the lengths of the schema (serial numbers, error texts); a column still ends.
MAX_TEXT = 255


def text(payload: JsonObject, name: str) -> str | None:
    """A string, cut to what a column holds; None when absent, empty or no string."""
    value = payload.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def integer(payload: JsonObject, name: str) -> int | None:
    """A 64-bit integer, also when it came as digits in a string or as 1.0."""
    value = payload.get(name)
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str) and len(value) < 19:
        try:
            return int(value)
        except ValueError:
            return None
    return None


def raw(payload: object) -> str:
    """The JSON text to store beside what we made of it."""
    return orjson.dumps(payload).decode()
