"""OCPP-J frames ⇄ bytes: CALL 2, CALLRESULT 3, CALLERROR 4, CALLRESULTERROR 5, SEND 6.

5 and 6 exist in OCPP 2.1 only (part 4, 4.2.4 and 4.2.5); the parser knows all five and leaves
the version's rules to the session. Nothing here raises anything but FrameError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypedDict

import orjson

from csms.domain.lint import Rule

JsonObject = dict[str, Any]

# A StopTransaction with many samples or a NotifyReport is large; 99 % of messages fit 2 kB.
MAX_FRAME_BYTES = 1024 * 1024
MAX_DEPTH = 32
# A variable with all that a NotifyReport can say of it takes 16 bytes a value or more, so a
# report that fits into a frame passes; what is denser was written to be dear.
MAX_NODES = MAX_FRAME_BYTES // 16
_INT_LIMIT = 2**63
# OCPP 2.x part 4, 4.1.4; 1.6 has no number, its own field is a string of at most 36.
MAX_MESSAGE_ID = 255
MAX_DESCRIPTION = 255
# So much of bytes that are no frame is shown to a person.
MAX_EXCERPT = 200


# Frames are values and nobody changes one; declaring them frozen would make each four times as
# dear, and there are two to a message.
@dataclass(slots=True)
class Call:
    """`[2, message_id, action, payload]`"""

    message_id: str
    action: str
    payload: JsonObject
    fingerprint: int = field(default=0, compare=False, repr=False)
    """Of the bytes it came in, so that a repetition is known without keeping the payload."""


@dataclass(slots=True)
class CallResult:
    """`[3, message_id, payload]`"""

    message_id: str
    payload: JsonObject


@dataclass(slots=True)
class CallError:
    """`[4, message_id, error_code, error_description, error_details]`"""

    message_id: str
    error_code: str
    description: str
    details: JsonObject


@dataclass(slots=True)
class CallResultError:
    """`[5, …]`, OCPP 2.1: the other end could not use our CALLRESULT. Never answered."""

    message_id: str
    error_code: str
    description: str
    details: JsonObject


@dataclass(slots=True)
class Send:
    """`[6, message_id, action, payload]`, OCPP 2.1: a message that is never answered."""

    message_id: str
    action: str
    payload: JsonObject


Frame = Call | CallResult | CallError | CallResultError | Send


class FrameError(Exception):
    """The bytes are not a frame. `message_id` is what could be made out of it, if anything."""

    def __init__(
        self,
        reason: str,
        *,
        rule: Rule = Rule.FRAME_MALFORMED,
        message_id: str | None = None,
        message_type: int | None = None,
        unknown_type: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule
        self.excerpt = b""
        """How the bytes began; whoever read them fills it in."""
        self.message_id = message_id
        self.message_type = message_type
        self.unknown_type = unknown_type


def parse(data: bytes) -> Frame:
    """The frame in `data`; raises FrameError for everything else."""
    if len(data) > MAX_FRAME_BYTES:
        raise FrameError("the frame is too large", rule=Rule.FRAME_TOO_LARGE, **_salvage(data))
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FrameError(
            "the frame is not valid JSON", rule=Rule.FRAME_NOT_JSON, **_salvage(data)
        ) from error
    if type(value) is not list or len(value) < 3:
        raise FrameError("a frame is an array of at least three elements", **_salvage(data))
    kind, message_id = value[0], value[1]
    if type(message_id) is not str or not 0 < len(message_id) <= MAX_MESSAGE_ID:
        raise FrameError(
            "the message id must be a string of 1 to 255 characters",
            rule=Rule.INVALID_MESSAGE_ID,
            message_type=kind if type(kind) is int else None,
        )
    if type(kind) is not int or not 2 <= kind <= 6:
        raise FrameError(
            "unknown message type",
            rule=Rule.UNKNOWN_MESSAGE_TYPE,
            message_id=message_id,
            unknown_type=type(kind) is int,
        )
    try:
        value = _unambiguous(data, value)
    except _Broken as broken:
        reason, rule = broken.args
        raise FrameError(reason, rule=rule, message_id=message_id, message_type=kind) from None
    if kind in {2, 6}:
        return _call(data, value, message_id, kind)
    if kind == 3:
        return CallResult(message_id, _object(value[2], message_id, kind))
    return _error(value, message_id, kind)


def is_utf8(data: bytes) -> bool:
    """Whether a text frame is text at all; asked only once it failed to parse."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _call(data: bytes, value: list[Any], message_id: str, kind: int) -> Call | Send:
    action = value[2]
    if len(value) < 4 or type(action) is not str:
        raise FrameError(
            "a CALL needs an action and a payload", message_id=message_id, message_type=kind
        )
    payload = _object(value[3], message_id, kind)
    if kind == 2:
        return Call(message_id, action, payload, hash(data))
    return Send(message_id, action, payload)


def _error(value: list[Any], message_id: str, kind: int) -> CallError | CallResultError:
    # Grizzl-E 5.x leaves the details out; any text is accepted as a code.
    code = value[2] if isinstance(value[2], str) else "GenericError"
    description = value[3] if len(value) > 3 and isinstance(value[3], str) else ""
    details = value[4] if len(value) > 4 and isinstance(value[4], dict) else {}
    make = CallError if kind == 4 else CallResultError
    return make(message_id, code[:MAX_DESCRIPTION], description[:MAX_DESCRIPTION], details)


def _object(value: Any, message_id: str, kind: int) -> JsonObject:
    if not isinstance(value, dict):
        raise FrameError("the payload must be an object", message_id=message_id, message_type=kind)
    return value


def _unambiguous(data: bytes, value: list[Any]) -> list[Any]:
    """The parsed frame as it can be read in one way only; raises _Broken.

    Nearly every frame is cleared without a walk.
    """
    # A level needs a bracket and a value two bytes, so few of them need no counting.
    deep = data.count(b"{") + data.count(b"[") > MAX_DEPTH
    if deep or len(data) > 2 * MAX_NODES:
        _check_size(value)
    return value if _is_unambiguous(data, value) else _reread(data)


def _check_size(value: list[Any]) -> None:
    nodes = 0
    for depth, level in enumerate(_levels(value), 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise _Broken("the frame has too many values", Rule.FRAME_TOO_LARGE)
        if depth > MAX_DEPTH:
            raise _Broken("the frame is nested too deeply", Rule.FRAME_TOO_LARGE)


def has_more_values(value: Any, limit: int) -> bool:
    """Whether there are more than `limit` values in it, at any depth."""
    nodes = 0
    for level in _levels(value):
        nodes += len(level)
        if nodes > limit:
            return True
    return False


def _levels(value: Any) -> Iterator[list[Any]]:
    """What is in the value, then what is in that, and so on."""
    level: list[Any] = [value]
    while True:
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        if not below:
            return
        yield below
        level = below


_DIGITS_TO_ZERO = bytes(48 if 48 <= byte < 58 else byte for byte in range(256))
_SHORTEST_LONG = 19
_LONG_NUMBER = b"0" * _SHORTEST_LONG


def _is_unambiguous(data: bytes, value: list[Any]) -> bool:
    """Whether no repeated key and no integer beyond 64 bits can hide in `data`.

    orjson keeps the last of two equal keys and turns a long integer into a float, so a peer
    could read the same bytes differently. Written out again, such a frame is another one:
    a dropped key takes its quotes along, whatever the white space and the numbers look like.
    """
    try:
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:  # an integer beyond 53 bits
        return False
    if written == data:
        return True
    return (
        written.count(b'"') == data.count(b'"')
        and b"\\u" not in data  # could be a quote
        and not _has_long_number(data)
    )


def _has_long_number(data: bytes) -> bool:
    return _LONG_NUMBER in data.translate(_DIGITS_TO_ZERO)


class _Broken(Exception):
    """What may not be served: the reason, and the rule it breaks."""


def _reread(data: bytes) -> list[Any]:
    """The exact reading, by a slower parser, asked for only on suspicion; raises _Broken.

    An integer beyond 64 bits fits into no column. It becomes the text of its digits: nothing of
    it is lost, whoever wants a number finds that it is none, and the rest of the message counts.
    """

    def pairs(items: list[tuple[str, Any]]) -> JsonObject:
        found = dict(items)
        if len(found) != len(items):
            raise _Broken("an object has the same key twice", Rule.DUPLICATE_KEY)
        return found

    parse_int = _integer if _has_long_number(data) else None  # None: much faster
    reread: list[Any] = json.loads(data, object_pairs_hook=pairs, parse_int=parse_int)
    return reread


def _integer(digits: str) -> int | str:
    if len(digits) > 20 or not -_INT_LIMIT <= int(digits) < _INT_LIMIT:
        return digits
    return int(digits)


def is_long_integer(value: object) -> bool:
    """Whether it is the digits of an integer that had no room in 64 bits."""
    if not isinstance(value, str) or len(value) < _SHORTEST_LONG:
        return False
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdigit() and _integer(value) == value


# Truncated JSON still names its id near the front; one bad frame fails one call, not the socket.
_SALVAGE = re.compile(rb'^\s*\[\s*(\d{1,3})\s*,\s*"((?:[^"\\]|\\.){1,255})"')


def _salvage(data: bytes) -> _Salvaged:
    """The message type and id at the front of a broken frame, as far as they can be read."""
    match = _SALVAGE.match(data)
    if match is None:
        return {"message_id": None, "message_type": None}
    try:
        message_id = orjson.loads(b'"' + match[2] + b'"')
    except orjson.JSONDecodeError:
        message_id = None
    return {"message_id": message_id, "message_type": int(match[1])}


class _Salvaged(TypedDict):
    message_id: str | None
    message_type: int | None


def encode(frame: Frame) -> bytes:
    """The bytes of a frame; payloads must be JSON-ready."""
    if isinstance(frame, Call):
        return orjson.dumps([2, frame.message_id, frame.action, frame.payload])
    if isinstance(frame, CallResult):
        return orjson.dumps([3, frame.message_id, frame.payload])
    if isinstance(frame, Send):
        return orjson.dumps([6, frame.message_id, frame.action, frame.payload])
    kind = 4 if isinstance(frame, CallError) else 5
    return orjson.dumps(
        [
            kind,
            frame.message_id,
            frame.error_code,
            frame.description[:MAX_DESCRIPTION],
            frame.details,
        ]
    )
