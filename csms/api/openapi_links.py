"""OpenAPI links: from what makes a thing to everything that can be done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from csms.api.openapi_answers import kinds
from csms.api.routing import Route

PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")
# Where an answer names what was made, the first that is there.
_NAMES = ("uuid", "id", "charger_id", "job_id")


def plain(path: str) -> str:
    """The path as OpenAPI writes it: `{name:pattern}` is `{name}`."""
    return PARAMETER.sub(r"{\1}", path)


def add(routes: list[Route], paths: dict[str, dict[str, Any]]) -> None:
    """Link each POST that makes something to the operations below its place."""
    for maker in routes:
        if maker.method != "POST":
            continue
        for status in (201, 202):
            for pointer in _pointers(maker, status):
                links = dict(_links(maker, routes, paths, pointer))
                if links:
                    operation = paths[plain(maker.path)]["post"]
                    operation["responses"][str(status)]["links"] = links


def _pointers(maker: Route, status: int) -> Iterator[str]:
    for kind in kinds(maker.answers.get(status))[:1]:
        if not isinstance(kind, type) or not issubclass(kind, BaseModel):
            continue
        fields, prefix = kind.model_fields, ""
        if "data" in fields:  # the commands dialect wraps a single resource
            inner = fields["data"].annotation
            if not isinstance(inner, type) or not issubclass(inner, BaseModel):
                continue
            fields, prefix = inner.model_fields, "/data"
        yield from (f"{prefix}/{name}" for name in [n for n in _NAMES if n in fields][:1])


def _links(
    maker: Route, routes: list[Route], paths: dict[str, dict[str, Any]], pointer: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    collection = plain(maker.path)
    places = (collection, f"{collection}/jobs")
    for route in routes:
        path = plain(route.path)
        for place in places:
            below = re.fullmatch(re.escape(place) + r"/\{(\w+)\}(/[^{}]*)?", path)
            if below is None:
                continue
            given = {name: f"$request.path.{name}" for name in PARAMETER.findall(maker.path)}
            operation = paths[path][route.method.lower()]["operationId"]
            yield (
                operation,
                {
                    "operationId": operation,
                    "parameters": {**given, below[1]: f"$response.body#{pointer}"},
                },
            )
