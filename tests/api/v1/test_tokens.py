"""API tokens natively: the value once, roles, locations, revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.services import locations, tokens

if TYPE_CHECKING:
    from tests.api.conftest import Api

PATH = "/api/v1/tokens"


async def test_a_new_token_works_and_is_shown_once(api: Api) -> None:
    response = await api.post(PATH, json={"name": "ci", "role": "operator"})
    made = await response.json()
    assert response.status == 201
    assert made["token"].startswith(f"csms_{made['id']}_")
    api.bearers["new"] = made["token"]
    assert (await api.get("/api/v1/stations", role="new")).status == 200
    assert (await api.get(PATH, role="new")).status == 403
    listed = (await (await api.get(PATH)).json())["items"]
    assert "token" not in listed[-1]
    assert made["token"] not in str(listed)


async def test_a_revoked_token_is_refused_at_once(api: Api) -> None:
    made = await (await api.post(PATH, json={"name": "ci", "role": "viewer"})).json()
    api.bearers["new"] = made["token"]
    assert (await api.get("/api/v1/stations", role="new")).status == 200
    assert (await api.delete(f"{PATH}/{made['id']}")).status == 204
    assert (await api.get("/api/v1/stations", role="new")).status == 401
    assert (await api.delete(f"{PATH}/{made['id']}")).status == 204
    assert (await api.delete(f"{PATH}/nobody")).status == 404


async def test_an_expired_token_is_refused(api: Api) -> None:
    body = {"name": "ci", "role": "viewer", "expires_at": "2026-05-01T13:00:00Z"}
    api.bearers["new"] = (await (await api.post(PATH, json=body)).json())["token"]
    assert (await api.get("/api/v1/stations", role="new")).status == 200
    api.deps.clock.advance(3601)  # type: ignore[attr-defined]
    assert (await api.get("/api/v1/stations", role="new")).status == 401


async def test_a_token_bound_to_locations_names_them(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    body = {"name": "site", "role": "operator", "location_ids": [place.uuid]}
    made = await (await api.post(PATH, json=body)).json()
    assert made["location_ids"] == [place.uuid]


async def test_a_bound_admin_manages_no_tokens(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.ADMIN, location_ids=frozenset({place.id})
        )
    )
    body = {"name": "more", "role": "admin"}
    assert (await api.post(PATH, role="bound", json=body)).status == 403
    assert (await api.get(PATH, role="bound")).status == 403
    assert (await api.delete(f"{PATH}/x", role="bound")).status == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"role": "king"}, "/role"),
        ({"name": ""}, "/name"),
        ({"location_ids": []}, "/location_ids"),
        ({"location_ids": ["nowhere"]}, "/location_ids/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at"),
    ],
)
async def test_a_bad_token_is_refused(api: Api, change: dict[str, Any], pointer: str) -> None:
    response = await api.post(PATH, json={"name": "ci", "role": "viewer", **change})
    assert response.status == 422
    assert (await response.json())["errors"][0]["pointer"] == pointer


async def test_a_repeated_creation_finds_the_first_without_its_value(api: Api) -> None:
    body, headers = {"name": "ci", "role": "viewer"}, {"Idempotency-Key": "k"}
    made = await (await api.post(PATH, json=body, headers=headers)).json()
    again = await (await api.post(PATH, json=body, headers=headers)).json()
    assert (again["id"], again["token"]) == (made["id"], None)


async def create(api: Api, **body: Any) -> dict[str, Any]:
    response = await api.post(PATH, json={"name": "ci", **body})
    made: dict[str, Any] = await response.json()
    assert response.status == 201, made
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    api.bearers["new"] = made["token"]
    return made


async def test_a_token_with_scopes_has_these_alone(api: Api) -> None:
    made = await create(api, scopes=["stations:read", "commands:send"])
    assert made["role"] == "operator"
    assert made["scopes"] == ["commands:send", "self:read", "self:write", "stations:read"]
    assert (await api.get("/api/v1/stations", role="new")).status == 200
    refused = await api.get("/api/v1/jobs", role="new")
    assert refused.status == 403
    assert (await refused.json())["detail"] == "The token does not include jobs:read."


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/role"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"role": "viewer", "scopes": ["stations:read", "stations:write"]}, "/scopes/1"),
    ],
)
async def test_role_and_scopes_must_make_sense(
    api: Api, body: dict[str, Any], pointer: str
) -> None:
    response = await api.post(PATH, json={"name": "ci", **body})
    assert response.status == 422
    assert (await response.json())["errors"][0]["pointer"] == pointer


async def test_nobody_gives_more_than_they_have(api: Api) -> None:
    made = await create(api, scopes=["tokens:manage", "stations:read"])
    for body in ({"role": "viewer"}, {"role": "admin"}, {"scopes": ["commands:send"]}):
        response = await api.post(PATH, role="new", json={"name": "more", **body})
        assert response.status == 403
    body = {"name": "less", "scopes": ["stations:read"]}
    assert (await api.post(PATH, role="new", json=body)).status == 201
    for change in ({"role": "admin"}, {"scopes": None}):
        response = await api.request("PATCH", f"{PATH}/{made['id']}", role="new", json=change)
        assert response.status == 403


async def test_a_change_counts_at_once(api: Api) -> None:
    made = await create(api, role="viewer")
    path, station = f"{PATH}/{made['id']}", {"identity": "CP-1"}
    assert (await api.post("/api/v1/stations", role="new", json=station)).status == 403
    changed = await api.request("PATCH", path, json={"role": "operator", "name": "site"})
    assert changed.status == 200
    assert (await api.post("/api/v1/stations", role="new", json=station)).status == 201
    shown = await (await api.get(path)).json()
    assert shown == await changed.json()
    assert (shown["name"], shown["role"]) == ("site", "operator")
    body = {"scopes": ["jobs:read"]}
    shown = await (await api.request("PATCH", path, json=body)).json()
    assert (shown["role"], shown["scopes"]) == ("viewer", ["jobs:read", "self:read", "self:write"])
    shown = await (await api.request("PATCH", path, json={"scopes": None})).json()
    assert (shown["role"], "stations:read" in shown["scopes"]) == ("viewer", True)


async def test_places_and_expiry_are_set_and_taken_away(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    made = await create(api, role="viewer")
    path = f"{PATH}/{made['id']}"
    body = {"location_ids": [place.uuid], "expires_at": "2026-05-02T12:00:00Z"}
    shown = await (await api.request("PATCH", path, json=body)).json()
    assert shown["location_ids"] == [place.uuid]
    assert shown["expires_at"] == "2026-05-02T12:00:00.000000Z"
    body = {"location_ids": None, "expires_at": None}
    shown = await (await api.request("PATCH", path, json=body)).json()
    assert (shown["location_ids"], shown["expires_at"]) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"role": None},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"location_ids": ["nowhere"]},
        {"token": "mine"},
    ],
)
async def test_a_bad_change_is_refused(api: Api, body: dict[str, Any]) -> None:
    made = await create(api, role="viewer")
    assert (await api.request("PATCH", f"{PATH}/{made['id']}", json=body)).status == 422


async def test_what_is_revoked_or_the_servers_own_stays_as_it_is(api: Api) -> None:
    made = await create(api, role="viewer")
    await api.delete(f"{PATH}/{made['id']}")
    refused = await api.request("PATCH", f"{PATH}/{made['id']}", json={"name": "x"})
    assert (refused.status, (await refused.json())["code"]) == (409, "token_revoked")
    await tokens.ensure_environment_token(api.deps.db, "a-chosen-string-of-mine")
    own = (await (await api.get(PATH)).json())["items"][-1]
    refused = await api.request("PATCH", f"{PATH}/{own['id']}", json={"name": "x"})
    assert (refused.status, (await refused.json())["code"]) == (409, "token_fixed")
    assert (await api.request("PATCH", f"{PATH}/nobody", json={"name": "x"})).status == 404


async def test_tokens_come_in_pages(api: Api) -> None:
    for number in range(4):
        await create(api, role="viewer", name=f"t{number}")
    found: list[str] = []
    cursor = ""
    while True:
        page = await (await api.get(f"{PATH}?limit=3{cursor}")).json()
        found += [one["name"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == ["viewer", "operator", "admin", "t0", "t1", "t2", "t3"]


async def test_every_token_sees_what_it_is(api: Api) -> None:
    made = await create(api, scopes=["metrics:read"])
    shown = await (await api.get("/api/v1/auth/me", role="new")).json()
    assert shown.pop("session") is None
    assert shown == {name: value for name, value in made.items() if name != "token"}
    assert (await api.get("/api/v1/auth/me", role=None)).status == 401
