"""Single chargers, and those of one location."""

from __future__ import annotations

from typing import Any

from csms.api.chargers_dialect.charger_shape import ChargersCharger, ChargersChargerList
from csms.api.chargers_dialect.chargers import ChargerAccepted, ChargerStatus
from csms.api.chargers_dialect.location_chargers import DeletedChargers, UpdatedChargers
from csms.domain.permissions import Role
from csms.domain.versions import OcppVersion
from tests.api.live import Live

NEW: dict[str, Any] = {
    "identity": "CP-1",
    "brand_slug": "nobody",
    "model_slug": "nothing",
    "connector_type": "Type2",
    "ws_url": "wss://csms.example/ocpp",
}


async def test_a_charger_is_created_and_shown(live: Live) -> None:
    place = await live.location()
    body = {**NEW, "charge_point_name": "Bay 1", "location_id": place["id"], "connectors": 2}
    accepted = await live.ok("POST", "/ocpp/chargers", 202, json=body)

    ChargerAccepted.model_validate(accepted)
    assert (accepted["identity"], accepted["status"]) == ("CP-1", "READY")
    status = await live.ok("GET", accepted["status_url"])
    ChargerStatus.model_validate(status)
    assert (
        status["status"],
        status["provisioned_at"],
        status["error"],
    ) == ("READY", "2026-05-01T12:00:00Z", None)
    charger = await live.ok("GET", f"/ocpp/chargers/{accepted['charger_id']}")
    ChargersCharger.model_validate(charger)
    assert {
        "id": accepted["charger_id"],
        "identity": "CP-1",
        "name": "Bay 1",
        "vendor_name": "nobody",
        "model": "nothing",
        "image_url": None,
        "ocpp_version": "OCPP1.6",
        "number_of_connectors": 2,
        "max_charging_power": None,
        "connector_type": "Type2",
        "location_id": place["id"],
        "created_at": "2026-05-01T12:00:00Z",
        "updated_at": "2026-05-01T12:00:00Z",
    } == charger


async def test_a_virtual_charger_is_ready_once_it_booted(live: Live) -> None:
    body = {**NEW, "virtual": True, "ws_url": "ws://localhost:9000/ocpp"}
    accepted = await live.ok("POST", "/ocpp/chargers", 202, json=body)

    assert accepted["status"] == "READY"
    assert live.fleet.deployed == ["CP-1"]


async def test_a_charger_that_cannot_be_is_refused(live: Live) -> None:
    await live.station("CP-1")
    duplicate = await live.ok("POST", "/ocpp/chargers", 409, json={**NEW, "identity": "cp-1"})
    assert duplicate == {"detail": "Duplicate charger identity"}
    for change, place in (
        ({"identity": "a/b"}, "identity"),
        ({"identity": "x" * 49}, "identity"),
        ({"location_id": "nowhere"}, "location_id"),
        ({"identity": "CP-2", "virtual": True}, "ws_url"),
    ):
        answer = await live.ok("POST", "/ocpp/chargers", 422, json={**NEW, **change})
        assert [["body", place]] == [issue["loc"] for issue in answer["detail"]]
    assert (await live.ok("GET", "/ocpp/chargers"))["total"] == 1


async def test_a_bound_caller_names_its_location(live: Live) -> None:
    mine = await live.location("Mine")
    other = await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    post = "POST", "/ocpp/chargers"

    await live.ok(*post, 403, json=NEW, role="bound")
    await live.ok(*post, 422, json={**NEW, "location_id": other["id"]}, role="bound")
    await live.ok(*post, 202, json={**NEW, "location_id": mine["id"]}, role="bound")


async def test_a_repeated_request_is_not_a_duplicate(live: Live) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await live.ok("POST", "/ocpp/chargers", 202, json=NEW, headers=headers)

    assert first == await live.ok("POST", "/ocpp/chargers", 202, json=NEW, headers=headers)


async def test_a_charger_is_changed_in_part(live: Live) -> None:
    place = await live.location()
    station = await live.station("S1", name="Old", ocpp_version=OcppVersion.V16)
    path = f"/ocpp/chargers/{station.uuid}"
    changed = await live.ok(
        "PUT", path, json={"charge_point_name": "New", "location_id": place["id"]}
    )
    assert ("New", place["id"], "OCPP1.6") == (
        changed["name"],
        changed["location_id"],
        changed["ocpp_version"],
    )
    cleared = await live.ok("PUT", path, json={"ocpp_version": None, "location_id": None})
    assert (
        cleared["name"],
        cleared["location_id"],
        cleared["ocpp_version"],
    ) == ("New", None, None)
    await live.ok("PUT", path, 422, json={"location_id": "nowhere"})
    assert cleared == await live.ok("PUT", path, json={"identity": "other"})


async def test_a_deleted_charger_is_gone(live: Live) -> None:
    station = await live.station("S1")
    path = f"/ocpp/chargers/{station.uuid}"

    assert (await live.api.delete(path)).status == 204
    assert await live.ok("GET", path, 404) == {"detail": "Charger not found"}
    await live.ok("DELETE", path, 404)


async def test_lists_filter_by_location_and_internal_id(live: Live) -> None:
    place = await live.location()
    made = [await live.station(f"S{n}", location_id=1) for n in range(3)]
    other = await live.station("X")
    path = f"/ocpp/locations/{place['id']}/chargers"

    everything = await live.ok("GET", "/ocpp/chargers")
    ChargersChargerList.model_validate(everything)
    assert everything["total"] == 4
    assert (await live.ok("GET", f"/ocpp/chargers?location_id={place['id']}"))["total"] == 3
    chosen = await live.ok(
        "GET", f"{path}?charger_ids={made[1].uuid}&charger_ids={other.uuid}&charger_ids=x"
    )
    assert ([item["identity"] for item in chosen["data"]], chosen["total"]) == (["S1"], 1)
    page = await live.ok("GET", f"{path}?page=2&limit=2")
    assert ([item["identity"] for item in page["data"]], page["total"]) == (["S2"], 3)


async def test_several_are_changed_each_on_its_own(live: Live) -> None:
    place = await live.location()
    mine = await live.station("S1", location_id=1)
    other = await live.station("X")
    answer = await live.ok(
        "PUT",
        f"/ocpp/locations/{place['id']}/chargers",
        json={
            "chargers": [
                {"charger_id": mine.uuid, "name": "One"},
                {"charger_id": other.uuid, "name": "Two"},
                {"charger_id": mine.uuid, "location_id": "nowhere"},
            ]
        },
    )

    UpdatedChargers.model_validate(answer)
    assert (
        answer["updated_count"],
        answer["failed_count"],
        [item["name"] for item in answer["updated"]],
    ) == (1, 2, ["One"])
    assert {
        (mine.uuid, "Location not found"),
        (other.uuid, "Charger not found"),
    } == {(one["charger_id"], one["error"]) for one in answer["failed"]}


async def test_several_are_deleted_each_on_its_own(live: Live) -> None:
    place = await live.location()
    mine = await live.station("S1", location_id=1)
    other = await live.station("X")
    path = f"/ocpp/locations/{place['id']}/chargers"
    answer = await live.ok("DELETE", f"{path}?charger_ids={mine.uuid}&charger_ids={other.uuid}")

    DeletedChargers.model_validate(answer)
    assert (1, [mine.uuid], 1) == (
        answer["deleted_count"],
        answer["deleted"],
        answer["failed_count"],
    )
    # Without ids nothing is meant, least of all everything.
    await live.ok("DELETE", path, 422)
