"""Reading fields of a payload that may break its schema: a wrong type reads as absent."""

from __future__ import annotations

from math import isfinite

from csms.ocpp.frames import JsonObject
from csms.services.redaction import as_text, as_word

# Stations exceed the lengths of the schema (serial numbers, error texts); a column still ends.
MAX_TEXT = 255


def text(payload: JsonObject, name: str, *, limit: int = MAX_TEXT) -> str | None:
    """A string, without a secret in it, cut to what a column holds; None when absent or empty."""
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        return None
    return as_word(value[: limit + MAX_TEXT])[:limit]  # the secret may end beyond the cut


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


def number(payload: JsonObject, name: str) -> float | None:
    """A number, also when it came as text."""
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if isfinite(found) else None


def flag(payload: JsonObject, name: str) -> bool | None:
    """True or false, also when it came as a word."""
    value = payload.get(name)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def objects(value: object) -> list[JsonObject]:
    """The objects of a list, or the one that came without a list; anything else is left out."""
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, dict)]


def raw(payload: object) -> str:
    """The JSON text to store beside what we made of it, without the secrets in it."""
    return as_text(payload)
