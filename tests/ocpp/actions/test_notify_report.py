from __future__ import annotations

import json

import pytest

from csms.domain.device_model import Attribute, Characteristics, VariableKey
from csms.domain.lint import Finding, Rule
from csms.domain.multipart import MAX_PARTS, ReportKind, ReportState, state_of
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions.notify_report import on_v2x
from csms.services import device_model
from csms.store import reports, variables

V201, V21 = OcppVersion.V201, OcppVersion.V21


def entry(component="EVSE", variable="Power", value="22000", **more):
    return {
        "component": {"name": component, **more.pop("where", {})},
        "variable": {"name": variable},
        "variableAttribute": [{"value": value}],
        **more,
    }


def message(*entries, seq_no=0, tbc=False, request_id=7):
    return {
        "requestId": request_id,
        "generatedAt": "2026-05-01T11:59:00Z",
        "seqNo": seq_no,
        "tbc": tbc,
        "reportData": list(entries) or [entry()],
    }


@pytest.fixture
def model(db, station):
    async def read(of=station):
        return await db.read(lambda tx: variables.list_of_station(tx, of.station_id))

    return read


@pytest.mark.parametrize("version", [V201, V21])
async def test_a_variable_is_kept_with_all_that_is_said_of_it(station, model, version):
    payload = message(
        {
            "component": {
                "name": "Connector",
                "instance": "left",
                "evse": {"id": 2, "connectorId": 1},
            },
            "variable": {"name": "ACCurrent", "instance": "L1"},
            "variableAttribute": [
                {"type": "MaxSet", "value": "32", "mutability": "ReadOnly", "constant": True},
                {"value": "16", "persistent": True},
            ],
            "variableCharacteristics": {
                "unit": "A",
                "dataType": "decimal",
                "minLimit": 0,
                "maxLimit": 32.5,
                "supportsMonitoring": True,
            },
        }
    )
    assert schemas.is_valid(version, "NotifyReport", "request", payload)
    answer = await on_v2x(station, payload)
    assert schemas.is_valid(version, "NotifyReport", "response", answer)
    (found,) = await model()
    assert found.key == VariableKey(
        component="Connector",
        component_instance="left",
        evse_id=2,
        connector_id=1,
        variable="ACCurrent",
        variable_instance="L1",
    )
    assert found.attributes == (
        Attribute(
            type="Actual", value="16", mutability="ReadWrite", persistent=True, constant=False
        ),
        Attribute(
            type="MaxSet", value="32", mutability="ReadOnly", persistent=False, constant=True
        ),
    )
    assert found.characteristics == Characteristics(
        unit="A", data_type="decimal", min_limit=0.0, max_limit=32.5, supports_monitoring=True
    )


async def test_parts_out_of_order_and_repeated_make_one_report(station, db, model):
    parts = [
        message(entry(variable=f"V{number}"), seq_no=number, tbc=number < 2) for number in range(3)
    ]
    for part in (parts[2], parts[0], parts[0], parts[1], parts[2]):
        assert await on_v2x(station, part) == {}
    (report,) = await db.read(lambda tx: reports.list_of_station(tx, station.station_id))
    assert (report.request_id, report.complete) == (7, True)
    assert [variable.key.variable for variable in await model()] == ["V0", "V1", "V2"]


async def test_a_report_that_is_never_finished_is_partial_and_its_variables_count(
    station, db, model, clock
):
    await on_v2x(station, message(seq_no=3, tbc=True))
    clock.advance(301)
    report = await db.read(
        lambda tx: reports.find_newest(tx, station.station_id, ReportKind.VARIABLES)
    )
    assert state_of(report, clock.now()) is ReportState.PARTIAL
    assert len(await model()) == 1


async def test_the_newest_value_counts_and_names_have_no_case(station, model):
    await on_v2x(station, message(entry("EVSE", "Power", "1")))
    await on_v2x(station, message(entry("evse", "POWER", "2"), request_id=8))
    (found,) = await model()
    assert (found.key.component, found.attributes[0].value) == ("EVSE", "2")


async def test_the_same_name_on_another_evse_is_another_variable(station, model):
    await on_v2x(
        station,
        message(*(entry(where={"evse": {"id": number}}) for number in (1, 2)), entry()),
    )
    assert [variable.key.evse_id for variable in await model()] == [None, 1, 2]


async def test_stations_have_device_models_of_their_own(station, neighbour, model):
    await on_v2x(station, message(entry(value="1")))
    await on_v2x(neighbour, message(entry(value="2")))
    (own,) = await model()
    (other,) = await model(neighbour)
    assert (own.attributes[0].value, other.attributes[0].value) == ("1", "2")


async def test_a_password_that_a_station_tells_is_not_kept(station, model, rows):
    await on_v2x(station, message(entry("SecurityCtrlr", "BasicAuthPassword", "hunter2")))
    (found,) = await model()
    assert found.attributes[0].value is None
    everything = json.dumps(
        [await rows("SELECT * FROM report_parts"), await rows("SELECT * FROM variable_attributes")]
    )
    assert "hunter2" not in everything


async def test_a_station_cannot_make_us_keep_more_variables_than_any_has(
    station, model, monkeypatch
):
    monkeypatch.setattr(device_model, "MAX_VARIABLES", 2)
    await on_v2x(station, message(*(entry(variable=f"V{number}") for number in range(3))))
    await on_v2x(station, message(entry(variable="V1", value="new"), request_id=8))
    assert [variable.attributes[0].value for variable in await model()] == ["22000", "new"]


async def test_nonsense_is_stored_and_answered(station, db, model):
    flawed = (
        {},
        {"requestId": "x", "seqNo": None, "reportData": 5},
        message({"component": 1}, {"variable": {"name": "V"}}, entry(where={"evse": "1"})),
        message(
            entry(variableCharacteristics=[], variable="Odd"),
            {**entry(variable="Listless"), "variableAttribute": {"value": 5, "constant": "yes"}},
            request_id=9,
        ),
    )
    for payload in flawed:
        assert await on_v2x(station, payload) == {}
    assert [(v.key.variable, v.attributes[0].value) for v in await model()] == [
        ("Listless", "5"),
        ("Odd", "22000"),
        ("Power", "22000"),
    ]
    assert len(await db.read(lambda tx: reports.list_of_station(tx, station.station_id))) == 4


async def test_a_part_with_a_nonsensical_number_counts_and_is_a_finding(station, model):
    await on_v2x(station, message(entry(), seq_no=MAX_PARTS))
    assert len(await model()) == 1
    assert station.findings == [Finding(Rule.TOO_LARGE, "seqNo")]
