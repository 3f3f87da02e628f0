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
