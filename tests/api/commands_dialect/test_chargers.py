"""Chargers and the user of the commands dialect."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from csms.api.commands_dialect.charger_shape import CommandsCharger, CommandsChargerList
from csms.api.commands_dialect.user import CommandsUser
from csms.domain.permissions import Role
from csms.domain.stations import BootReport, ConnectorStatus, StatusReport
from csms.services import connectors
from csms.store import stations
from tests.api.live import Live

CHARGERS = "/api/v3/chargers"


async def test_the_user_is_the_token(live: Live) -> None:
    answer = await live.ok("GET", "/api/v3/user", role="viewer")

    CommandsUser.model_validate(answer["data"])
    assert (answer["data"]["name"], answer["data"]["email"]) == ("viewer", None)
    assert answer == await live.ok("GET", "/api/v3/user", role="viewer")


async def test_a_charger_that_never_came_is_shown_so(live: Live) -> None:
    station = await live.station("S1", name="Bay 1")
    body = (await live.ok("GET", f"{CHARGERS}/{station.uuid}", role="viewer"))["data"]

    CommandsCharger.model_validate(body)
    assert (
        body["connection_status"],
        body["status"],
        body["model"],
        body["connectors"],
        body["setup_completed"],
    ) == ("never_seen", None, None, [], False)
    assert ("S1", "Bay 1", station.id) == (body["identity"], body["reference"], body["id"])
    assert body["created_at"] == "2026-05-01T12:00:00.000000Z"
    assert body["permissions"] == {"basic": True, "sensitive": False, "full": False}


async def test_a_charger_shows_what_it_reported(live: Live) -> None:
    station = await live.station("S1", connector_type="CCS2")
    boot = BootReport("ABB", "Terra", None, "V1.8.21-beta", None, "{}")

    def report(evse_id: int, status: ConnectorStatus, word: str, error: str) -> StatusReport:
        return StatusReport(
            evse_id, 1, status, word, error, "too hot", "abb", "E7", None, orjson.dumps({}).decode()
        )

    def record(tx):
        stations.record_boot(tx, station.id, boot)
        connectors.record(
            tx, station.id, report(0, ConnectorStatus.FAULTED, "Faulted", "HighTemperature")
        )
        connectors.record(
            tx, station.id, report(1, ConnectorStatus.OCCUPIED, "Charging", "NoError")
        )

    await live.deps.db.write(record)
    live.hub.connect(station.id)
    live.deps.heartbeats.note(station.id)
    body = (await live.ok("GET", f"{CHARGERS}/{station.uuid}"))["data"]

    CommandsCharger.model_validate(body)
    assert tuple(
        body[name]
        for name in (
            "connection_status",
            "status",
            "error",
            "error_info",
            "vendor_id",
            "vendor_error_code",
        )
    ) == ("online", "Faulted", "HighTemperature", "too hot", "abb", "E7")
    assert (
        body["firmware_version"],
        body["parsed_firmware_version"],
    ) == ("V1.8.21-beta", "1.8.21")
    assert body["model"] == {"vendor": "ABB", "name": "Terra", "is_dc": True}
    assert body["last_heartbeat_at"] == "2026-05-01T12:00:00.000000Z"
    (connector,) = body["connectors"]
    assert tuple(connector[name] for name in ("connector_id", "status", "error", "standard")) == (
        1,
        "Charging",
        None,
        "CCS2",
    )


async def test_the_list_is_paged_with_links(live: Live) -> None:
    for number in range(3):
        await live.station(f"S{number}")
    body = await live.ok("GET", f"{CHARGERS}?page=2&per_page=2")

    CommandsChargerList.model_validate(body)
    assert [item["identity"] for item in body["data"]] == ["S2"]
    assert {name: value for name, value in body["meta"].items() if name != "path"} == {
        "current_page": 2,
        "from": 3,
        "last_page": 2,
        "per_page": 2,
        "to": 3,
        "total": 3,
    }
    assert body["meta"]["path"].endswith(CHARGERS)
    assert body["links"]["next"] is None
    assert "page=1" in body["links"]["prev"]
    empty = await live.ok("GET", f"{CHARGERS}?page=9")
    assert tuple(empty["meta"][name] for name in ("from", "to", "total")) == (None, None, 3)


async def test_chargers_out_of_reach_look_absent(live: Live) -> None:
    await live.location("Mine")
    await live.token("bound", Role.OPERATOR, 1)
    await live.station("S1", location_id=1)
    other = await live.station("S2")

    body = await live.ok("GET", CHARGERS, role="bound")
    assert [item["identity"] for item in body["data"]] == ["S1"]
    hidden = await live.ok("GET", f"{CHARGERS}/{other.uuid}", 404, role="bound")
    assert hidden == await live.ok("GET", f"{CHARGERS}/nowhere", 404, role="bound")


async def test_a_charger_is_registered_at_a_site(live: Live) -> None:
    site = (await live.ok("POST", "/api/v3/sites", 201, json={"name": "Depot"}))["data"]
    body = {"identity": "S1", "site_uuid": site["uuid"], "something": "else"}
    made = (await live.ok("POST", CHARGERS, 201, json=body, role="operator"))["data"]

    CommandsCharger.model_validate(made)
    assert (made["identity"], made["connectors"]) == ("S1", [])
    listed = (await live.ok("GET", f"/api/v3/sites/{site['uuid']}/chargers"))["data"]
    assert [made["uuid"]] == [one["uuid"] for one in listed]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "identity"),
        ({"identity": ""}, "identity"),
        ({"identity": "x" * 49}, "identity"),
        ({"identity": "a/b"}, "identity"),
        ({"identity": "a\0b"}, "identity"),
        ({"identity": "TAKEN"}, "identity"),
        ({"identity": "SN-1"}, "identity"),
        ({"identity": 5}, "identity"),
        ({"identity": "S1", "site_uuid": "nowhere"}, "site_uuid"),
    ],
)
async def test_what_cannot_be_registered_is_refused(
    live: Live, body: dict[str, Any], field: str
) -> None:
    await live.station("taken", serial_number="sn-1")
    answer = await live.ok("POST", CHARGERS, 422, json=body)

    assert (answer["message"], list(answer["errors"])) == ("The given data was invalid.", [field])
    assert (await live.ok("GET", CHARGERS))["meta"]["total"] == 1


async def test_the_same_key_registers_once(live: Live) -> None:
    headers = {"Idempotency-Key": "k"}
    first, again = [
        await live.ok("POST", CHARGERS, 201, json={"identity": "S1"}, headers=headers)
        for _ in range(2)
    ]

    assert first["data"]["uuid"] == again["data"]["uuid"]


async def test_a_bound_token_registers_at_its_own_sites(live: Live) -> None:
    for name in ("Mine", "Other"):
        await live.location(name)
    await live.token("bound", Role.OPERATOR, 1)
    mine, other = [one["uuid"] for one in (await live.ok("GET", "/api/v3/sites"))["data"]]
    for body in ({"identity": "S1"}, {"identity": "S1", "site_uuid": other}):
        answer = await live.ok("POST", CHARGERS, 422, json=body, role="bound")
        assert list(answer["errors"]) == ["site_uuid"]

    body = {"identity": "S1", "site_uuid": mine}
    await live.ok("POST", CHARGERS, 201, json=body, role="bound")


async def test_a_reference_is_set_kept_and_cleared(live: Live) -> None:
    station = await live.station("S1", name="Bay 1")
    path = f"{CHARGERS}/{station.uuid}"
    seen = [
        (await live.ok("PUT", path, json=body, role="operator"))["data"]["reference"]
        for body in ({"reference": "Bay 2"}, {"identity": "other"}, {"reference": None})
    ]

    assert seen == ["Bay 2", "Bay 2", None]
    assert (await live.ok("GET", path))["data"]["identity"] == "S1"
    for wrong in ("x" * 256, 5, "a\0b"):
        answer = await live.ok("PUT", path, 422, json={"reference": wrong})
        assert list(answer["errors"]) == ["reference"]


async def test_a_charger_elsewhere_or_a_viewer_changes_nothing(live: Live) -> None:
    for name in ("Mine", "Other"):
        await live.location(name)
    await live.token("bound", Role.OPERATOR, 1)
    station = await live.station("S1", location_id=2)
    body = {"json": {"reference": "x"}}
    hidden = await live.ok("PUT", f"{CHARGERS}/{station.uuid}", 404, role="bound", **body)

    assert hidden == await live.ok("PUT", f"{CHARGERS}/no-such", 404, role="bound", **body)
    await live.ok("PUT", f"{CHARGERS}/{station.uuid}", 403, role="viewer", **body)
    await live.ok("POST", CHARGERS, 403, role="viewer", json={"identity": "S2"})


async def test_a_charger_that_may_not_connect_is_blocked(live: Live) -> None:
    station = await live.station("S1")
    path = f"{CHARGERS}/{station.uuid}"
    assert not (await live.ok("GET", path))["data"]["blocked"]
    await live.deps.db.write(lambda tx: stations.update(tx, station.id, blocked_at=tx.now))

    assert (await live.ok("GET", path))["data"]["blocked"]
