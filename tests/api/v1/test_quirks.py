"""What is done differently for a station, natively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csms.domain.permissions import Role
from csms.domain.stations import NewStation, Station
from csms.domain.versions import OcppVersion
from csms.errors import CallWithheld
from csms.services import locations, quirks, stations, tokens
from csms.store import stations as store

if TYPE_CHECKING:
    from tests.api.conftest import Api


async def make_station(api: Api, **boot: str) -> Station:
    def make(tx: Any) -> Station:
        station = stations.create(tx, NewStation("CP-1"))
        tx.run(
            "UPDATE stations SET vendor = ?, model = ?, firmware_version = ? WHERE id = ?",
            (boot.get("vendor"), boot.get("model"), boot.get("firmware"), station.id),
        )
        return station

    return await api.deps.db.write(make)


def path(station: Station, tail: str = "") -> str:
    return f"/api/v1/stations/{station.uuid}/quirks{tail}"


async def shown(api: Api, station: Station) -> Any:
    response = await api.get(path(station), role="viewer")
    assert response.status == 200
    return await response.json()


async def test_a_station_nobody_complained_about_has_none(api: Api) -> None:
    station = await make_station(api)
    assert await shown(api, station) == {
        "station_id": station.uuid,
        "flapping": False,
        "settings": {},
        "overrides": {},
        "known": [],
        "fired": [],
        "withheld": [],
    }


async def test_what_is_known_of_its_maker_is_shown_with_its_sources(api: Api) -> None:
    station = await make_station(api, vendor="Autel", model="MaxiChargerAC")
    known = {one["id"]: one for one in (await shown(api, station))["known"]}
    assert set(known) == {"no-upgrade-header", "autel-certificate"}
    assert known["autel-certificate"]["sources"] == ["lbbrhzn/ocpp#2072", "lbbrhzn/ocpp#1599"]
    station = await make_station_like(api, "CP-2", "Grizzl-E")
    hints = {one["id"] for one in (await shown(api, station))["known"]}
    assert "grizzl-e-locked" in hints


async def make_station_like(api: Api, identity: str, vendor: str) -> Station:
    def make(tx: Any) -> Station:
        station = stations.create(tx, NewStation(identity))
        tx.run("UPDATE stations SET vendor = ? WHERE id = ?", (vendor, station.id))
        return station

    return await api.deps.db.write(make)


async def test_what_fired_and_what_is_withheld_is_shown(api: Api) -> None:
    station = await make_station(api)

    def happen(tx: Any) -> None:
        quirks.fire(tx, station.id, "empty-frame", None)
        quirks.fire(tx, station.id, "empty-frame", None)
        quirks.fire(tx, station.id, "operator", "Reset")
        quirks.withhold(tx, station.id, "ClearCache")

    await api.deps.db.write(happen)
    body = await shown(api, station)
    fired = {one["quirk"]: one for one in body["fired"]}
    assert fired["empty-frame"]["connections"] == 2
    assert fired["empty-frame"]["symptom"] == "sends an empty text frame after a pong"
    assert (fired["operator"]["symptom"], fired["operator"]["detail"]) == (None, "Reset")
    assert [one["call"] for one in body["withheld"]] == ["ClearCache"]


async def test_settings_are_replaced_as_a_whole(api: Api) -> None:
    station = await make_station(api, vendor="MENNEKES", model="AMTRON 4Business 720")
    assert (await shown(api, station))["settings"] == {
        "call_timeout_s": 90,
        "trigger_status": True,
    }
    wanted = {"call_timeout_s": 120, "deny": ["Reset"], "response_delay_s": 1}
    response = await api.put(path(station), json={"settings": wanted})
    assert response.status == 200
    body = await response.json()
    assert body["overrides"] == wanted
    assert body["settings"] == {**wanted, "trigger_status": True}
    response = await api.put(path(station), json={"settings": {}})
    assert (await response.json())["overrides"] == {}


async def test_a_setting_that_does_not_exist_is_refused(api: Api) -> None:
    station = await make_station(api)
    for settings in ({"color": "red"}, {"call_timeout_s": 0}, {"profile_kinds": ["Odd"]}):
        response = await api.put(path(station), json={"settings": settings})
        assert response.status == 422
    assert (await shown(api, station))["overrides"] == {}


async def test_a_withheld_call_is_released(api: Api) -> None:
    station = await make_station(api)
    name = "GetConfiguration MeterValuesSampledData"
    await api.deps.db.write(lambda tx: quirks.withhold(tx, station.id, name))
    where = path(station, "/withheld/GetConfiguration%20MeterValuesSampledData")
    assert (await api.delete(where)).status == 204
    assert (await shown(api, station))["withheld"] == []
    assert (await api.delete(where)).status == 404


async def test_another_locations_station_is_not_there(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    station = await make_station(api)
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=Role.OPERATOR, location_ids=frozenset({place.id})
        )
    )
    assert (await api.get(path(station), role="bound")).status == 404
    response = await api.put(path(station), role="bound", json={"settings": {}})
    assert response.status == 404


async def test_what_a_connector_told_before_it_went_away_is_stale(api: Api, hub: Any) -> None:
    station = await make_station(api)

    def tell(tx: Any) -> None:
        tx.run(
            "INSERT INTO connectors (station_id, evse_id, connector_id, status, reported_status,"
            " updated_at) VALUES (?, 1, 1, 'Available', 'Available', ?)",
            (station.id, tx.now),
        )

    await api.deps.db.write(tell)

    async def is_stale() -> bool:
        response = await api.get(f"/api/v1/stations/{station.uuid}")
        return bool((await response.json())["connectors"][0]["stale"])

    assert await is_stale()
    hub.connect(station.id)
    await api.deps.db.write(lambda tx: store.mark_connected(tx, station.id, 1, OcppVersion.V16))
    assert not await is_stale()
    api.deps.clock.advance(1)
    await api.deps.db.write(lambda tx: store.mark_connected(tx, station.id, 1, OcppVersion.V16))
    assert await is_stale()


async def test_a_station_is_held_and_let_go(api: Api) -> None:
    station = await make_station(api)
    for status in ("Pending", "Rejected", "Accepted"):
        changes = {"registration": status}
        response = await api.request("PATCH", f"/api/v1/stations/{station.uuid}", json=changes)
        assert (response.status, (await response.json())["registration"]) == (200, status)


async def test_a_call_that_is_withheld_was_not_sent_and_says_why(api: Api, hub: Any) -> None:
    hub.automatic = lambda _: CallWithheld("it restarts for ever (owner/repository#1)")
    station = await make_station(api)
    hub.connect(station.id)
    response = await api.post(
        f"/api/v1/stations/{station.uuid}/commands", json={"command": "clear_cache"}
    )
    body = await response.json()
    assert (response.status, body["code"], body["state"]) == (422, "call_withheld", "not_sent")
    assert body["detail"] == "it restarts for ever (owner/repository#1)"
