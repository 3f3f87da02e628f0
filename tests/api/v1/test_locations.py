"""Locations natively."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csms.domain.permissions import Role
from csms.services import locations, tokens

if TYPE_CHECKING:
    from tests.api.conftest import Api

PATH = "/api/v1/locations"


async def test_create_show_and_list(api: Api) -> None:
    response = await api.post(PATH, json={"name": "Depot", "city": "Oslo", "latitude": 59.9})
    made = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    assert (made["name"], made["city"], made["latitude"]) == ("Depot", "Oslo", 59.9)
    assert await (await api.get(f"{PATH}/{made['id']}")).json() == made
    listed = await (await api.get(PATH)).json()
    assert listed == {"items": [made], "next_cursor": None}


async def test_the_list_pages(api: Api) -> None:
    for name in "abc":
        await api.post(PATH, json={"name": name})
    first = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]


async def test_a_bound_token_sees_its_own_and_creates_none(api: Api) -> None:
    here, there = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("Here", "There")]
    )
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({here.id})
        )
    )
    listed = await (await api.get(PATH, role="bound")).json()
    assert [one["id"] for one in listed["items"]] == [here.uuid]
    assert (await api.get(f"{PATH}/{there.uuid}", role="bound")).status == 404
    assert (await api.post(PATH, role="bound", json={"name": "x"})).status == 403


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a", "latitude": 91}, {"nam": "a"}])
async def test_a_bad_location_is_refused(api: Api, body: dict[str, object]) -> None:
    assert (await api.post(PATH, json=body)).status == 422
    assert (await (await api.get(PATH)).json())["items"] == []


async def test_a_repeated_creation_makes_one(api: Api) -> None:
    for _ in range(2):
        await api.post(PATH, json={"name": "a"}, headers={"Idempotency-Key": "k"})
    assert len((await (await api.get(PATH)).json())["items"]) == 1
