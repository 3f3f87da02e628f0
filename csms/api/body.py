"""The request's content: read within its limit, parsed once, checked against its model."""

from __future__ import annotations

import asyncio
import json
import re
import types
from functools import cache
from typing import Any, Union, get_args, get_origin

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from csms.api import csv_rows
from csms.api.decoding import decoded
from csms.api.errors import (
    BodyTooSlow,
    Issue,
    MalformedBody,
    UnsupportedMediaType,
    ValidationFailed,
)
from csms.errors import BadRequest, TooLarge

MAX_DEPTH = 32
BODY_TIMEOUT_S = 30
# A complaint per element of a huge list helps nobody.
_MOST_ISSUES = 50


async def read(request: web.Request, limit_bytes: int) -> bytes:
    """The whole body; raises TooLarge as soon as it is known to be over the limit."""
    if (request.content_length or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in decoded(request, request.content.iter_any()):
                data += chunk
                if len(data) > limit_bytes:
                    raise _too_large(limit_bytes)
    except TimeoutError as error:
        raise BodyTooSlow(f"the body did not arrive within {BODY_TIMEOUT_S} s") from error
    except web.RequestPayloadError as error:  # chunks that are none, or cut short
        raise BadRequest("the body cannot be read", code="unreadable_body") from error
    return bytes(data)


def check_media_type(request: web.Request, model: Any) -> None:
    """JSON, anything ending in +json, or nothing said; raises UnsupportedMediaType.

    Also CSV where the model reads that.
    """
    declared = request.headers.get("Content-Type")
    if declared is None:
        return
    kind = request.content_type
    if kind == "application/json" or kind.endswith("+json"):
        return
    if is_csv(request, model):
        return
    raise UnsupportedMediaType(f"Content-Type {kind} is not supported; send application/json")


def is_csv(request: web.Request, model: Any) -> bool:
    """Whether the body is CSV, which the model reads by itself."""
    return request.content_type == csv_rows.MEDIA_TYPE and hasattr(model, "from_csv")


# Checking a body of some megabytes takes seconds; in a thread others keep being served.
THREAD_ABOVE_BYTES = 128 * 1024
_INT_LIMIT = 2**63
_LONG_NUMBER = re.compile(rb"\d{19}")
# What ends a string, steers a terminal or cannot be seen; tabs and line ends are text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# As it stands in JSON, or an escape that may turn out to be one.
_MAYBE_CONTROL = re.compile(rb"\\u00[0-9]|\\[bf]|\x7f|\xc2[\x80-\x9f]")


async def parsed_body(kind: Any, data: bytes) -> Any:
    """As `validate_body`; a large body is checked off the loop."""
    if len(data) <= THREAD_ABOVE_BYTES:
        return validate_body(kind, data)
    return await asyncio.to_thread(validate_body, kind, data)


def check_json(data: bytes) -> None:
    """Raises MalformedBody or ValidationFailed for what the model's parser would let through."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(
            f"not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from error
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise MalformedBody(f"nested more than {MAX_DEPTH} levels deep", code="too_deep")
    if _LONG_NUMBER.search(data):
        # SQLite and most stations end at 64 bits.
        json.loads(data, parse_int=_in_range)
    if b"{" in data:
        # Parsers disagree on which of two equal keys counts, so neither does.
        json.loads(data, object_pairs_hook=_unique)
    if _MAYBE_CONTROL.search(data):
        _refuse_controls(value, ("body",))


def validate_body(kind: Any, data: bytes) -> Any:
    """The body as its model; raises MalformedBody or ValidationFailed."""
    check_json(data)
    try:
        return adapter(kind).validate_json(data)
    except ValidationError as error:
        raise _failed(error, "body", _tags(kind)) from error


def validate_query(model: type[BaseModel], request: web.Request) -> BaseModel:
    """The query string as its model; a key may repeat only where the model has a list."""
    given = request.query
    lists = _list_fields(model)
    values: dict[str, Any] = {
        name: given.getall(name) if name in lists else given[name] for name in set(given)
    }
    _refuse_controls(values, ("query",))
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _failed(error, "query") from error


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """One compiled validator per type."""
    return TypeAdapter(kind)


@cache
def _list_fields(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        field.alias or name
        for name, field in model.model_fields.items()
        if _holds_list(field.annotation)
    )


def _holds_list(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, types.UnionType}:
        return any(_holds_list(part) for part in get_args(annotation))
    return annotation is list or get_origin(annotation) is list


@cache
def _tags(kind: Any) -> frozenset[str]:
    """What pydantic writes before a place in a body of several kinds: which of them it is."""
    schema: Any = adapter(kind).core_schema
    while schema["type"] == "definitions":
        schema = schema["schema"]
    return frozenset(schema["choices"]) if schema["type"] == "tagged-union" else frozenset()


def _failed(
    error: ValidationError, where: str, tags: frozenset[str] = frozenset()
) -> ValidationFailed:
    # .json() writes what .errors() only holds: exceptions and odd inputs as text.
    written = orjson.loads(error.json(include_url=False))[:_MOST_ISSUES]
    return ValidationFailed(
        [
            Issue(
                (where, *_place(issue, tags)),
                issue["msg"],
                issue["type"],
                issue.get("input"),
                issue.get("ctx"),
            )
            for issue in written
        ]
    )


def _place(issue: dict[str, Any], tags: frozenset[str]) -> list[str | int]:
    if issue["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return [*issue["loc"], issue["ctx"]["discriminator"].strip("'")]
    place: list[str | int] = issue["loc"][bool(tags.intersection(issue["loc"][:1])) :]
    return place


def _refuse_controls(value: Any, place: tuple[str | int, ...]) -> None:
    """One place for every text there is, however deep: nobody writes these on purpose."""
    if isinstance(value, str) and _CONTROL.search(value):
        complaint = "Control characters are not allowed"
        raise ValidationFailed([Issue(place, complaint, "control_character", value)])
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_controls(key, place)
            _refuse_controls(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _refuse_controls(inner, (*place, number))


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"the body is over the limit of {limit_bytes} bytes")


def _deeper_than(value: Any, levels: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        level = [
            below
            for node in level
            for below in (node.values() if isinstance(node, dict) else node)
            if isinstance(below, dict | list)
        ]
        if not level:
            return False
    return True


def _in_range(text: str) -> int:
    if len(text) > 20 or not -_INT_LIMIT <= int(text) < _INT_LIMIT:
        raise MalformedBody("an integer is out of range", code="number_out_of_range")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    kept = dict(pairs)
    if len(kept) == len(pairs):
        return kept
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise MalformedBody(f"the key {key[:100]!r} stands twice", code="duplicate_key")
        seen.add(key)
    return kept
