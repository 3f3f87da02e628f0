"""Sites of the commands dialect and what stands there."""

from __future__ import annotations

from typing import Any

import pytest

from csms.api.commands_dialect.charger_shape import CommandsChargerList
from csms.api.commands_dialect.site_lists import CommandsConnectorList
from csms.api.commands_dialect.sites import Site, SiteList
from csms.domain.permissions import Role
from csms.domain.stations import ConnectorStatus, StatusReport
from csms.services import connectors
from tests.api.live import Live

SITES = "/api/v3/sites"
FULL = {
    "name": "Depot",
    "street": "Main Street",
    "house_number": "12",
    "house_number_addition": "B",
    "postal_code": "1234 AB",
    "city": "Utrecht",
    "country": "NL",
    "latitude": 52.1,
    "longitude": 5,
}


async def create(live: Live, **body: Any) -> dict[str, Any]:
    return (await live.ok("POST", SITES, 201, json={"name": "Depot", **body}))["data"]


async def test_a_site_is_created_and_shown(live: Live) -> None:
    made = await create(live, **FULL, something_else=1)
    shown = (await live.ok("GET", f"{SITES}/{made['uuid']}", role="viewer"))["data"]

    Site.model_validate(shown)
    assert {**FULL, "chargers_count": 0, "id": 1} == {
        name: shown[name] for name in (*FULL, "chargers_count", "id")
    }
    assert shown["permissions"] == {"basic": True, "sensitive": False, "full": False}
    assert shown["created_at"] == "2026-05-01T12:00:00.000000Z"


async def test_only_the_name_is_required(live: Live) -> None:
    made = await create(live)

    assert (made["street"], made["latitude"]) == (None, None)


async def test_a_change_leaves_the_rest(live: Live) -> None:
    made = await create(live, **FULL)
    changes = {"city": None, "house_number": "14", "name": None}
    changed = (await live.ok("PUT", f"{SITES}/{made['uuid']}", json=changes))["data"]

    assert {**FULL, "city": None, "house_number": "14"} == {name: changed[name] for name in FULL}


async def test_the_address_is_one_line_for_the_other_clients(live: Live) -> None:
    made = await create(live, **FULL)
    address = f"/ocpp/locations/{made['uuid']}"
    assert (await live.ok("GET", address))["address"] == "Main Street 12 B"
    await live.ok("PUT", address, json={"address": "Side Street 1"})
    moved = (await live.ok("GET", f"{SITES}/{made['uuid']}"))["data"]
    assert ("Side Street 1", None) == (moved["street"], moved["house_number"])
    await live.ok("PUT", f"{SITES}/{made['uuid']}", json={"house_number_addition": "C"})

    assert (await live.ok("GET", address))["address"] == "Side Street 1 C"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"street": "x" * 256}, "street"),
        ({"city": "a\0b"}, "city"),
        ({"latitude": 91}, "latitude"),
        ({"longitude": "east"}, "longitude"),
    ],
)
async def test_what_no_site_is_like_is_refused(
    live: Live, change: dict[str, Any], field: str
) -> None:
    answer = await live.ok("POST", SITES, 422, json={**FULL, **change})

    assert [field] == list(answer["errors"])
    assert (await live.ok("GET", SITES))["meta"]["total"] == 0


async def test_sites_count_their_chargers(live: Live) -> None:
    _, second = await create(live, name="A"), await create(live, name="B")
    for name in ("S1", "S2"):
        await live.station(name, location_id=second["id"])
    gone = await live.station("S3", location_id=second["id"])
    assert (await live.api.delete(f"/ocpp/chargers/{gone.uuid}")).status == 204
    body = await live.ok("GET", SITES)

    SiteList.model_validate(body)
    assert [("A", 0), ("B", 2)] == [(one["name"], one["chargers_count"]) for one in body["data"]]


async def test_a_site_lists_its_chargers_and_their_connectors(live: Live) -> None:
    here, there = await create(live, name="A"), await create(live, name="B")
    stations = [await live.station(name, location_id=here["id"]) for name in ("S1", "S2")]
    other = await live.station("S3", location_id=there["id"])

    def record(tx: Any) -> None:
        for station in (*stations, other):
            for evse_id, connector_id in ((0, 0), (1, 1), (1, 2)):
                report = StatusReport(
                    evse_id,
                    connector_id,
                    ConnectorStatus.AVAILABLE,
                    "Available",
                    "NoError",
                    *(None, None, None, None),
                    raw="{}",
                )
                connectors.record(tx, station.id, report)

    await live.deps.db.write(record)
    chargers = await live.ok("GET", f"{SITES}/{here['uuid']}/chargers")
    CommandsChargerList.model_validate(chargers)
    assert ["S1", "S2"] == [one["identity"] for one in chargers["data"]]
    found = await live.ok("GET", f"{SITES}/{here['uuid']}/connectors?per_page=3")
    CommandsConnectorList.model_validate(found)
    assert [1, 1, 2] == [one["charger_id"] for one in found["data"]]
    assert found["meta"]["total"] == 4
    rest = await live.ok("GET", f"{SITES}/{here['uuid']}/connectors?per_page=3&page=2")
    assert len({one["id"] for one in found["data"] + rest["data"]}) == 4


async def test_a_bound_token_sees_its_own_sites_only(live: Live) -> None:
    mine, other = await create(live, name="A"), await create(live, name="B")
    await live.token("bound", Role.OPERATOR, mine["id"])
    listed = (await live.ok("GET", SITES, role="bound"))["data"]
    assert [mine["uuid"]] == [one["uuid"] for one in listed]
    for rest in ("", "/chargers", "/transactions", "/connectors"):
        unknown = await live.ok("GET", f"{SITES}/no-such{rest}", 404, role="bound")
        assert unknown == {"message": "Site not found"}
        hidden = f"{SITES}/{other['uuid']}{rest}"
        assert unknown == await live.ok("GET", hidden, 404, role="bound")
    await live.ok("PUT", f"{SITES}/{other['uuid']}", 404, json={"name": "C"}, role="bound")
    await live.ok("POST", SITES, 403, json={"name": "C"}, role="bound")


async def test_a_viewer_changes_no_site(live: Live) -> None:
    made = await create(live)
    refused = await live.ok("POST", SITES, 403, json={"name": "C"}, role="viewer")

    assert refused == {"message": "This action is unauthorized."}
    await live.ok("PUT", f"{SITES}/{made['uuid']}", 403, json={"name": "C"}, role="viewer")
