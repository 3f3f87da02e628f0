"""Every route with every role: no token, a role without the scope, a role with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from csms.api import routes
from csms.domain.permissions import SCOPES, Role, Scope

if TYPE_CHECKING:
    from csms.api.routing import Route
    from tests.api.conftest import Api

PROTECTED = [route for route in routes.ALL if route.scope is not None]
PUBLIC = {"/", "/assets/{name}", "/healthz", "/readyz", "/metrics", "/openapi.json"}


def concrete(route: Route) -> str:
    return re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", route.path)


def test_only_these_routes_are_public() -> None:
    assert {route.path for route in routes.ALL if route.scope is None} == PUBLIC


def test_reading_needs_a_read_scope_and_writing_another() -> None:
    reads = {scope for scope in Scope if scope.value.endswith(":read")}
    for route in PROTECTED:
        if route.scope is not Scope.TOKENS_MANAGE:
            assert (route.scope in reads) == (not route.writes), route.path


@pytest.mark.parametrize("route", PROTECTED, ids=lambda route: f"{route.method} {route.path}")
async def test_a_route_asks_for_its_scope(api: Api, route: Route) -> None:
    path = concrete(route)
    assert (await api.request(route.method, path, role=None)).status == 401
    for role in Role:
        if route.scope not in SCOPES[role]:
            response = await api.request(route.method, path, role=role.value)
            assert response.status == 403, role


@pytest.mark.parametrize(
    "route",
    [route for route in PROTECTED if "{" in route.path and not route.writes],
    ids=lambda route: route.path,
)
async def test_what_does_not_exist_is_not_found(api: Api, route: Route) -> None:
    assert (await api.request(route.method, concrete(route))).status == 404
