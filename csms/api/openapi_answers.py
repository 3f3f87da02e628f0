"""What an operation answers, as OpenAPI: bodies, headers and every refusal of its dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from csms.api import errors, models
from csms.api.routing import Dialect, Route

Mode = Literal["validation", "serialization"]
Schemas = Mapping[tuple[str, Mode], dict[str, Any]]

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Names this request in the log; a given one is kept.",
        "required": True,
        "schema": _TEXT,
    },
    "ETag": {"description": "Names this state; weak.", "required": True, "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "The key was known: this is what the first request made.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Link": {"description": 'The next page, `rel="next"`; none at the end.', "schema": _TEXT},
    "Location": {"description": "Where it is to be found.", "schema": _TEXT},
    "RateLimit": {"description": "What is left, and when it begins anew.", "schema": _TEXT},
    "RateLimit-Policy": {"description": "How many in how many seconds.", "schema": _TEXT},
    "X-RateLimit-Limit": {"description": "How many in a minute.", "schema": _COUNT},
    "X-RateLimit-Remaining": {"description": "How many are left.", "schema": _COUNT},
    "X-RateLimit-Reset": {"description": "When it begins anew, Unix time.", "schema": _COUNT},
    "Retry-After": {"description": "Seconds.", "required": True, "schema": _COUNT},
    "WWW-Authenticate": {"required": True, "schema": _TEXT},
}
_REFUSALS = {
    400: "It cannot be read",
    401: "No token, or not a valid one",
    403: "The token does not allow it",
    404: "Absent, or out of the token's reach",
    408: "The body did not arrive in time",
    409: "The present state refuses it",
    413: "The body is too large",
    415: "The body is not JSON, or packed in a way that is not known",
    422: "It can be read, and makes no sense",
    429: "Too many requests",
    500: "A fault of the server",
    502: "The station refused the call",
    503: "Nothing was done; try again later",
    504: "The station did not answer in time; it may have done it",
}
_MODELS: dict[Dialect, type[BaseModel]] = {
    Dialect.NATIVE: models.Problem,
    Dialect.CHARGERS: models.ChargersError,
    Dialect.COMMANDS: models.CommandsError,
}
_PLACES = frozenset(
    {
        "brand",
        "charger_id",
        "created_by",
        "image_id",
        "job_id",
        "location_id",
        "principal",
        "site_uuid",
        "station_id",
        "station_ids",
        "token_id",
    }
)
_WITH_HEADER = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
# As far as the caller has a limit.
_LIMITS = {
    Dialect.NATIVE: ["RateLimit", "RateLimit-Policy"],
    Dialect.CHARGERS: ["RateLimit", "RateLimit-Policy"],
    Dialect.COMMANDS: ["X-RateLimit-Limit", "X-RateLimit-Remaining"],
}
_STREAMED = frozenset({"text/event-stream", "text/csv", "application/x-ndjson"})


def error_models() -> Iterator[type[BaseModel]]:
    """The bodies of refusals, in every dialect."""
    yield from _MODELS.values()
    yield models.ChargersInvalid
    yield models.CommandProblem


def responses(route: Route, schemas: Schemas, refusals: dict[str, Any]) -> dict[str, Any]:
    """Status → response object; refusals are references to what is put into `refusals`."""
    described = {
        str(status): _answer(route, status, kinds(kind), schemas)
        for status, kind in route.answers.items()
    }
    if is_tagged(route):
        described["304"] = _response(route, "Nothing changed", ["ETag"])
    for status in sorted(error_statuses(route)):
        name, refusal = _refusal(route, status, schemas)
        refusals[name] = refusal
        described[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return described


def kinds(answer: Any) -> tuple[Any, ...]:
    """What a row says of an answer: nothing, a model, a media type, or several of these."""
    if answer is None:
        return ()
    return answer if isinstance(answer, tuple) else (answer,)


def is_tagged(route: Route) -> bool:
    """Whether it is a GET that can be asked for again for nothing."""
    found = kinds(route.answers.get(200))
    return route.method == "GET" and bool(found) and _STREAMED.isdisjoint(map(str, found[:1]))


def streams(route: Route) -> bool:
    """Whether it answers with events, or can be asked to."""
    return "text/event-stream" in kinds(route.answers.get(200))


def error_statuses(route: Route) -> set[int]:
    """What else than its answers the operation may come out as."""
    statuses = {400, 500}
    if route.scope is not None:
        statuses |= {401, 403, *_limited()}
    if "{" in route.path or _names_a_place(route):
        statuses.add(404)
    if route.query is not None:
        statuses.add(422)
    if route.takes_body:
        statuses |= {408, 413, 415}
    if route.writes:
        statuses |= {409, 422, 503}
    if route.waits:
        statuses |= {502, 504} if route.dialect is Dialect.COMMANDS else {409, 502, 504}
    return statuses - set(route.answers)


def _limited() -> set[int]:
    return {429} & set(errors._STATUS.values())  # noqa: SLF001 - this module describes that one


def _names_a_place(route: Route) -> bool:
    """Whether its query or body may name something that is not there."""
    named: set[str] = set()
    for kind in (route.query, route.body):
        if kind is not None:
            schema = TypeAdapter(kind).json_schema()
            for shape in (schema, *schema.get("$defs", {}).values()):
                named |= shape.get("properties", {}).keys()
    return not _PLACES.isdisjoint(named)


def _answer(route: Route, status: int, wanted: tuple[Any, ...], schemas: Schemas) -> dict[str, Any]:
    headers = []
    if status == 200 and is_tagged(route):
        headers.append("ETag")
    if route.query is not None and issubclass(route.query, models.Page):
        headers.append("Link")
    if status in {201, 202}:
        headers.append("Location")
    if route.writes and route.scope is not None:
        headers.append("Idempotency-Replayed")
    response = _response(route, HTTPStatus(status).phrase, headers)
    content = {}
    for kind in wanted:
        if isinstance(kind, str):
            content[kind] = {} if kind.endswith("json") else {"schema": _TEXT}
        else:
            content["application/json"] = {"schema": schemas[repr(kind), "serialization"]}
    return {**response, "content": content} if content else response


def _refusal(route: Route, status: int, schemas: Schemas) -> tuple[str, dict[str, Any]]:
    """A name that says what it depends on, and the response object."""
    model, name = _MODELS[route.dialect], f"{route.dialect.value}_{status}"
    media_type = "application/json"
    if route.dialect is Dialect.NATIVE:
        media_type = "application/problem+json"
        if route.waits and status in {409, 422, 500, 502, 504}:
            model, name = models.CommandProblem, f"{name}_of_command"
    if route.scope is None:
        name = f"{name}_public"
    headers = [_WITH_HEADER[status]] if status in _WITH_HEADER else []
    if status == 429 and route.dialect is Dialect.COMMANDS:
        headers.append("X-RateLimit-Reset")
    response = _response(route, _REFUSALS[status], headers)
    schema = schemas[repr(model), "serialization"]
    if status == 422 and route.dialect is Dialect.CHARGERS:  # a list of complaints, or a sentence
        schema = {"anyOf": [schemas[repr(models.ChargersInvalid), "serialization"], schema]}
    return name, {**response, "content": {media_type: {"schema": schema}}}


def _response(route: Route, description: str, headers: list[str]) -> dict[str, Any]:
    limits = [] if route.scope is None else _LIMITS[route.dialect]
    named = ["X-Request-Id", *headers, *limits]
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in named},
    }
