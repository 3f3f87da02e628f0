"""Locations natively."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csms.domain.permissions import Role
from csms.services import locations, tokens
from csms.store import locations as store
from tests.api.v1.scene import all_pages, items, make_station, stranger

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


async def make(api: Api, name: str = "Depot") -> str:
    made = await (await api.post(PATH, json={"name": name, "city": "Oslo"})).json()
    return f"{PATH}/{made['id']}"


async def test_a_change_touches_what_is_given(api: Api) -> None:
    path = await make(api)
    before = await (await api.get(path)).json()
    response = await api.request("PATCH", path, json={"name": "Yard", "city": None})
    assert response.status == 200, await response.text()
    after = await response.json()
    assert after == {**before, "name": "Yard", "city": None, "updated_at": after["updated_at"]}
    assert await (await api.get(path)).json() == after


@pytest.mark.parametrize("body", [{"name": None}, {"public": None}, {"longitude": 200}, {"x": 1}])
async def test_a_bad_change_is_refused(api: Api, body: dict[str, object]) -> None:
    path = await make(api)
    before = await (await api.get(path)).json()
    assert (await api.request("PATCH", path, json=body)).status == 422
    assert await (await api.get(path)).json() == before


async def test_deleting_takes_its_stations_along(api: Api) -> None:
    path = await make(api)
    place = await api.deps.db.read(lambda tx: store.find_by_uuid(tx, path.rpartition("/")[2]))
    assert place is not None
    await make_station(api, location_id=place.id)
    assert (await api.delete(path)).status == 204
    assert (await api.get(path)).status == 404
    assert await items(api, "/api/v1/stations") == []


async def test_its_stations_and_what_goes_on_there(api: Api) -> None:
    here, there = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("Here", "There")]
    )
    for number in range(3):
        await make_station(api, f"CP-{number}", location_id=here.id)
    await make_station(api, "CP-9", location_id=there.id)

    async def another() -> None:
        await make_station(api, "CP-3", location_id=here.id)

    found = await all_pages(api, f"{PATH}/{here.uuid}/stations?limit=2", another)
    assert [one["identity"] for one in found] == ["CP-0", "CP-1", "CP-2", "CP-3"]
    narrowed = await items(api, f"{PATH}/{here.uuid}/stations?q=cp-2")
    assert [one["identity"] for one in narrowed] == ["CP-2"]
    counted = await (await api.get(f"{PATH}/{here.uuid}/summary")).json()
    assert (counted["stations"]["total"], counted["transactions"]["open"]) == (4, 0)


@pytest.mark.parametrize(
    ("method", "tail", "status"),
    [
        ("PATCH", "", 404),
        ("DELETE", "", 404),
        ("GET", "/stations", 404),
        ("GET", "/summary", 404),
    ],
)
async def test_others_do_not_know_it(api: Api, method: str, tail: str, status: int) -> None:
    path, role = await make(api), await stranger(api)
    body = {"json": {"name": "x"}} if method == "PATCH" else {}
    assert (await api.request(method, path + tail, role=role, **body)).status == status
    if method != "GET":
        assert (await api.request(method, path + tail, role="viewer", **body)).status == 403
