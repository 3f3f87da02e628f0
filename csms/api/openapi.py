"""OpenAPI 3.1, generated from the routes and from the very models that validate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter

import csms
from csms.api import models
from csms.api.routing import Call, Dialect, Reply, Route
from csms.domain.permissions import Scope

_TAGS = {
    Dialect.NATIVE: ("native", "The csms API: OCPP 2.x words, problem+json, cursor paging."),
    Dialect.CHARGERS: ("chargers", "Bulk creation of chargers and what belongs to it, /ocpp."),
    Dialect.COMMANDS: ("commands", "Bulk commands and what belongs to them, /api/v3."),
}
_ERROR_NAMES = {
    400: "Malformed request",
    401: "No token, or not a valid one",
    403: "The token's role does not allow it",
    404: "Absent, or out of the token's reach",
    409: "The present state refuses it",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request does not fit its model",
    502: "The station refused the call",
    503: "Try again later; nothing was written",
    504: "The station did not answer in time",
}
_ERROR_MODELS: dict[Dialect, type[BaseModel]] = {
    Dialect.NATIVE: models.Problem,
    Dialect.CHARGERS: models.ChargersError,
    Dialect.COMMANDS: models.CommandsError,
}
_PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_PLACES = frozenset({"station_id", "location_id"})
_REFERENCE = "#/components/schemas/{model}"

Mode = Literal["validation", "serialization"]
Key = tuple[str, Mode]


class Document:
    """The document of one set of routes; written when first asked for."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(route for route in routes if not route.hidden)

    @cached_property
    def text(self) -> bytes:
        """JSON."""
        return orjson.dumps(document(self._routes), option=orjson.OPT_SORT_KEYS)


DOCUMENT = web.AppKey("openapi", Document)


async def show(call: Call[None, None]) -> Reply:
    """GET /openapi.json"""
    return Reply(call.request.app[DOCUMENT].text)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI object of the documented routes."""
    shown = [route for route in routes if not route.hidden]
    schemas, components = _schemas(shown)
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "csms",
            "version": csms.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.values()],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(routes: list[Route]) -> tuple[dict[Key, dict[str, Any]], dict[str, Any]]:
    wanted: dict[Key, tuple[str, Mode, TypeAdapter[Any]]] = {}
    for kind, mode in _kinds(routes):
        wanted[repr(kind), mode] = (repr(kind), mode, TypeAdapter(kind))
    schemas, definitions = TypeAdapter.json_schemas(wanted.values(), ref_template=_REFERENCE)
    return dict(schemas), definitions.get("$defs", {})


def _kinds(routes: list[Route]) -> Iterator[tuple[Any, Mode]]:
    for model in (*_ERROR_MODELS.values(), models.ChargersInvalid):
        yield model, "serialization"
    for route in routes:
        if route.body is not None:
            yield route.body, "validation"
        if route.query is not None:
            yield route.query, "validation"
        for answer in route.answers.values():
            if answer is not None and not isinstance(answer, str):
                yield answer, "serialization"


def _operation(route: Route, schemas: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": operation_id(route),
        "tags": [_TAGS[route.dialect][0]],
        "responses": {**_answers(route, schemas), **_errors(route, schemas)},
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route, schemas)]:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = schemas[repr(route.body), "validation"]
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {"application/json": {"schema": schema}},
        }
    if route.scope is None:
        operation["security"] = []
    else:
        operation["description"] = f"Scope: `{route.scope.value}`."
    return operation


def operation_id(route: Route) -> str:
    """Unique: the dialect, the resource's module and the handler."""
    module = route.handler.__module__.rsplit(".", 1)[-1]
    return f"{route.dialect.value}_{module}_{route.handler.__name__}"


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if route.writes and route.scope is not None:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same body finds what the first one made; 24 h.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }


def _query_parameters(route: Route, schemas: dict[Key, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if route.query is None:
        return
    schema = route.query.model_json_schema(ref_template=_REFERENCE)
    for name, shape in schema.get("properties", {}).items():
        described = {key: value for key, value in shape.items() if key != "description"}
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": described,
            **({"description": shape["description"]} if "description" in shape else {}),
        }


def _answers(route: Route, schemas: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, kind in route.answers.items():
        answer: dict[str, Any] = {"description": web.Response(status=status).reason or "Done"}
        if isinstance(kind, str):
            answer["content"] = {kind: {}}
        elif kind is not None:
            schema = schemas[repr(kind), "serialization"]
            answer["content"] = {"application/json": {"schema": schema}}
        answers[str(status)] = answer
    return answers


def _errors(route: Route, schemas: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    media_type = (
        "application/problem+json" if route.dialect is Dialect.NATIVE else "application/json"
    )
    described: dict[str, Any] = {}
    for status in sorted(_error_statuses(route)):
        model = _ERROR_MODELS[route.dialect]
        if status == 422 and route.dialect is Dialect.CHARGERS:
            model = models.ChargersInvalid
        schema = schemas[repr(model), "serialization"]
        described[str(status)] = {
            "description": _ERROR_NAMES[status],
            "content": {media_type: {"schema": schema}},
        }
    return described


def _names_a_place(route: Route) -> bool:
    """Whether its query or body may name a station or a location that is not there."""
    models = (route.query, route.body)
    return any(
        not _PLACES.isdisjoint(model.model_fields)
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
    )


def _error_statuses(route: Route) -> set[int]:
    statuses: set[int] = set()
    if route.scope is not None:
        statuses |= {401, 403}
    if "{" in route.path or _names_a_place(route):
        statuses.add(404)
    if route.scope is Scope.COMMANDS_SEND and route.dialect is Dialect.NATIVE:
        statuses |= {422, 502, 504}
    if route.query is not None:
        statuses.add(422)
    if route.body is not None:
        statuses |= {413, 415, 422}
        if route.dialect is Dialect.NATIVE:
            statuses.add(400)
    if route.writes:
        statuses |= {409, 503}
    return statuses - set(route.answers)
