"""Config templates natively: made, changed, given to stations, and told by jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.onboarding import Cause
from csms.domain.permissions import Role, Scope
from csms.events import Event
from csms.services import inbox, tokens
from tests.api.v1.scene import all_pages, items, make_station, stranger
from tests.api.v1.test_job_submit import done, previewed, refusal

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/config-templates"
HEARTBEAT = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"}
OWN_KEY = {"variable": "Brightness", "value": "7", "ocpp_versions": ["1.6"]}
V201 = {"ocpp_versions": ["2.0.1"]}
STREET = {"name": "Street", "variables": [HEARTBEAT, OWN_KEY]}


async def make(api: Api, **more: Any) -> dict[str, Any]:
    response = await api.post(PATH, json={**STREET, **more})
    made: dict[str, Any] = await response.json()
    assert response.status == 201, made
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    return made


async def test_a_template_is_shown_as_it_was_made(api: Api) -> None:
    made = await make(api, description="Beside the road")
    plain = dict.fromkeys(
        ("component_instance", "evse_id", "connector_id", "variable_instance", "ocpp_versions")
    )
    assert [
        {**plain, **HEARTBEAT, "attribute": "Actual"},
        {**plain, **OWN_KEY, "component": "v16", "attribute": "Actual"},
    ] == made["variables"]
    assert ("Street", "Beside the road") == (made["name"], made["description"])
    shown = await (await api.get(f"{PATH}/{made['id']}", role="viewer")).json()
    assert made == shown
    assert [made] == await items(api, PATH)


async def test_what_becomes_of_a_template_is_told(api: Api) -> None:
    told: list[Event] = []
    api.deps.bus.subscribe(Event, told.append)
    made = await make(api)
    path = f"{PATH}/{made['id']}"
    for body in ({}, {"name": "Road"}):
        assert 200 == (await api.request("PATCH", path, json=body)).status
    assert 204 == (await api.delete(path)).status
    about = {"id": made["id"], "kind": "config"}
    assert [
        ("template.created", {**about, "name": "Street"}),
        ("template.updated", {**about, "name": "Road", "changed": ["name"]}),
        ("template.deleted", {**about, "name": "Road"}),
    ] == [(event.type, event.data) for event in told]


async def test_a_change_is_of_what_is_named(api: Api) -> None:
    made = await make(api, description="Beside the road")
    path = f"{PATH}/{made['id']}"
    response = await api.request("PATCH", path, json={"variables": [OWN_KEY], "description": None})
    changed = await response.json()
    assert ("Street", None) == (changed["name"], changed["description"])
    assert ["Brightness"] == [one["variable"] for one in changed["variables"]]
    for wrong in ({"name": None}, {"variables": []}, {"variables": None}, {"settings": []}):
        assert 422 == (await api.request("PATCH", path, json=wrong)).status


async def test_no_two_have_one_name(api: Api) -> None:
    made = await make(api)
    response = await api.post(PATH, json={**STREET, "name": "STREET"})
    assert (409, "name_taken") == (response.status, (await response.json())["code"])
    other = await make(api, name="Garage")
    path = f"{PATH}/{other['id']}"
    assert 409 == (await api.request("PATCH", path, json={"name": "street"})).status
    assert 200 == (await api.request("PATCH", path, json={"name": "GARAGE"})).status
    assert 204 == (await api.delete(f"{PATH}/{made['id']}")).status
    assert 404 == (await api.get(f"{PATH}/{made['id']}")).status
    assert 200 == (await api.request("PATCH", path, json={"name": "street"})).status


async def test_pages_are_in_order_of_creation(api: Api) -> None:
    names = [f"T{number}" for number in range(5)]
    for name in names:
        await make(api, name=name)
    assert names == [one["name"] for one in await all_pages(api, f"{PATH}?limit=2")]


@pytest.mark.parametrize(
    ("variables", "code", "pointer"),
    [
        ([], "invalid", "/variables"),
        ([{**HEARTBEAT, "ocpp_versions": []}], "invalid", "/variables/0/ocpp_versions"),
        ([{**HEARTBEAT, "ocpp_versions": ["1.5"]}], "invalid", "/variables/0/ocpp_versions/0"),
        (
            [{**HEARTBEAT, "ocpp_versions": ["1.6", "1.6"]}],
            "invalid",
            "/variables/0/ocpp_versions",
        ),
        ([HEARTBEAT, HEARTBEAT], "invalid", "/variables/1"),
        (
            [HEARTBEAT, {"variable": "Brightness", "value": "7"}],
            "not_for_every_version",
            "/variables/1",
        ),
        (
            [{"variable": "AuthorizationKey", "value": "x"}],
            "use_credentials_rotate",
            "/variables/0",
        ),
        (
            [{"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "x"}],
            "use_credentials_rotate",
            "/variables/0",
        ),
        (
            [{"variable": "WifiPassword", "value": "x", "ocpp_versions": ["1.6"]}],
            "secret_in_template",
            "/variables/0",
        ),
        ([{**HEARTBEAT, "connector_id": 1}], "invalid", "/variables/0"),
        (
            [
                {"component": "C", "variable": f"V{n}", "value": "x" * 990, **V201}
                for n in range(70)
            ],
            "too_large",
            "/variables",
        ),
    ],
)
async def test_what_cannot_be_told_makes_no_template(
    api: Api, variables: list[Any], code: str, pointer: str
) -> None:
    response = await api.post(PATH, json={"name": "Street", "variables": variables})
    told = await response.json()
    assert (422, code, pointer) == (response.status, told["code"], told["errors"][0]["pointer"])
    assert [] == await items(api, PATH)


async def test_a_token_bound_to_locations_has_none(api: Api) -> None:
    made = await make(api)
    role = await stranger(api)
    path = f"{PATH}/{made['id']}"
    refused = await api.get(PATH, role=role)
    detail = "A token bound to locations has no templates"
    assert (403, detail) == (refused.status, (await refused.json())["detail"])
    assert 403 == (await api.get(path, role=role)).status
    assert 403 == (await api.post(PATH, json={**STREET, "name": "Mine"}, role=role)).status
    assert 403 == (await api.request("PATCH", path, json={"name": "Mine"}, role=role)).status
    assert 403 == (await api.delete(path, role=role)).status
    job = {"kind": "config_template", "target": {"filter": {}}}
    job["spec"] = {"config_template_id": made["id"]}
    assert 403 == (await api.post("/api/v1/jobs", json=job, role=role)).status
    body = {"identity": "CP-1", "config_template": made["id"]}
    assert 403 == (await api.post("/api/v1/stations", json=body, role=role)).status
    assert made == await (await api.get(path)).json()


async def test_a_job_tells_stations_what_they_have_otherwise(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    made = await make(api)
    wanted = {
        "kind": "config_template",
        "target": {"station_ids": [station.uuid]},
        "spec": {"config_template_id": made["id"]},
    }
    preview = await previewed(api, wanted)
    assert ["GetConfiguration", "ChangeConfiguration", "ChangeConfiguration"] == [
        call["action"] for call in preview["versions"][0]["calls"]
    ]
    hub.automatic = lambda call: (
        {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
        if call.action == "GetConfiguration"
        else {"status": "RebootRequired"}
    )
    (item,) = await done(api, wanted)
    assert ("succeeded", "RebootRequired") == (item["state"], item["response_status"])
    assert [
        {**named(HEARTBEAT), "status": "Unchanged"},
        {**named(OWN_KEY), "status": "RebootRequired"},
    ] == item["response"]["results"]


def named(variable: dict[str, Any]) -> dict[str, Any]:
    return {"component": "v16", "attribute": "Actual", "variable": variable["variable"]} | (
        {"component": variable["component"]} if "component" in variable else {}
    )


async def test_a_job_with_a_template_that_is_none_is_refused(api: Api) -> None:
    await make_station(api)
    wanted = {
        "kind": "config_template",
        "target": {"filter": {}},
        "spec": {"config_template_id": "nope"},
    }
    assert (422, "invalid", "/spec/config_template_id") == await refusal(api, wanted)


async def test_a_station_is_given_one_when_it_is_registered(api: Api) -> None:
    made = await make(api)
    body = {"identity": "CP-1", "config_template": made["id"]}
    station = await (await api.post("/api/v1/stations", json=body)).json()
    given = station["config_template"]
    assert (made["id"], "Street", "pending", 0) == (
        given["id"],
        given["name"],
        given["progress"],
        given["rounds"],
    )
    in_use = await api.delete(f"{PATH}/{made['id']}")
    assert (409, "template_in_use") == (in_use.status, (await in_use.json())["code"])
    path = f"/api/v1/stations/{station['id']}"
    response = await api.request("PATCH", path, json={"config_template": None})
    assert (await response.json())["config_template"] is None
    assert 204 == (await api.delete(f"{PATH}/{made['id']}")).status


async def test_a_station_is_given_another_one(api: Api) -> None:
    station = await make_station(api)
    made = await make(api)
    path = f"/api/v1/stations/{station.uuid}"
    response = await api.request("PATCH", path, json={"config_template": made["id"]})
    assert made["id"] == (await response.json())["config_template"]["id"]
    # What is left out stays.
    response = await api.request("PATCH", path, json={"name": "Bay 1"})
    assert made["id"] == (await response.json())["config_template"]["id"]


async def test_a_station_of_the_inbox_is_given_one_as_it_is_accepted(api: Api) -> None:
    made = await make(api)
    await inbox.record(api.deps.db, "CP-1", Cause.UNKNOWN_IDENTITY, "10.0.0.1")
    (entry,) = await items(api, "/api/v1/inbox")
    path = f"/api/v1/inbox/{entry['id']}/accept"
    assert 422 == (await api.post(path, json={"config_template": "nope"})).status
    accepted = await (await api.post(path, json={"config_template": made["id"]})).json()
    (station,) = await items(api, "/api/v1/stations")
    assert accepted["station_id"] == station["id"]
    assert made["id"] == station["config_template"]["id"]


async def test_one_that_is_none_makes_no_station(api: Api) -> None:
    body = {"identity": "CP-1", "config_template": "nope"}
    response = await api.post("/api/v1/stations", json=body)
    told = await response.json()
    assert (422, "/config_template") == (response.status, told["errors"][0]["pointer"])
    assert [] == await items(api, "/api/v1/stations")


async def test_who_may_send_no_commands_gives_none(api: Api) -> None:
    made = await make(api)
    scopes = frozenset({Scope.STATIONS_READ, Scope.STATIONS_WRITE})
    _, api.bearers["writer"] = await api.deps.db.write(
        lambda tx: tokens.create(tx, name="writer", role=Role.OPERATOR, scopes=scopes)
    )
    body = {"identity": "CP-1", "config_template": made["id"]}
    assert 403 == (await api.post("/api/v1/stations", json=body, role="writer")).status
    del body["config_template"]
    response = await api.post("/api/v1/stations", json=body, role="writer")
    path = f"/api/v1/stations/{(await response.json())['id']}"
    change = {"config_template": made["id"]}
    assert 403 == (await api.request("PATCH", path, json=change, role="writer")).status
