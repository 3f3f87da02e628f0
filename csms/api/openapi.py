"""OpenAPI 3.1, generated from the routes and from the very models that validate."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter

import csms
from csms.api import csv_rows, openapi_links
from csms.api import openapi_answers as answers
from csms.api.codes import CODES
from csms.api.examples import BODIES
from csms.api.openapi_answers import Mode, Schemas
from csms.api.openapi_links import PARAMETER, plain
from csms.api.routing import Call, Dialect, Reply, Route

_TAGS = {
    Dialect.NATIVE: ("native", "The csms API: OCPP 2.x words, problem+json, cursor paging."),
    Dialect.CHARGERS: ("chargers", "Bulk creation of chargers and what belongs to it, /ocpp."),
    Dialect.COMMANDS: ("commands", "Bulk commands and what belongs to them, /api/v3."),
}
_ABOUT = (
    "Every route but the public ones wants `Authorization: Bearer <token>`. What a token does not"
    " reach is a 404, as what does not exist. Writes take an `Idempotency-Key`. Lists are read to"
    " their end by the cursor or the page that each answer names. The codes of errors are in"
    " `/docs/errors`."
)
_PATH_PARTS = {
    "station_id": "A station's UUID, or `identity:` and its identity.",
    "charger_id": "A charger's UUID; that of the station in the other dialects.",
    "uuid": "A UUID; that of the station or the location in the other dialects.",
    "location_id": "A location's UUID.",
    "job_id": "A job's UUID.",
    "run": "A run's UUID; that of the job in the native dialect.",
}
_REFERENCE = "#/components/schemas/{model}"
_FILE = {
    "required": True,
    "content": {
        "application/octet-stream": {},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "minLength": 1, "format": "binary"}},
                "required": ["file"],
                "additionalProperties": False,
            }
        },
    },
}


def _header(name: str, description: str, **more: str) -> dict[str, Any]:
    schema = {"type": "string", **more}
    return {"name": name, "in": "header", "description": description, "schema": schema}


_PARAMETERS = {
    "IdempotencyKey": _header(
        "Idempotency-Key",
        "The same key with the same request finds what the first one made; 24 h.",
        pattern=r"^[\x21-\x7e]{1,255}$",
    ),
    "IfNoneMatch": _header("If-None-Match", "An `ETag`: 304 as long as nothing changed."),
    "LastEventId": _header(
        "Last-Event-ID",
        "The id of the last event that was seen: what came after it comes first. Empty: none was.",
        pattern="^[0-9]{0,18}$",
    ),
    "Prefer": _header("Prefer", "`respond-async`: 202 at once, the answer at `Location`."),
    "Range": _header("Range", "A part of the file, e.g. `bytes=1000-`: 206."),
}


class Document:
    """The document of one set of routes; written when first asked for."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(route for route in routes if not route.hidden)

    @cached_property
    def text(self) -> bytes:
        """JSON."""
        return orjson.dumps(document(self._routes))


DOCUMENT = web.AppKey("openapi", Document)


async def show(call: Call[None, None]) -> Reply:
    """GET /openapi.json"""
    return Reply(call.request.app[DOCUMENT].text)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI object of the documented routes."""
    shown = [route for route in routes if not route.hidden]
    schemas, components = _schemas(shown)
    _forget_defaults(shown, schemas, components)
    paths: dict[str, dict[str, Any]] = {}
    refusals: dict[str, Any] = {}
    for route in shown:
        operation = _operation(route, schemas, refusals)
        paths.setdefault(plain(route.path), {})[route.method.lower()] = operation
    openapi_links.add(shown, paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "csms",
            "version": csms.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.values()],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": refusals,
            "headers": answers.HEADERS,
            "parameters": _PARAMETERS,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "x-error-codes": [
            {"code": code, "status": status, "meaning": meaning}
            for code, (status, meaning) in sorted(CODES.items())
        ],
    }


def operation_id(route: Route) -> str:
    """Unique: the dialect, the resource's module and the handler."""
    module = route.handler.__module__.rsplit(".", 1)[-1]
    return f"{route.dialect.value}_{module}_{route.handler.__name__}"


def _schemas(routes: list[Route]) -> tuple[Schemas, dict[str, Any]]:
    wanted: dict[tuple[str, Mode], tuple[str, Mode, TypeAdapter[Any]]] = {}
    for kind, mode in _kinds(routes):
        wanted[repr(kind), mode] = (repr(kind), mode, TypeAdapter(kind))
    schemas, definitions = TypeAdapter.json_schemas(wanted.values(), ref_template=_REFERENCE)
    return dict(schemas), definitions.get("$defs", {})


def _forget_defaults(routes: list[Route], schemas: Schemas, components: dict[str, Any]) -> None:
    """What a PATCH leaves out stays as it is, whatever stands in for it in the model."""
    for route in routes:
        if route.method == "PATCH" and route.body is not None:
            name = schemas[repr(route.body), "validation"].get("$ref", "").rpartition("/")[2]
            for shape in components.get(name, {}).get("properties", {}).values():
                shape.pop("default", None)


def _kinds(routes: list[Route]) -> Iterator[tuple[Any, Mode]]:
    for model in answers.error_models():
        yield model, "serialization"
    for route in routes:
        if route.body is not None:
            yield route.body, "validation"
        if route.query is not None:
            yield route.query, "validation"
        for answer in route.answers.values():
            for kind in answers.kinds(answer):
                if not isinstance(kind, str):
                    yield kind, "serialization"


def _operation(route: Route, schemas: Schemas, refusals: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": operation_id(route),
        "tags": [_TAGS[route.dialect][0]],
        "responses": answers.responses(route, schemas, refusals),
        "security": _security(route),
    }
    if text := _description(route):
        operation["description"] = text
    parameters = [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.takes_file:
        operation["requestBody"] = _FILE
    elif route.body is not None:
        operation["requestBody"] = _request_body(route, schemas)
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    # Since OpenAPI 3.1 any scheme may name what the caller must be allowed.
    if route.scope is not None:
        return [{"bearer": [route.scope.value]}]
    return [{}, {"bearer": []}] if 401 in route.answers else []


def _description(route: Route) -> str:
    told = (inspect.getdoc(route.handler) or "").partition("\n\n")[0].replace("\n", " ")
    return "" if told.startswith(f"{route.method} /") else told


def _request_body(route: Route, schemas: Schemas) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schemas[repr(route.body), "validation"]}
    example = BODIES.get((route.method, plain(route.path)))
    if example is not None:
        media["example"] = example
    content = {"application/json": media}
    if hasattr(route.body, "from_csv"):
        content[csv_rows.MEDIA_TYPE] = {"schema": {"type": "string"}}
    return {"required": not route.body_optional, "content": content}


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in PARAMETER.findall(route.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARTS.get(name, f"Which {name.removesuffix('_id')}."),
            "schema": {"type": "string", "minLength": 1},
        }


def _header_parameters(route: Route) -> Iterator[dict[str, str]]:
    wanted = {
        "IdempotencyKey": route.writes and route.scope is not None,
        "IfNoneMatch": answers.is_tagged(route),
        "Range": 206 in route.answers,
        "Prefer": route.waits and {200, 202} <= route.answers.keys(),
        "LastEventId": answers.streams(route),
    }
    for name, is_wanted in wanted.items():
        if is_wanted:
            yield {"$ref": f"#/components/parameters/{name}"}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.query is None:
        return
    schema = route.query.model_json_schema(ref_template=_REFERENCE)
    for name, shape in schema.get("properties", {}).items():
        described = _without_null(shape)
        text = described.pop("description", None)
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": described,
            **({} if text is None else {"description": text}),
        }


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A query string cannot say null: what may be null may be left out."""
    described = dict(shape)
    if described.get("default", ...) is None:
        del described["default"]
    members = [one for one in described.pop("anyOf", ()) if one != {"type": "null"}]
    if len(members) == 1:
        described = {**members[0], **described}
    elif members:
        described["anyOf"] = members
    return described
