"""JSON ⇄ a command's parameters, by the annotations of their dataclass."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.timestamps import format_timestamp
from csms.errors import Invalid
from csms.ocpp.frames import JsonObject

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class UrlOf:
    """Text that is a URL of one of these schemes."""

    schemes: tuple[str, ...]

    def why_not(self, text: str) -> str | None:
        """What is wrong with it."""
        scheme, _, rest = text.partition("://")
        if scheme.lower() in self.schemes and rest and text.isprintable() and " " not in text:
            return None
        return f"must be a URL of {', '.join(self.schemes)}"


def parse(kind: type[Any], values: Any) -> Any:
    """An instance of the dataclass `kind`; raises Invalid with the path of the first fault."""
    return _parse_object(kind, values, ())


def dump(params: Any) -> JsonObject:
    """The JSON that `parse` makes `params` from; what equals its default is left out."""
    return {
        field.name: _dump_value(value)
        for field in fields(params)
        if (value := getattr(params, field.name)) != _default(field)
    }


def _dump_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_dump_value(one) for one in value]
    if isinstance(value, datetime):
        return format_timestamp(value)
    return dump(value) if is_dataclass(value) else value


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _parse_object(kind: Any, values: Any, loc: Loc) -> Any:
    if not isinstance(values, Mapping):
        raise _invalid("must be an object", loc, values)
    hints = _hints(kind)
    unknown = [name for name in values if name not in hints]
    if unknown:
        known = ", ".join(hints) or "none"
        raise _invalid(f"unknown parameter; known are: {known}", (*loc, unknown[0]), None)
    found = {name: _parse(hints[name], value, (*loc, name)) for name, value in values.items()}
    for field in fields(kind):
        if field.name not in found and _default(field) is MISSING:
            raise Invalid("is required", loc=(*loc, field.name), kind="missing")
    try:
        return kind(**found)
    except Invalid as error:  # its fields do not go together
        raise Invalid(
            error.message,
            loc=(*loc, *error.loc),
            kind=error.kind,
            given=error.given,
            code=error.code,
        ) from error


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _parse(hint: Any, value: Any, loc: Loc) -> Any:
    if hint is Any:
        return value
    if get_origin(hint) is Annotated:
        inner, *constraints = get_args(hint)
        parsed = _parse(inner, value, loc)
        if parsed is not None:
            _check(parsed, constraints, loc)
        return parsed
    if get_origin(hint) in {Union, types.UnionType}:
        if value is None:
            return None
        (hint,) = (kind for kind in get_args(hint) if kind is not types.NoneType)
        return _parse(hint, value, loc)
    if get_origin(hint) is list:
        if not isinstance(value, list):
            raise _invalid("must be an array", loc, value)
        (inner,) = get_args(hint)
        return [_parse(inner, one, (*loc, index)) for index, one in enumerate(value)]
    if is_dataclass(hint):
        return _parse_object(hint, value, loc)
    return _parse_plain(hint, value, loc)


def _parse_plain(kind: type[Any], value: Any, loc: Loc) -> Any:
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError as error:
            words = ", ".join(str(member.value) for member in kind)
            raise _invalid(f"must be one of: {words}", loc, value) from error
    if kind is datetime:
        return _parse_instant(value, loc)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:  # True is no number
        raise _invalid(f"must be {_WORDS[kind]}", loc, value)
    return value


def _parse_instant(value: Any, loc: Loc) -> datetime:
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):  # year 1 and an offset
        pass
    raise _invalid("must be a time with its zone, like 2026-05-01T12:00:00Z", loc, value)


_WORDS: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _check(value: Any, constraints: list[Any], loc: Loc) -> None:
    for constraint in constraints:
        check = _CHECKS.get(type(constraint))
        reason = None if check is None else check(value, constraint)
        if reason is not None:
            raise _invalid(reason, loc, value)


_CHECKS: dict[type, Callable[[Any, Any], str | None]] = {
    Ge: lambda value, c: None if value >= c.ge else f"must be at least {c.ge}",
    Le: lambda value, c: None if value <= c.le else f"must be at most {c.le}",
    MinLen: lambda value, c: (
        None if len(value) >= c.min_length else f"must have a length of at least {c.min_length}"
    ),
    MaxLen: lambda value, c: (
        None if len(value) <= c.max_length else f"must have a length of at most {c.max_length}"
    ),
    UrlOf: lambda value, c: c.why_not(value),
}


def _invalid(message: str, loc: Loc, given: Any) -> Invalid:
    return Invalid(message, loc=loc, given=given)
