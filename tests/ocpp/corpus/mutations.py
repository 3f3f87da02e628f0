"""What can be wrong with a message: one thing at a time, everywhere in it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from csms.domain.versions import OcppVersion
from tests.ocpp.corpus.payloads import full, least, resolved, schema_of
from tests.ocpp.corpus.timestamps import CORPUS

Path = tuple[str | int, ...]
WRONG: list[Any] = [
    None, True, 0, -1, 1.5, -(2**63), 2**63 - 1, 1e308, "", "x", "-5", "1.0", [], [[]], [None], {},
    {"a": {}},
]  # fmt: skip
TEXTS = ["x" * 300, "x" * 70_000, "a\x00b", "\r\n\x1b[2J\u202e\ufeff", "'; DROP TABLE stations; --"]


@dataclass(frozen=True)
class Case:
    """One flawed message."""

    name: str
    make: Callable[[], bytes]
    """Writes the payload, or with `is_frame` the rest of the frame behind the message id."""
    is_frame: bool = False

    @property
    def data(self) -> bytes:
        """Made when it is wanted: most runs want few of the cases."""
        return self.make()


def payload_cases(version: OcppVersion, action: str) -> Iterator[Case]:
    """Messages that are frames and carry something wrong."""
    root = schema_of(version, action)
    whole = full(version, action)
    for name, payload in {
        "full": whole,
        "least": least(version, action),
        "empty": {},
        "extra": {**whole, "x\u202e": ["y"]},
        "many": {**whole, **{f"x{n}": n for n in range(3000)}},
    }.items():
        yield Case(name, partial(orjson.dumps, payload))
    for path, schema in _places(root, whole, root, ()):
        where = ".".join(map(str, path))
        if isinstance(path[-1], str):
            yield Case(f"{where} missing", partial(_without, whole, path))
        for number, value in enumerate(_instead(schema)):
            yield Case(f"{where} #{number}", partial(_changed, whole, path, value))


def frame_cases(version: OcppVersion, action: str) -> Iterator[Case]:
    """Frames that are none, or nearly none, with this action in them."""
    payload = orjson.dumps(full(version, action))
    name = orjson.dumps(action)
    rests = [b",".join((name, b'{"x":' + b"[" * n + b"]" * n + b"}")) for n in (28, 29, 40, 5000)]
    rests += [
        b",".join((name, payload[:-1], orjson.dumps(key) + b":null}"))
        for key in full(version, action)
    ]
    rests += [
        name,
        name + b",[]",
        name + b",null",
        name + b",{},{}",
        name + b"," + payload[:-1],
        name + b"," + payload[: len(payload) // 2],
        name + b',{"x":99999999999999999999999}',
        name + b',{"x":1e999}',
        name + b',{"x":NaN}',
        name + b',{"x":"\\ud800"}',
        name + b',{"x":[' + b"0," * 25_000 + b"0]}",
        b"5,{}",
        b"null,{}",
    ]
    for number, rest in enumerate(rests):
        yield Case(f"frame #{number}", partial(bytes, rest), is_frame=True)


def _places(
    schema: dict[str, Any], value: Any, root: dict[str, Any], path: Path
) -> Iterator[tuple[Path, dict[str, Any]]]:
    schema = resolved(schema, root)
    if path:
        yield path, schema
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(schema["properties"][name], inner, root, (*path, name))
    elif isinstance(value, list) and value:
        yield from _places(schema["items"], value[0], root, (*path, 0))


def _instead(schema: dict[str, Any]) -> Iterator[Any]:
    yield from WRONG
    if "enum" in schema:
        yield from ("Nope", schema["enum"][0].lower(), schema["enum"][-1])
    elif schema.get("format") == "date-time":
        yield from (value for value, _, _ in CORPUS)
    elif schema.get("type", "string") == "string":
        yield from TEXTS
        yield "x" * schema.get("maxLength", 1000)
        yield "x" * (schema.get("maxLength", 1000) + 1)
    elif schema.get("type") in {"integer", "number"}:
        yield from (2**31, -(2**31) - 1, 0.1 + 0.2, 5e-324, "9" * 25)
    elif schema.get("type") == "array":
        yield [None, 5, "x", [], {}]
        yield [{}] * 2000


def _without(whole: dict[str, Any], path: Path) -> bytes:
    changed, holder = _copied(whole, path)
    del holder[path[-1]]
    return orjson.dumps(changed)


def _changed(whole: dict[str, Any], path: Path, value: Any) -> bytes:
    changed, holder = _copied(whole, path)
    holder[path[-1]] = value
    return orjson.dumps(changed)


def _copied(whole: dict[str, Any], path: Path) -> tuple[dict[str, Any], Any]:
    changed = copy.deepcopy(whole)
    holder: Any = changed
    for part in path[:-1]:
        holder = holder[part]
    return changed, holder
