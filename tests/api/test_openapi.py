"""The OpenAPI document: valid, whole, and what the routes say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import csms
from csms import errors as refusals
from csms.api import errors, openapi, routes
from csms.api.body import validate_body
from csms.api.codes import CODES
from csms.api.examples import BODIES
from csms.api.openapi_links import plain

if TYPE_CHECKING:
    from tests.api.conftest import Api

PACKAGE = Path(csms.__file__).parent
DOCUMENT = openapi.document(routes.ALL)
# Raised before there is an API, or never told to a caller of it.
ELSEWHERE = re.compile(
    r"(cli/|app|config|store/(opening|migrate)|ocpp/doors|jobs/(ledger|provisioning)"
    r"|services/webhook_sending)"
)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_the_document_is_valid_openapi_31() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_every_route_is_in_it() -> None:
    shown = {(method, path) for method, path, _ in operations()}
    assert shown == {(route.method, plain(route.path)) for route in routes.ALL if not route.hidden}


def test_operation_ids_are_unique() -> None:
    ids = [openapi.operation_id(route) for route in routes.ALL if not route.hidden]
    assert sorted(set(ids)) == sorted(ids)


def test_every_operation_says_who_may_and_how_it_refuses() -> None:
    for route in routes.ALL:
        if route.hidden:
            continue
        operation = DOCUMENT["paths"][plain(route.path)][route.method.lower()]
        answers = operation["responses"]
        assert any(status.startswith("2") for status in answers), route.path
        if route.scope is not None:
            assert operation["security"] == [{"bearer": [route.scope.value]}]
            assert {"401", "403", "500"} <= answers.keys(), route.path


def test_every_reference_leads_somewhere() -> None:
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', orjson.dumps(DOCUMENT).decode()):
        place: Any = DOCUMENT
        for part in reference.split("/"):
            place = place[part]


def test_every_link_leads_to_an_operation_that_has_its_parameters() -> None:
    known = {operation["operationId"]: operation for _, _, operation in operations()}
    links = [
        link
        for _, _, operation in operations()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 30
    for link in links:
        named = {parameter.get("name") for parameter in known[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= named


def test_a_query_string_cannot_say_null() -> None:
    for _, path, operation in operations():
        for parameter in operation.get("parameters", ()):
            assert '"null"' not in orjson.dumps(parameter).decode(), path


@pytest.mark.parametrize(
    ("method", "path", "status", "content"),
    [
        ("GET", "/api/v1/stations/{station_id}", "304", None),
        (
            *("GET", "/api/v1/messages", "200"),
            {"application/json", "application/x-ndjson", "text/event-stream"},
        ),
        ("POST", "/api/v1/stations/{station_id}/commands", "504", {"application/problem+json"}),
        ("POST", "/api/v3/chargers/{uuid}/actions/start", "504", {"application/json"}),
        ("POST", "/ocpp/locations", "400", {"application/json"}),
        ("GET", "/metrics", "200", {"text/plain"}),
        ("GET", "/api/v1/events", "400", {"application/problem+json"}),
    ],
)
def test_an_answer_is_described(method: str, path: str, status: str, content: set[str]) -> None:
    answer = DOCUMENT["paths"][path][method.lower()]["responses"][status]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    assert answer.get("content") is None if content is None else set(answer["content"]) == content


# ---- examples --------------------------------------------------------------------------------


def test_every_body_has_an_example_and_every_example_a_body() -> None:
    wanted = {(route.method, plain(route.path)) for route in routes.ALL if route.body is not None}
    assert BODIES.keys() == wanted


@pytest.mark.parametrize(
    "route",
    [route for route in routes.ALL if (route.method, plain(route.path)) in BODIES],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_an_example_is_accepted(route: Any) -> None:
    validate_body(route.body, orjson.dumps(BODIES[route.method, plain(route.path)]))


# ---- codes of errors -------------------------------------------------------------------------


def classes(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from classes(inner)


def raised() -> Iterator[tuple[str, int]]:
    """Each code in the source that a caller can be told, and the status it comes with."""
    known = {kind.__name__: kind for kind in classes(refusals.CsmsError)}
    for path in sorted(PACKAGE.rglob("*.py")):
        if ELSEWHERE.match(str(path.relative_to(PACKAGE))):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name in known:
                kind: Any = known[node.name]
                if "code" in vars(kind):
                    yield kind.code, errors.status_of(kind.__new__(kind))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in known:
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        kind = known[node.func.id]  # type: ignore[attr-defined]
                        yield keyword.value.value, errors.status_of(kind.__new__(kind))


# Said by answers that are no exceptions.
WRITTEN = {"http_error": 400, "rejected": 409}


def test_every_code_is_in_the_list_with_its_status() -> None:
    found: dict[str, set[int]] = {}
    for code, status in raised():
        found.setdefault(code, set()).add(status)
    wrong = {
        code: statuses
        for code, statuses in found.items()
        if code not in CODES or CODES[code][0] not in statuses
    }
    assert wrong == {}
    assert sorted(CODES) == sorted(found.keys() | WRITTEN.keys())
    assert {code: CODES[code][0] for code in WRITTEN} == WRITTEN


async def test_it_is_public_and_can_be_polled(api: Api) -> None:
    response = await api.get("/openapi.json", role=None)
    assert response.status == 200
    assert (await response.json())["openapi"] == "3.1.0"
    tag = response.headers["ETag"]
    again = await api.get("/openapi.json", role=None, headers={"If-None-Match": tag})
    assert again.status == 304


def test_whatever_reads_a_body_may_refuse_how_it_is_packed() -> None:
    wrong = [
        (method, path)
        for method, path, operation in operations()
        if (method != "GET") != ("415" in operation["responses"])
    ]
    assert wrong == []


async def test_the_body_of_a_get_means_nothing(api: Api) -> None:
    packed = {"Content-Encoding": "br", "Content-Type": "text/plain"}
    for _ in range(2):  # the second one on the same connection
        response = await api.request("GET", "/api/v1/stations", data=b"x" * 5000, headers=packed)
        assert response.status == 200
