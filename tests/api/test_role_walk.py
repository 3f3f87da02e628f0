"""Every route with every role and every reach, from the table of routes itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from csms.api import routes
from csms.api.routing import Dialect
from csms.domain.permissions import SCOPES, Role, Scope
from tests.api.everything import SECRET, make_everything

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from csms.api.routing import Route
    from tests.api.conftest import Api, ScriptedHub
    from tests.api.everything import Everything

PROTECTED = [route for route in routes.ALL if route.scope is not None]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PUBLIC = {
    "/",
    "/assets/{name}",
    "/docs",
    "/docs/errors",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/version",
}
PUBLIC |= {"/api/v1/auth/sign-in", "/files/{link}/{name:.*}"}
BAD = ["Bearer nope", "Basic abc", "Bearer", "Bearer " + "x" * 600, ""]


@pytest.fixture
async def everything(api: Api, hub: ScriptedHub) -> Everything:
    return await make_everything(api, hub)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


async def refusal(response: ClientResponse, dialect: Dialect) -> tuple[int, str]:
    """The status of an answer that must be an error of the dialect, and its sentence."""
    body = await response.json(content_type=None)
    if dialect is Dialect.CHARGERS:
        assert list(body) == ["detail"], body
        return response.status, str(body["detail"])
    if dialect is Dialect.COMMANDS:
        assert set(body) <= {"message", "errors"}, body
        return response.status, body["message"]
    assert response.content_type == "application/problem+json"
    assert body["status"] == response.status
    return response.status, f"{body['code']}: {body['detail']}"


def test_only_these_routes_are_public() -> None:
    assert {route.path for route in routes.ALL if route.scope is None} == PUBLIC


def test_reading_needs_a_read_scope_and_writing_another() -> None:
    reads = {scope for scope in Scope if scope.value.endswith(":read")}
    for route in PROTECTED:
        if route.scope not in {Scope.TOKENS_MANAGE, Scope.WEBHOOKS_MANAGE}:
            assert (route.scope in reads) == (not route.writes), route.path


async def test_every_route_asks_who_calls(api: Api) -> None:
    for route in PROTECTED:
        path = route.path.replace("{", "").replace("}", "")
        for header in [None, *BAD]:
            headers = {} if header is None else {"Authorization": header}
            response = await api.request(route.method, path, role=None, headers=headers)
            assert (await refusal(response, route.dialect))[0] == 401, (name_of(route), header)
            assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_every_route_asks_for_its_scope(everything: Everything) -> None:
    api = everything.api
    for route in PROTECTED:
        for role in Role:
            if route.scope in SCOPES[role]:
                continue
            for ids in (everything.ids, {}):  # whether it exists is not told either
                path = everything.path(route, ids)
                response = await api.request(route.method, path, role=role.value)
                assert (await refusal(response, route.dialect))[0] == 403, (name_of(route), role)


async def ask(
    everything: Everything,
    route: Route,
    body: Any = None,
    *,
    ids: dict[str, str] | None = None,
    role: str,
) -> ClientResponse:
    """The route about what `ids` name; whatever the request refers to besides is everything's."""
    more: dict[str, Any] = {}
    if route.body is not None:
        more["json"] = everything.samples(route.body).body() if body is None else body
    if route.takes_file:
        more["data"] = b"x"
    return await everything.api.request(
        route.method,
        everything.path(route, ids),
        role=role,
        params=everything.query(route),
        **more,
    )


def streams(route: Route) -> bool:
    return route.answers.get(200) == "text/event-stream"


NAMED = [route for route in PROTECTED if "{" in route.path and "/catalog/" not in route.path]


async def test_what_is_not_there_and_what_is_out_of_reach_are_the_same(
    everything: Everything,
) -> None:
    before = await everything.rows()
    for route in NAMED:
        there = await ask(everything, route, role="bound")
        absent = await ask(everything, route, ids={}, role="bound")
        answers = [await refusal(one, route.dialect) for one in (there, absent)]
        assert answers[0] == answers[1], name_of(route)
        # 403: none of this kind is for tokens that are bound to locations.
        assert answers[0][0] in {403, 404}, name_of(route)
    assert await everything.rows() == before


# Without these the test before would prove nothing.


def misunderstood(response: ClientResponse) -> bool:
    return response.status in {400, 401, 403, 404, 405, 415, 422} or response.status >= 500


async def test_what_is_not_there_is_not_found_by_anybody(everything: Everything) -> None:
    for route in NAMED:
        response = await ask(everything, route, ids={}, role="admin")
        assert (await refusal(response, route.dialect))[0] == 404, name_of(route)


async def test_what_is_there_is_found_by_who_reaches_it(everything: Everything) -> None:
    for route in PROTECTED:
        if route.method != "DELETE" and not streams(route):
            response = await ask(everything, route, role="admin")
            assert not misunderstood(response), (name_of(route), await response.text())


@pytest.mark.parametrize("route", [one for one in NAMED if one.method == "DELETE"], ids=name_of)
async def test_what_is_there_can_be_deleted(everything: Everything, route: Route) -> None:
    response = await ask(everything, route, role="admin")
    assert not misunderstood(response), await response.text()


async def test_nothing_is_read_that_is_out_of_reach(everything: Everything) -> None:
    reads = [one for one in PROTECTED if one.method == "GET" and not streams(one)]
    kept = {SECRET, *(one for one in everything.ids.values() if UUID.fullmatch(one))}
    telling = 0
    for route in reads:
        bound = await (await ask(everything, route, ids=everything.here, role="bound")).text()
        assert not [one for one in kept if one in bound], name_of(route)
        telling += SECRET in await (await ask(everything, route, role="admin")).text()
    assert telling > len(reads) / 2


async def test_nothing_is_written_about_what_is_out_of_reach(everything: Everything) -> None:
    """Named in a body, it is as absent as in a path."""
    before = await everything.rows_of_the_location()
    for route in PROTECTED:
        if route.writes and route.body is not None:
            for body in everything.bodies(route):
                bound = await ask(everything, route, body, ids=everything.here, role="bound")
                assert bound.status < 500, name_of(route)
                assert SECRET not in await bound.text(), name_of(route)
    assert await everything.rows_of_the_location() == before
