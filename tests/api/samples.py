"""Bodies that fit a model and bodies that do not, made from its JSON schema."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from csms.api.body import adapter
from tests.api.v1.test_charging_profiles import PROFILE

Schema = dict[str, Any]
Place = tuple[str | int, ...]

# What no schema says: a word that means something.
MEANT: dict[str, Any] = {
    "action": "DataTransfer",
    "TemplateVariable": {
        "component": "OCPPCommCtrlr",
        "variable": "HeartbeatInterval",
        "value": "1",
    },
    "charging_profile": PROFILE,
    "command": "ClearCache",
    "expires_at": "2026-05-01T14:00:00Z",
    "identity": "NEW",
    "payload": {"vendorId": "A"},
    "settings": {},
    "ws_url": "ws://127.0.0.1/ocpp",
}
# Which optional fields a model cannot do without, by its title.
NEEDED: dict[str, tuple[str, ...]] = {
    "ChargerGroup": ("chargers_number",),
    "CommandSpec": ("action", "payload", "ocpp_version"),
    "NewCharger": ("location_id",),
    "NewCommandsCharger": ("site_uuid",),
    "NewLocalList": ("entries",),
    "NewStationBody": ("location_id",),
    "NewToken": ("role",),
    "ProxyMessage": ("payload",),
    "SendCommand": ("action", "payload"),
    "StationUpdateSpec": ("blocked",),
}
_TEXTS = ("A", "EUR", "1.5", "a-b", "2026-05-01T14:00:00Z", "https://example.com/", "ws://a/b")


class Samples:
    """What a model takes."""

    def __init__(self, model: Any, meant: dict[str, Any] | None = None) -> None:
        self._root: Schema = adapter(model).json_schema()
        self._defs: dict[str, Schema] = self._root.get("$defs", {})
        self._meant = {**MEANT, **(meant or {})}

    def kinds(self) -> Iterator[Samples]:
        """One for each model, where the body is one of several."""
        for option in self._root.get("oneOf", [self._root]):
            kind = copy.copy(self)
            kind._root = option
            yield kind

    def body(self) -> Any:
        """What must be there, and nothing else."""
        return self._of(self._root)

    def places(self) -> Iterator[tuple[Place, Schema]]:
        """Every place of a body, with what may stand there; a list has one element."""
        yield from self._places(self._root, (), ())

    def with_value(self, place: Place, value: Any) -> Any:
        """A body that has this value at the place."""
        body = copy.deepcopy(self.body())
        if not place:
            return value
        schema: Schema = self._root
        node: Any = body
        for part, following in zip(place, (*place[1:], None), strict=True):
            schema = self._inside(schema, part)
            if following is None:
                node[part] = value
                break
            present = isinstance(node, list) or part in node
            inner = node[part] if present and node[part] is not None else None
            if not isinstance(inner, list | dict):
                inner = self._of(schema)
            if isinstance(following, int) and not inner:
                inner = [None]
            node[part] = inner
            node = inner
        return body

    def _plain(self, schema: Schema) -> Schema:
        """Without references and without null."""
        while True:
            if "$ref" in schema:
                schema = self._defs[schema["$ref"].rpartition("/")[2]]
                continue
            options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if options is None:
                return schema
            schema = next(one for one in options if one.get("type") != "null")

    def _inside(self, schema: Schema, part: str | int) -> Schema:
        schema = self._plain(schema)
        if isinstance(part, int):
            return schema.get("items", {})
        return schema.get("properties", {}).get(part) or _of_any_name(schema)

    def _of(self, schema: Schema, name: str = "") -> Any:
        schema = self._plain(schema)
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        for key in (schema.get("title"), name):
            if key in self._meant:
                return copy.deepcopy(self._meant[key])
        if "examples" in schema:
            return copy.deepcopy(schema["examples"][0])
        match schema.get("type"):
            case "object":
                title = schema.get("title", "")
                wanted = (*schema.get("required", ()), *NEEDED.get(title, ()))
                made = {one: self._of(schema["properties"][one], one) for one in wanted}
                if len(made) < schema.get("minProperties", 0):
                    made["A"] = self._of(_of_any_name(schema))
                return made
            case "array":
                return [self._of(schema.get("items", {}), name.removesuffix("s"))]
            case "string":
                return _text(schema)
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
        return {}

    def _places(
        self, schema: Schema, place: Place, seen: tuple[str, ...]
    ) -> Iterator[tuple[Place, Schema]]:
        if "$ref" in schema:
            if schema["$ref"] in seen:
                return
            seen = (*seen, schema["$ref"])
        schema = self._plain(schema)
        yield place, schema
        if schema.get("type") == "array":
            yield from self._places(schema.get("items", {}), (*place, 0), seen)
        for name, inner in schema.get("properties", {}).items():
            yield from self._places(inner, (*place, name), seen)


def _of_any_name(schema: Schema) -> Schema:
    patterns = list(schema.get("patternProperties", {}).values())
    inner = schema.get("additionalProperties")
    return inner if isinstance(inner, dict) else (patterns or [{}])[0]


def _text(schema: Schema) -> str:
    pattern = schema.get("pattern")
    if schema.get("format") == "date-time":
        return "2026-05-01T14:00:00Z"
    fitting = (one for one in _TEXTS if pattern is None or re.search(pattern, one))
    return next(fitting).ljust(schema.get("minLength", 0), "A")
