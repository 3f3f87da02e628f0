"""Charging profile templates natively: made, changed, and set at stations by jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.versions import OcppVersion
from tests.api.v1.scene import items, make_station, stranger
from tests.api.v1.test_charging_profiles import PROFILE
from tests.api.v1.test_job_submit import done, previewed, refusal

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/charging-profile-templates"
NIGHT = {"name": "Night", "charging_profile": PROFILE}


async def make(api: Api, **more: Any) -> dict[str, Any]:
    response = await api.post(PATH, json={**NIGHT, **more})
    made: dict[str, Any] = await response.json()
    assert response.status == 201, made
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    return made


def job(made: dict[str, Any], **more: Any) -> dict[str, Any]:
    spec = {"charging_profile_template_id": made["id"], **more}
    return {"kind": "charging_profile_template", "target": {"filter": {}}, "spec": spec}


async def test_a_template_is_shown_as_it_was_made_and_changed(api: Api) -> None:
    made = await make(api)
    assert ("Night", None, PROFILE) == (
        made["name"],
        made["description"],
        made["charging_profile"],
    )
    assert [made] == await items(api, PATH)
    path = f"{PATH}/{made['id']}"
    other = {**PROFILE, "stack_level": 2}
    changed = await (
        await api.request("PATCH", path, json={"charging_profile": other, "description": "Less"})
    ).json()
    assert ("Night", "Less", other) == (
        changed["name"],
        changed["description"],
        changed["charging_profile"],
    )
    assert 422 == (await api.request("PATCH", path, json={"charging_profile": None})).status
    assert changed == await (await api.get(path)).json()
    assert 204 == (await api.delete(path)).status
    assert [] == await items(api, PATH)


async def test_a_name_may_be_one_of_each_kind(api: Api) -> None:
    await make(api)
    body = {"name": "night", "variables": [{"variable": "HeartbeatInterval", "value": "300"}]}
    response = await api.post("/api/v1/config-templates", json=body)
    assert 201 == response.status
    assert 404 == (await api.get(f"{PATH}/{(await response.json())['id']}")).status
    assert 409 == (await api.post(PATH, json={**NIGHT, "name": "NIGHT"})).status


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"purpose": "TxProfile"}, "/charging_profile/purpose"),
        ({"purpose": "Nonsense"}, "/charging_profile/purpose"),
        ({"stack_level": -1}, "/charging_profile/stack_level"),
        ({"schedules": []}, "/charging_profile/schedules"),
        ({"kind": "Recurring"}, "/charging_profile/recurrency_kind"),
        ({"colour": "red"}, "/charging_profile/colour"),
    ],
)
async def test_what_no_station_may_be_sent_makes_no_template(
    api: Api, change: dict[str, Any], pointer: str
) -> None:
    body = {**NIGHT, "charging_profile": {**PROFILE, **change}}
    response = await api.post(PATH, json=body)
    told = await response.json()
    assert (422, pointer) == (response.status, told["errors"][0]["pointer"])
    assert [] == await items(api, PATH)


async def test_a_job_sets_it_at_stations_of_every_version(api: Api, hub: ScriptedHub) -> None:
    made = await make(api)
    for identity, version in (("CP-1", OcppVersion.V16), ("CP-2", OcppVersion.V201)):
        station = await make_station(api, identity)
        hub.versions[station.id] = version
        hub.connect(station.id)
    preview = await previewed(api, job(made))
    assert ["1.6", "2.0.1"] == [one["ocpp_version"] for one in preview["versions"]]
    hub.automatic = lambda call: {"status": "Accepted"}
    assert ["succeeded", "succeeded"] == [one["state"] for one in await done(api, job(made))]
    assert [(0, 5), (0, 5)] == [
        (call.payload["connectorId"], call.payload["csChargingProfiles"]["chargingProfileId"])
        if "connectorId" in call.payload
        else (call.payload["evseId"], call.payload["chargingProfile"]["id"])
        for call in hub.calls
    ]
    assert [5] == [
        one["profile_id"]
        for one in await items(api, "/api/v1/stations/identity:CP-1/charging-profiles")
    ]
    (shown,) = await items(api, "/api/v1/jobs")
    assert ("charging_profile_template", "set_charging_profile") == (
        shown["kind"],
        shown["command"],
    )


async def test_an_evse_is_the_jobs_choice(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    hub.automatic = lambda call: {"status": "Accepted"}
    await done(api, job(await make(api), evse_id=2))
    assert 2 == hub.calls[0].payload["connectorId"]
    whole = {**PROFILE, "purpose": "ChargingStationMaxProfile"}
    station_max = await make(api, name="Fuse", charging_profile=whole)
    response = await api.post("/api/v1/jobs", json=job(station_max, evse_id=2))
    told = await response.json()
    assert (422, "/spec/evse_id") == (response.status, told["errors"][0]["pointer"])


async def test_one_that_is_none_is_refused(api: Api) -> None:
    await make_station(api)
    body = {"name": "Street", "variables": [{"variable": "HeartbeatInterval", "value": "300"}]}
    other = await (await api.post("/api/v1/config-templates", json=body)).json()
    wanted = job(other)
    assert (422, "invalid", "/spec/charging_profile_template_id") == await refusal(api, wanted)


async def test_a_token_bound_to_locations_has_none(api: Api) -> None:
    made = await make(api)
    role = await stranger(api)
    assert 403 == (await api.get(PATH, role=role)).status
    assert 403 == (await api.post("/api/v1/jobs", json=job(made), role=role)).status
