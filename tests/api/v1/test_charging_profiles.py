"""Charging profiles natively: what a station has, setting, clearing, and its schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.services import locations, stations, tokens

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub

PROFILE = {
    "id": 5,
    "stack_level": 1,
    "purpose": "TxDefaultProfile",
    "kind": "Absolute",
    "schedules": [
        {
            "rate_unit": "A",
            "start_schedule": "2026-05-01T12:00:00Z",
            "periods": [{"start_period_s": 0, "limit": 16}],
        }
    ],
}


@pytest.fixture
async def station(api: Api, hub: ScriptedHub) -> Station:
    made = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    hub.connect(made.id)
    hub.automatic = lambda _: {"status": "Accepted"}
    return made


def path(station: Station, what: str = "charging-profiles") -> str:
    return f"/api/v1/stations/{station.uuid}/{what}"


async def set_profile(
    api: Api, station: Station, body: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    wanted = {"charging_profile": PROFILE, "evse_id": 1} if body is None else body
    response = await api.post(path(station), json=wanted, role="operator")
    return response.status, await response.json()


async def listed(api: Api, station: Station, what: str = "charging-profiles") -> list[Any]:
    response = await api.get(path(station, what), role="viewer")
    assert 200 == response.status
    return (await response.json())["items"]


async def test_a_profile_is_set_and_listed(api: Api, station: Station, hub: ScriptedHub):
    status, made = await set_profile(api, station)
    assert (201, 5, 1, "TxDefaultProfile", "CSO") == (
        status,
        made["profile_id"],
        made["evse_id"],
        made["purpose"],
        made["source"],
    )
    (call,) = hub.calls
    assert ("SetChargingProfile", 1) == (call.action, call.payload["connectorId"])
    assert [made] == await listed(api, station)
    limit = made["schedules"][0]["periods"][0]["limit"]
    assert 16 == limit


async def test_a_refused_profile_is_a_conflict_with_the_answer(
    api: Api, station: Station, hub: ScriptedHub
):
    hub.automatic = lambda _: {"status": "NotSupported"}
    status, answer = await set_profile(api, station)
    assert (409, "rejected") == (status, answer["code"])
    assert [] == await listed(api, station)


async def test_a_cleared_profile_is_gone(api: Api, station: Station, hub: ScriptedHub):
    await set_profile(api, station)
    response = await api.delete(path(station) + "/5", role="operator")
    assert (204, []) == (response.status, await listed(api, station))
    assert {"id": 5} == hub.calls[-1].payload
    assert 404 == (await api.delete(path(station) + "/5")).status
    assert 404 == (await api.delete(path(station) + "/x")).status


async def test_an_offline_station_clears_nothing(api: Api, station: Station, hub: ScriptedHub):
    await set_profile(api, station)
    hub.drop(station.id)
    response = await api.delete(path(station) + "/5")
    assert (409, "station_offline") == (response.status, (await response.json())["code"])
    assert 1 == len(await listed(api, station))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"charging_profile": {**PROFILE, "purpose": "Fast"}}, "/charging_profile/purpose"),
        ({"charging_profile": {**PROFILE, "watts": 1}}, "/charging_profile/watts"),
        ({"charging_profile": {}}, "/charging_profile/id"),
        ({"charging_profile": 5}, "/charging_profile"),
        ({"charging_profile": PROFILE, "evse_id": 0}, "/evse_id"),
        ({"charging_profile": PROFILE, "connector_id": 1}, "/connector_id"),
    ],
)
async def test_a_profile_that_does_not_fit_is_refused(
    api: Api, station: Station, hub: ScriptedHub, body: dict[str, Any], pointer: str
):
    status, answer = await set_profile(api, station, body)
    assert (422, pointer) == (status, answer["errors"][0]["pointer"])
    assert [] == hub.calls


async def test_a_station_works_its_schedule_out_and_it_is_kept(
    api: Api, station: Station, hub: ScriptedHub
):
    schedule = {
        "chargingRateUnit": "A",
        "duration": 600,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}],
    }
    hub.automatic = lambda _: {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-05-01T12:00:00Z",
        "chargingSchedule": schedule,
    }
    response = await api.post(
        path(station, "composite-schedule"),
        json={"duration_s": 600, "evse_id": 1, "rate_unit": "A"},
        role="operator",
    )
    told = await response.json()
    assert (200, 1, "A", 600, "2026-05-01T12:00:00.000000Z") == (
        response.status,
        told["evse_id"],
        told["rate_unit"],
        told["duration_s"],
        told["starts_at"],
    )
    assert [told] == await listed(api, station, "composite-schedule")


async def test_no_schedule_is_a_conflict(api: Api, station: Station, hub: ScriptedHub):
    hub.automatic = lambda _: {"status": "Rejected"}
    response = await api.post(path(station, "composite-schedule"), json={"duration_s": 60})
    assert (409, "rejected") == (response.status, (await response.json())["code"])
    response = await api.post(path(station, "composite-schedule"), json={"duration_s": 0})
    assert 422 == response.status


async def test_an_accepted_question_without_a_schedule_is_not_found(api: Api, station: Station):
    response = await api.post(path(station, "composite-schedule"), json={"duration_s": 60})
    assert 404 == response.status


async def test_roles_and_reach(api: Api, station: Station):
    await set_profile(api, station)
    writes = (
        ("POST", path(station), {"charging_profile": PROFILE}),
        ("DELETE", path(station) + "/5", None),
        ("POST", path(station, "composite-schedule"), {"duration_s": 60}),
    )
    for method, where, body in writes:
        assert 403 == (await api.request(method, where, json=body, role="viewer")).status
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Yard", slug="yard"))
    _, bearer = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=Role.ADMIN, location_ids=frozenset({place.id})
        )
    )
    headers = {"Authorization": f"Bearer {bearer}"}
    reads = (("GET", path(station), None), ("GET", path(station, "composite-schedule"), None))
    for method, where, body in writes + reads:
        response = await api.request(method, where, json=body, role=None, headers=headers)
        assert 404 == response.status
