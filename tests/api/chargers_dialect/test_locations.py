"""Locations of the chargers dialect."""

from __future__ import annotations

from csms.api.chargers_dialect.locations import ChargersLocation, ChargersLocationList
from csms.domain.permissions import Role
from tests.api.live import Live
from tests.services.test_locations import charge


async def test_only_the_name_is_required(live: Live) -> None:
    response = await live.api.post("/ocpp/locations", json={"name": "Depot"})
    made = await response.json()

    assert response.status == 201
    assert f"/ocpp/locations/{made['id']}" == response.headers["Location"]
    ChargersLocation.model_validate(made)
    assert (
        made["coordinates"],
        made["public"],
        made["status"],
        made["created_at"],
    ) == (None, False, "active", "2026-05-01T12:00:00Z")
    assert made == await live.ok("GET", f"/ocpp/locations/{made['id']}")


async def test_a_change_is_partial_and_null_clears(live: Live) -> None:
    given = {"latitude": 48.2, "longitude": 16.4}
    made = await live.ok(
        "POST", "/ocpp/locations", 201, json={"name": "D", "city": "Wien", "coordinates": given}
    )
    path = f"/ocpp/locations/{made['id']}"
    renamed = await live.ok("PUT", path, json={"name": "Hof"})
    cleared = await live.ok("PUT", path, json={"coordinates": None, "city": None, "name": None})

    assert ("Hof", "Wien", given) == (renamed["name"], renamed["city"], renamed["coordinates"])
    assert (cleared["name"], cleared["city"], cleared["coordinates"]) == ("Hof", None, None)


async def test_bad_fields_are_pointed_at(live: Live) -> None:
    for body, place in (
        ({}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": 1}, ["name"]),
        (
            {"name": "D", "coordinates": {"latitude": 91, "longitude": 0}},
            ["coordinates", "latitude"],
        ),
    ):
        answer = await live.ok("POST", "/ocpp/locations", 422, json=body)
        assert [["body", *place]] == [issue["loc"] for issue in answer["detail"]]


async def test_fields_that_only_the_client_knows_are_ignored(live: Live) -> None:
    made = await live.ok("POST", "/ocpp/locations", 201, json={"name": "D", "surprise": 1})
    assert "surprise" not in made


async def test_pages_are_counted_from_one(live: Live) -> None:
    made = [await live.location(f"L{number}") for number in range(3)]
    body = await live.ok("GET", "/ocpp/locations?page=2&limit=2")

    ChargersLocationList.model_validate(body)
    assert ([made[2]], 3, 2, 2) == (body["data"], body["total"], body["page"], body["limit"])
    for query in ("page=0", "limit=101", "limit=x"):
        await live.ok("GET", f"/ocpp/locations?{query}", 422)


async def test_a_bound_caller_sees_and_makes_only_its_own(live: Live) -> None:
    mine = await live.location("Mine")
    other = await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)

    body = await live.ok("GET", "/ocpp/locations", role="bound")
    assert [mine] == body["data"]
    absent = await live.ok("GET", "/ocpp/locations/nowhere", 404, role="bound")
    hidden = await live.ok("GET", f"/ocpp/locations/{other['id']}", 404, role="bound")
    assert absent == hidden
    await live.ok("POST", "/ocpp/locations", 403, json={"name": "More"}, role="bound")


async def test_deleting_waits_for_open_transactions(live: Live) -> None:
    made = await live.location()
    station = await live.station("S1", location_id=1)
    await live.deps.db.write(lambda tx: charge(tx, station.id))
    path = f"/ocpp/locations/{made['id']}"
    refused = await live.ok("DELETE", path, 409)
    await live.deps.db.write(lambda tx: tx.run("UPDATE transactions SET end_received_at = 1"))

    assert {"detail"} == refused.keys()
    assert (await live.api.delete(path)).status == 204
    await live.ok("GET", f"/ocpp/chargers/{station.uuid}", 404)
