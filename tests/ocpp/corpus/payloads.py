"""A valid payload for every message, made from its schema."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import orjson

from csms.domain.versions import OcppVersion

FOLDERS = {OcppVersion.V16: "v16", OcppVersion.V201: "v201", OcppVersion.V21: "v21"}
INSTANT = "2026-05-01T11:00:00.000Z"


@cache
def schema_of(version: OcppVersion, action: str) -> dict[str, Any]:
    """The schema of a request, as shipped."""
    folder = resources.files("ocpp") / FOLDERS[version] / "schemas"
    for name in (f"{action}Request.json", f"{action}.json"):
        file = folder / name
        if file.is_file():
            found: dict[str, Any] = orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
            return found
    raise LookupError(action)


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def full(version: OcppVersion, action: str) -> dict[str, Any]:
    """A payload with every field there is."""
    root = schema_of(version, action)
    made: dict[str, Any] = _made(root, root, everything=True)
    return made


def least(version: OcppVersion, action: str) -> dict[str, Any]:
    """A payload with the required fields only."""
    root = schema_of(version, action)
    made: dict[str, Any] = _made(root, root, everything=False)
    return made


def _made(schema: dict[str, Any], root: dict[str, Any], *, everything: bool) -> Any:
    schema = resolved(schema, root)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        names = schema.get("properties", {}) if everything else schema.get("required", [])
        return {
            name: _made(schema["properties"][name], root, everything=everything) for name in names
        }
    if kind == "array":
        return [_made(schema["items"], root, everything=everything)] * schema.get("minItems", 1)
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    if kind == "number":
        return max(min(1.5, schema.get("maximum", 1.5)), schema.get("minimum", -1.5))
    if kind == "boolean":
        return True
    if schema.get("format") == "date-time":
        return INSTANT
    return "7" * min(schema.get("maxLength", 8), 8)
