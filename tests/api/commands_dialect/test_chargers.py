"""Chargers and the user of the commands dialect."""

from __future__ import annotations

import orjson

from csms.api.commands_dialect.chargers import CommandsCharger, CommandsChargerList
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
