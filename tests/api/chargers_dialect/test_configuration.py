"""Settings are read and changed."""

from __future__ import annotations

from typing import Any

from csms.api.chargers_dialect.configuration import ConfigurationAnswer, ConfigurationList
from csms.domain.device_model import Attribute, Variable, VariableKey
from csms.domain.permissions import Role
from csms.domain.versions import OcppVersion
from csms.services import device_model
from tests.api.live import Live


def obedient(call: Any) -> dict[str, Any]:
    """A station that has two settings, of which one is read-only."""
    if call.action == "GetConfiguration":
        keys = {"HeartbeatInterval": "300", "NumberOfConnectors": "2"}
        wanted = call.payload.get("key") or list(keys)
        known = [{"key": k, "readonly": False, "value": keys[k]} for k in wanted if k in keys]
        return {"configurationKey": known, "unknownKey": [k for k in wanted if k not in keys]}
    if call.action == "ChangeConfiguration":
        known = call.payload["key"] in {"HeartbeatInterval", "Fast"}
        return {"status": "Accepted" if known else "Rejected"}
    results = [
        {
            "component": one["component"],
            "variable": one["variable"],
            "attributeStatus": "RebootRequired",
        }
        for one in call.payload["setVariableData"]
    ]
    return {"setVariableResult": results}


async def change(live: Live, charger_id: str, status: int = 202, **settings: Any) -> Any:
    body = {"target": {"charger_id": charger_id}, "event": {"configuration": settings}}
    return await live.ok("POST", "/ocpp/commands/configuration", status, json=body)


async def test_settings_are_changed_each_on_its_own(live: Live) -> None:
    station = await live.station("S1")
    live.hub.automatic = obedient
    live.hub.connect(station.id)
    answer = await change(live, station.uuid, HeartbeatInterval="60", Nothing="1", Fast="1")

    ConfigurationAnswer.model_validate(answer)
    assert answer == {
        "status": "Rejected",
        "configured": ["HeartbeatInterval", "Fast"],
        "msg": "2 of 3 settings were taken. Nothing: Rejected",
    }
    assert [call.payload for call in live.hub.calls] == [
        {"key": "HeartbeatInterval", "value": "60"},
        {"key": "Nothing", "value": "1"},
        {"key": "Fast", "value": "1"},
    ]


async def test_a_key_of_2_x_names_component_and_variable(live: Live) -> None:
    station = await live.station("S1")
    live.hub.versions[station.id] = OcppVersion.V201
    live.hub.automatic = obedient
    live.hub.connect(station.id)
    settings = {"HeartbeatInterval": "60", "A[b]#1.2.C[d]": "x", "SampledDataCtrlr.TxInterval": "5"}
    answer = await change(live, station.uuid, **settings)
    assert (answer["status"], answer["configured"]) == ("RebootRequired", list(settings))
    other = await change(live, station.uuid, Nothing="1")
    assert (other["status"], other["configured"]) == ("NotSupported", [])
    path = f"/ocpp/chargers/{station.uuid}/configuration"
    found = await live.ok("GET", f"{path}?keys=heartbeatinterval,A[b]%231.2.C[d]")
    assert found["configuration"] == [
        {"key": "heartbeatinterval", "value": "60"},
        {"key": "A[b]#1.2.C[d]", "value": "x"},
    ]
    assert len((await live.ok("GET", path))["configuration"]) == 3
    sent = [call.payload["setVariableData"][0] for call in live.hub.calls]
    assert [(one["component"], one["variable"]) for one in sent] == [
        ({"name": "OCPPCommCtrlr"}, {"name": "HeartbeatInterval"}),
        (
            {"name": "A", "instance": "b", "evse": {"id": 1, "connectorId": 2}},
            {"name": "C", "instance": "d"},
        ),
        ({"name": "SampledDataCtrlr"}, {"name": "TxInterval"}),
    ]


async def test_what_cannot_be_changed_is_refused_before_anything_is_sent(live: Live) -> None:
    station = await live.station("S1")
    assert await change(live, station.uuid, 409, A="1") == {"detail": "The charger is offline."}
    live.hub.connect(station.id)
    secret = await change(live, station.uuid, 422, A="1", AuthorizationKey="hunter2hunter2hunter2")
    assert "credentials/rotate" in secret["detail"][0]["msg"]
    await change(live, station.uuid, 422)
    await change(live, station.uuid, 422, A=5)
    await change(live, station.uuid, 422, A="\0")
    await change(live, "x", 404, A="1")
    body = {"target": {"charger_id": station.uuid}, "event": {"configuration": {"A": "1"}}}
    await live.ok("POST", "/ocpp/commands/configuration", 403, json=body, role="viewer")
    assert live.hub.calls == []


async def test_a_charger_is_asked_once_for_what_is_not_known(live: Live) -> None:
    station = await live.station("S1")
    live.hub.automatic = obedient
    live.hub.connect(station.id)
    path = f"/ocpp/chargers/{station.uuid}/configuration"
    found = await live.ok("GET", path)

    ConfigurationList.model_validate(found)
    assert found == {
        "configuration": [
            {"key": "HeartbeatInterval", "value": "300"},
            {"key": "NumberOfConnectors", "value": "2"},
        ]
    }
    chosen = await live.ok("GET", f"{path}?keys=numberofconnectors,%20HeartbeatInterval")
    assert [one["value"] for one in chosen["configuration"]] == ["2", "300"]
    assert [call.payload for call in live.hub.calls] == [{}]
    assert await live.ok("GET", f"{path}?keys=Nothing") == {"configuration": []}
    assert [call.payload for call in live.hub.calls] == [{}, {"key": ["Nothing"]}]


async def test_who_may_not_send_commands_reads_what_is_known(live: Live) -> None:
    station = await live.station("S1")
    live.hub.connect(station.id)
    path = f"/ocpp/chargers/{station.uuid}/configuration"
    assert await live.ok("GET", path, role="viewer") == {"configuration": []}
    told = Variable(
        VariableKey(component="A", component_instance="b", evse_id=1, variable="C"),
        (Attribute(value="x"), Attribute(type="Target", value="y")),
    )
    await live.deps.db.write(lambda tx: device_model.record(tx, station.id, [told]))
    found = await live.ok("GET", path, role="viewer")
    assert found == {"configuration": [{"key": "A[b]#1.C", "value": "x"}]}
    await live.location()
    await live.token("bound", Role.OPERATOR, 1)
    await live.ok("GET", path, 404, role="bound")
    assert await live.ok("GET", f"{path}?unknown=1", role="viewer") == found
    assert live.hub.calls == []


async def test_a_charger_that_does_not_answer_is_read_as_it_is_known(live: Live) -> None:
    station = await live.station("S1")
    live.hub.automatic = lambda call: live.hub.drop(station.id)
    live.hub.connect(station.id)
    path = f"/ocpp/chargers/{station.uuid}/configuration"
    assert await live.ok("GET", path) == {"configuration": []}
