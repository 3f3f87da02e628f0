"""The device model natively: what is known, asking for it, and setting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.device_model import Attribute, Characteristics, Variable, VariableKey
from csms.domain.versions import OcppVersion
from csms.services import device_model
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


def path_of(station: Station) -> str:
    return f"/api/v1/stations/{station.uuid}/variables"


async def know(api: Api, station: Station, *names: str, **more: Any) -> None:
    told = [
        Variable(
            VariableKey(component="EVSE", variable=name, **more),
            (Attribute(value="1", mutability="ReadOnly"), Attribute(type="MaxSet", value="9")),
            Characteristics(unit="W", data_type="integer", supports_monitoring=True),
        )
        for name in names
    ]
    await api.deps.db.write(lambda tx: device_model.record(tx, station.id, told))


async def change(api: Api, station: Station, *variables: Any, **more: Any) -> Any:
    body = {"variables": list(variables), **more.pop("body", {})}
    return await api.request("PATCH", path_of(station), json=body, **more)


async def test_a_variable_is_told_with_all_that_is_known(api: Api, station: Station) -> None:
    await know(api, station, "Power", evse_id=1)
    (found,) = await items(api, path_of(station), role="viewer")
    attribute = {
        "type": "Actual",
        "value": "1",
        "mutability": "ReadOnly",
        "persistent": None,
        "constant": None,
        "heard_at": "2026-05-01T12:00:00.000000Z",
    }
    assert found == {
        "component": "EVSE",
        "component_instance": None,
        "evse_id": 1,
        "connector_id": None,
        "variable": "Power",
        "variable_instance": None,
        "attributes": [
            attribute,
            {**attribute, "type": "MaxSet", "value": "9", "mutability": None},
        ],
        "unit": "W",
        "data_type": "integer",
        "min_limit": None,
        "max_limit": None,
        "max_elements": None,
        "values_list": None,
        "supports_monitoring": True,
    }


async def test_the_list_is_narrowed_and_pages_while_more_is_told(
    api: Api, station: Station
) -> None:
    await know(api, station, *"ABC")
    await know(api, station, "D", evse_id=2)

    async def more() -> None:
        await know(api, station, "E")

    found = await all_pages(api, f"{path_of(station)}?limit=2", more)
    assert [one["variable"] for one in found] == list("ABCDE")
    for query, names in (("component=evse&variable=b", ["B"]), ("evse_id=2", ["D"])):
        found = await items(api, f"{path_of(station)}?{query}")
        assert [one["variable"] for one in found] == names
    assert (await api.get(f"{path_of(station)}?evse_id=0")).status == 422


@pytest.mark.parametrize(
    ("version", "action"),
    [(OcppVersion.V16, "GetConfiguration"), (OcppVersion.V21, "GetBaseReport")],
)
async def test_a_refresh_is_a_job(
    api: Api, station: Station, hub: ScriptedHub, version: OcppVersion, action: str
) -> None:
    hub.versions[station.id] = version
    assert (await api.post(f"{path_of(station)}/refresh")).status == 409
    hub.connect(station.id)
    response = await api.post(f"{path_of(station)}/refresh", headers={"Idempotency-Key": "k"})
    assert response.status == 202, await response.text()
    job = await response.json()
    assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    (call,) = await hub.delivered(1)
    assert call.action == action
    again = await api.post(f"{path_of(station)}/refresh", headers={"Idempotency-Key": "k"})
    assert (await again.json())["id"] == job["id"]
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_keys_of_ocpp_16_are_set_one_after_the_other_with_a_result_each(
    api: Api, station: Station, hub: ScriptedHub
) -> None:
    words = {"HeartbeatInterval": "Accepted", "Odd": "NotSupported", "Third": "RebootRequired"}
    hub.connect(station.id)
    hub.automatic = lambda call: {"status": words[call.payload["key"]]}
    response = await change(
        api, station, *({"variable": key, "value": "1"} for key in words), role="operator"
    )
    assert response.status == 200, await response.text()
    told = await response.json()
    assert {one["variable"]: one["status"] for one in told["results"]} == words
    assert told["reboot_required"] is True


async def test_one_key_of_ocpp_16_has_a_result(
    api: Api, station: Station, hub: ScriptedHub
) -> None:
    hub.connect(station.id)
    hub.automatic = lambda call: {"status": "Rejected"}
    response = await change(api, station, {"variable": "Any", "value": "1"})
    (result,) = (await response.json())["results"]
    assert (response.status, result["status"], result["component"]) == (200, "Rejected", "v16")


async def test_variables_of_ocpp_2_are_told_apart_by_name(
    api: Api, station: Station, hub: ScriptedHub
) -> None:
    hub.versions[station.id] = OcppVersion.V201
    hub.connect(station.id)
    hub.automatic = lambda call: {
        "setVariableResult": [
            {**one, "attributeStatus": "Accepted" if one["attributeValue"] == "1" else "Rejected"}
            for one in reversed(call.payload["setVariableData"])
        ]
    }
    name = {"component": "SampledDataCtrlr", "variable": "Interval", "evse_id": 1}
    response = await change(
        api,
        station,
        {**name, "value": "2"},
        {**name, "value": "1", "attribute": "Target"},
        {"variable": "HeartbeatInterval", "value": "1"},
    )
    told = await response.json()
    assert [one["status"] for one in told["results"]] == ["Rejected", "Accepted", "Accepted"]


async def test_what_cannot_be_sent_is_said_as_for_a_command(
    api: Api, station: Station, hub: ScriptedHub
) -> None:
    response = await change(api, station, {"variable": "Any", "value": "1"})
    assert (response.status, (await response.json())["code"]) == (409, "station_offline")


@pytest.mark.parametrize(
    "variable",
    [
        {"variable": "", "value": "1"},
        {"variable": "A", "value": 1},
        {"variable": "A", "value": "1", "what": 1},
        {"variable": "A", "value": "x" * 2501},
        {"variable": "A", "value": "1", "attribute": "Odd"},
        {"variable": "A"},
    ],
)
async def test_a_bad_change_is_refused(
    api: Api, station: Station, hub: ScriptedHub, variable: dict[str, Any]
) -> None:
    hub.connect(station.id)
    assert (await change(api, station, variable)).status == 422
    assert (await change(api, station)).status == 422
    assert hub.calls == []


async def test_who_may_not_does_not(api: Api, station: Station, hub: ScriptedHub) -> None:
    hub.connect(station.id)
    role = await stranger(api)
    variable = {"variable": "A", "value": "1"}
    assert (await api.get(path_of(station), role=role)).status == 404
    for who, status in ((role, 404), ("viewer", 403)):
        assert (await change(api, station, variable, role=who)).status == status
        assert (await api.post(f"{path_of(station)}/refresh", role=who)).status == status
    assert hub.calls == []


async def test_a_key_is_found_by_the_name_that_it_is_set_by(api: Api, station: Station) -> None:
    told = [
        Variable(VariableKey(component=component, variable=name), (Attribute(value="1"),))
        for component, name in (
            ("v16", "HeartbeatInterval"),
            ("v16", "Vendor"),
            ("OCPPCommCtrlr", "Other"),
        )
    ]
    await api.deps.db.write(lambda tx: device_model.record(tx, station.id, told))

    async def found(query: str) -> list[str]:
        return [one["variable"] for one in await items(api, f"{path_of(station)}?{query}")]

    assert await found("component=ocppcommctrlr") == ["HeartbeatInterval", "Other"]
    assert await found("component=OCPPCommCtrlr&variable=heartbeatINTERVAL") == [
        "HeartbeatInterval"
    ]
    assert await found("variable=HeartbeatInterval") == ["HeartbeatInterval"]
    assert await found("component=v16") == ["HeartbeatInterval", "Vendor"]
    assert await found("component=OCPPCommCtrlr&evse_id=1") == []
    assert await found("component=TxCtrlr") == []
