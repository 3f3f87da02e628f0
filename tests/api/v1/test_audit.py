"""The audit natively: who sees it, what narrows it, and its pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from csms.domain.permissions import Role
from csms.services import locations as location_service
from csms.store import locations
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.store.database import Tx
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/audit"


async def create_location(api: Api, name: str = "Depot", **more: Any) -> dict[str, Any]:
    response = await api.post("/api/v1/locations", json={"name": name}, **more)
    assert response.status == 201
    made: dict[str, Any] = await response.json()
    await api.deps.db.write(lambda tx: None)  # its result has come
    return made


async def test_it_shows_a_write(api: Api) -> None:
    location = await create_location(api, role="operator", headers={"X-Request-Id": "r-1"})
    (entry,) = await items(api, PATH)
    assert entry.pop("principal")["name"] == "operator"
    assert entry.pop("id")
    assert entry.pop("at") == "2026-05-01T12:00:00.000000Z"
    assert entry == {
        "address": "127.0.0.1",
        "request_id": "r-1",
        "method": "POST",
        "route": "/api/v1/locations",
        "path": "/api/v1/locations",
        "events": ["location.created"],
        "station_id": None,
        "location_id": location["id"],
        "job_id": None,
        "status": 201,
        "code": None,
        "created_id": location["id"],
        "stations": 0,
        "count": 1,
    }


async def test_every_dialect_is_in_it(api: Api) -> None:
    await api.post("/ocpp/locations", json={"name": "A"})
    await api.post("/api/v3/sites", json={"name": "B"})
    await api.deps.db.write(lambda tx: None)
    assert [one["route"] for one in await items(api, PATH)] == ["/api/v3/sites", "/ocpp/locations"]


async def test_it_is_narrowed_by_token_station_result_and_time(
    api: Api, clock: ManualClock
) -> None:
    station = await make_station(api)
    await create_location(api, role="operator")
    clock.advance(60)
    await api.post(f"/api/v1/stations/{station.uuid}/block")
    await api.deps.db.write(lambda tx: None)
    block, create = await items(api, PATH)
    assert block["station_id"] == station.uuid
    who = create["principal"]["id"]
    for query, found in (
        (f"principal={who}", [create]),
        ("principal=csms", []),
        (f"station_id={station.uuid}", [block]),
        ("station_id=identity:CP-1", [block]),
        ("failed=false", [block, create]),
        ("failed=true", []),
        ("from=2026-05-01T12:00:30Z", [block]),
        ("to=2026-05-01T12:00:30Z", [create]),
        ("from=2026-05-01T12:00:00Z&to=2027-01-01T00:00:00Z", [block, create]),
    ):
        assert await items(api, f"{PATH}?{query}") == found, query
    assert 404 == (await api.get(f"{PATH}?principal=nobody")).status


async def test_an_order_to_many_is_found_by_each_of_them(api: Api) -> None:
    one, two, other = [await make_station(api, f"CP-{number}") for number in range(3)]
    target = {"station_ids": [one.uuid, two.uuid, "absent"]}
    body = {"kind": "station_update", "spec": {"tags": ["a"]}, "target": target}
    job = await (await api.post("/api/v1/jobs", json=body)).json()
    await api.post(f"/api/v1/stations/{one.uuid}/block")
    await api.deps.db.write(lambda tx: None)
    block, order = await items(api, PATH)
    assert (one.uuid, 1) == (block["station_id"], block["stations"])
    assert (None, 2, job["id"]) == (order["station_id"], order["stations"], order["job_id"])
    for station, found in ((one, [block, order]), (two, [order]), (other, [])):
        assert found == await items(api, f"{PATH}?station_id={station.uuid}")
    first = await items(api, f"{PATH}?station_id={one.uuid}&limit=1")
    assert [block] == first


async def test_what_a_write_did_to_several_is_found_by_each(api: Api) -> None:
    location = await api.deps.db.write(lambda tx: location_service.create(tx, name="Depot"))
    made = [await make_station(api, f"CP-{number}", location_id=location.id) for number in (1, 2)]
    await api.request("DELETE", f"/api/v1/locations/{location.uuid}")
    await api.deps.db.write(lambda tx: None)
    for station in made:
        (entry,) = await items(api, f"{PATH}?station_id={station.uuid}")
        assert (2, "DELETE") == (entry["stations"], entry["method"])


async def test_pages_stay_whole_while_entries_arrive(api: Api) -> None:
    for number in range(5):
        await create_location(api, f"L{number}")
    before = await items(api, PATH)
    found = await all_pages(api, f"{PATH}?limit=2", lambda: create_location(api, "late"))
    assert found == before


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_only_admins_see_it(api: Api, role: str) -> None:
    assert (await api.get(PATH, role=role)).status == 403


async def test_who_is_bound_to_locations_does_not_see_it(api: Api) -> None:
    assert (await api.get(PATH, role=await stranger(api, Role.ADMIN))).status == 403


async def test_a_station_that_is_not_there_is_not_found(api: Api) -> None:
    assert (await api.get(f"{PATH}?station_id=identity:nobody")).status == 404


@pytest.mark.parametrize("query", ["failed=perhaps", "cursor=x", "limit=0", "from=now", "more=1"])
async def test_a_bad_question_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"{PATH}?{query}")).status == 422


async def test_it_is_checked(api: Api) -> None:
    await create_location(api)
    first = await (await api.get(f"{PATH}/check")).json()
    noted = first.pop("hash")
    assert first == {"intact": True, "broken_at": None, "entries": 1, "known_hash_found": None}
    await create_location(api, "Other")
    again = await (await api.get(f"{PATH}/check?known_hash={noted}")).json()
    assert (again["intact"], again["entries"], again["known_hash_found"]) == (True, 2, True)
    assert again["hash"] != noted
    other = await (await api.get(f"{PATH}/check?known_hash={'0' * 64}")).json()
    assert (other["intact"], other["known_hash_found"]) == (True, False)


async def test_a_forged_entry_is_named(api: Api) -> None:
    await create_location(api)

    def forge(tx: Tx) -> None:
        tx.run("DROP TRIGGER audit_entries_stand")
        tx.run("UPDATE audit_entries SET address = '192.0.2.66'")

    await api.deps.db.write(forge)
    found = await (await api.get(f"{PATH}/check")).json()
    assert (found["intact"], found["broken_at"], found["entries"]) == (False, "1", 0)


async def test_only_who_sees_the_audit_checks_it(api: Api) -> None:
    assert (await api.get(f"{PATH}/check", role="operator")).status == 403
    assert (await api.get(f"{PATH}/check", role=await stranger(api, Role.ADMIN))).status == 403
    assert (await api.get(f"{PATH}/check?known_hash=x")).status == 422


# ---- what an entry is about ------------------------------------------------------------------


async def newest(api: Api) -> dict[str, Any]:
    await api.deps.db.write(lambda tx: None)
    return (await items(api, PATH))[0]


ORDERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/api/v1/stations/{id}/commands", {"command": "clear_cache"}),
    ("POST", "/api/v1/stations/identity:cp-1/commands", {"command": "clear_cache"}),
    ("POST", "/api/v1/stations/{id}/disconnect", {}),
    (
        "POST",
        "/api/v1/jobs",
        {
            "kind": "command",
            "spec": {"command": "clear_cache"},
            "target": {"station_ids": ["{id}"]},
        },
    ),
    ("POST", "/ocpp/chargers/{id}/reset-charger", {}),
    (
        "POST",
        "/ocpp/commands/unlock-connector",
        {"target": {"charger_id": "{id}"}, "event": {"connector_id": 1, "evse_id": 1}},
    ),
    ("POST", "/ocpp/commands/cache/reset", {"target": {"charger_id": "{id}"}}),
    ("POST", "/api/v3/chargers/{id}/actions/restart", {"type": "soft"}),
    ("POST", "/api/v3/chargers/commands/bulk", {"command": "ClearCache", "charger_ids": ["{id}"]}),
)


def filled(value: Any, station_id: str) -> Any:
    return orjson.loads(orjson.dumps(value).replace(b"{id}", station_id.encode()))


@pytest.mark.parametrize(("method", "path", "body"), ORDERS)
async def test_an_order_is_an_entry_of_its_station(
    api: Api, hub: ScriptedHub, method: str, path: str, body: dict[str, Any]
) -> None:
    station = await make_station(api)
    hub.automatic = lambda _: {"status": "Accepted"}
    hub.connect(station.id)
    response = await api.request(
        method, path.replace("{id}", station.uuid), json=filled(body, station.uuid)
    )
    assert response.status < 500, await response.text()
    assert response.status not in {400, 404, 405, 422}, await response.text()
    entry = await newest(api)
    assert (entry["path"], entry["station_id"]) == (str(response.url.raw_path), station.uuid)
    assert await items(api, f"{PATH}?station_id={station.uuid}&limit=1") == [entry]


async def test_an_order_to_a_station_names_its_job_and_its_location(
    api: Api, hub: ScriptedHub
) -> None:
    location = await create_location(api)
    place = await api.deps.db.read(lambda tx: locations.find_by_uuid(tx, location["id"]))
    assert place is not None
    station = await make_station(api, location_id=place.id)
    hub.automatic = lambda _: {"status": "Unlocked"}
    hub.connect(station.id)
    body = {"target": {"charger_id": station.uuid}, "event": {"connector_id": 1}}
    response = await api.post("/ocpp/commands/unlock-connector", json=body)
    assert response.status == 202
    entry = await newest(api)
    assert entry["job_id"] is not None
    assert (entry["station_id"], entry["location_id"]) == (station.uuid, location["id"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/tokens", {"name": "n", "role": "viewer"}),
        ("/api/v1/id-tokens", {"value": "CARD", "status": "Accepted"}),
        ("/api/v1/locations", {"name": "Depot"}),
        ("/api/v1/stations", {"identity": "CP-1"}),
        ("/ocpp/locations", {"name": "Depot"}),
    ],
)
async def test_an_entry_tells_what_was_made(api: Api, path: str, body: dict[str, Any]) -> None:
    response = await api.post(path, json=body)
    made = await response.json()
    assert response.status == 201, made
    assert (await newest(api))["created_id"] == made["id"]


async def row_id(api: Api, job_id: str) -> int:
    found: int = await api.deps.db.read(
        lambda tx: tx.value("SELECT id FROM jobs WHERE uuid = ?", (job_id,))
    )
    return found


async def test_an_entry_keeps_the_job_that_was_forgotten(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.automatic = lambda _: {"status": "Accepted"}
    hub.connect(station.id)
    body = {
        "kind": "command",
        "spec": {"command": "clear_cache"},
        "target": {"station_ids": [station.uuid]},
    }
    job = await (await api.post("/api/v1/jobs", json=body)).json()
    before = await newest(api)
    assert before["job_id"] == job["id"]
    await api.post(f"/api/v1/jobs/{job['id']}/cancel")
    async with asyncio.timeout(10):
        await api.deps.engine.settled(await row_id(api, job["id"]), timeout_s=10)
    assert (await api.delete(f"/api/v1/jobs/{job['id']}")).status == 204
    await newest(api)
    entries = await items(api, PATH)
    assert entries[0]["method"] == "DELETE"
    assert {entry["job_id"] for entry in entries} == {job["id"]}
    assert before in entries


async def test_the_entries_of_a_deleted_station_are_found(api: Api) -> None:
    station = await make_station(api)
    await api.post(f"/api/v1/stations/{station.uuid}/block")
    assert (await api.delete(f"/api/v1/stations/{station.uuid}")).status == 204
    await newest(api)
    for name in (station.uuid, "identity:CP-1"):
        found = await items(api, f"{PATH}?station_id={name}")
        assert [one["method"] for one in found] == ["DELETE", "POST"], name
        assert {one["station_id"] for one in found} == {station.uuid}
