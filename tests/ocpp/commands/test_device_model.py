"""Commands about the device model and its monitors: encodings, answers and what they leave."""

from __future__ import annotations

import json

import pytest

from csms.domain.device_model import Monitor, VariableKey
from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import COMMANDS, typed
from csms.services import device_model
from csms.store import reports, stations, variable_monitors, variables

V16, V201, V21 = OcppVersion
POWER = VariableKey(component="EVSE", variable="Power", evse_id=1)
ON_THE_WIRE = {
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "variable": {"name": "Power"},
}
WANTED = {
    "component": "EVSE",
    "evse_id": 1,
    "variable": "Power",
    "type": "UpperThreshold",
    "value": 11000,
    "severity": 4,
}
SENT = {**ON_THE_WIRE, "type": "UpperThreshold", "value": 11000, "severity": 4}


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))


@pytest.fixture
def settle(db, station):
    async def run(name, payload, answer, *, of=station):
        command = COMMANDS[name]
        read = command.read(answer)
        await db.write(lambda tx: command.settled(tx, of.id, payload, read))

    return run


@pytest.fixture
def monitors(db, station):
    async def read():
        return await db.read(lambda tx: variable_monitors.list_of_station(tx, station.id))

    return read


@pytest.fixture
async def two_monitors(db, station):
    told = [
        Monitor(1, POWER, "UpperThreshold", 1.0, 4, in_transaction=False, origin="CustomMonitor"),
        Monitor(2, POWER, "Delta", 1.0, 4, in_transaction=False, origin="PreconfiguredMonitor"),
    ]
    await db.write(lambda tx: device_model.record_monitors(tx, station.id, told))


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize(
    ("name", "values", "payload"),
    [
        ("get_base_report", {}, {"requestId": 7, "reportBase": "FullInventory"}),
        (
            "get_base_report",
            {"report_base": "SummaryInventory"},
            {"requestId": 7, "reportBase": "SummaryInventory"},
        ),
        ("get_report", {}, {"requestId": 7}),
        (
            "get_report",
            {
                "variables": [
                    {"component": "EVSE"},
                    {
                        "component": "Connector",
                        "component_instance": "left",
                        "evse_id": 2,
                        "connector_id": 1,
                        "variable": "ACCurrent",
                        "variable_instance": "L1",
                    },
                ],
                "criteria": ["Problem"],
            },
            {
                "requestId": 7,
                "componentVariable": [
                    {"component": {"name": "EVSE"}},
                    {
                        "component": {
                            "name": "Connector",
                            "instance": "left",
                            "evse": {"id": 2, "connectorId": 1},
                        },
                        "variable": {"name": "ACCurrent", "instance": "L1"},
                    },
                ],
                "componentCriteria": ["Problem"],
            },
        ),
        ("get_monitoring_report", {}, {"requestId": 7}),
        (
            "get_monitoring_report",
            {"variables": [{"component": "EVSE"}], "criteria": ["DeltaMonitoring"]},
            {
                "requestId": 7,
                "componentVariable": [{"component": {"name": "EVSE"}}],
                "monitoringCriteria": ["DeltaMonitoring"],
            },
        ),
    ],
)
def test_asks_for_a_report(version, name, values, payload):
    order = typed(version, name, {**values, "request_id": 7})
    assert order.payload == payload


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize(
    ("name", "values", "payload"),
    [
        (
            "set_monitoring_base",
            {"monitoring_base": "FactoryDefault"},
            {"monitoringBase": "FactoryDefault"},
        ),
        ("set_monitoring_level", {"severity": 0}, {"severity": 0}),
        ("clear_variable_monitoring", {"ids": [1, 2]}, {"id": [1, 2]}),
        ("set_variable_monitoring", {"monitors": [WANTED]}, {"setMonitoringData": [SENT]}),
        (
            "set_variable_monitoring",
            {"monitors": [{**WANTED, "id": 3, "in_transaction": True}]},
            {"setMonitoringData": [{**SENT, "id": 3, "transaction": True}]},
        ),
    ],
)
def test_sets_and_clears_monitors(version, name, values, payload):
    assert typed(version, name, values).payload == payload


def test_2_1_has_targets_and_streams():
    target = {**WANTED, "type": "TargetDelta"}
    stream = {**WANTED, "event_stream": {"interval_s": 60, "values": 5}}
    values = {"monitors": [target, stream]}
    sent = typed(V21, "set_variable_monitoring", values).payload["setMonitoringData"]
    assert sent[0]["type"] == "TargetDelta"
    assert sent[1]["periodicEventStream"] == {"interval": 60, "values": 5}
    for monitor in (target, stream):
        with pytest.raises(NotSupportedByVersion):
            typed(V201, "set_variable_monitoring", {"monitors": [monitor]})


@pytest.mark.parametrize(
    "name",
    [
        "clear_variable_monitoring",
        "get_base_report",
        "get_monitoring_report",
        "get_report",
        "set_monitoring_base",
        "set_monitoring_level",
        "set_variable_monitoring",
    ],
)
def test_1_6_has_no_device_model(name):
    values = {
        "clear_variable_monitoring": {"ids": [1]},
        "set_monitoring_base": {"monitoring_base": "All"},
        "set_monitoring_level": {"severity": 1},
        "set_variable_monitoring": {"monitors": [WANTED]},
    }.get(name, {})
    with pytest.raises(NotSupportedByVersion):
        typed(V16, name, values)


@pytest.mark.parametrize(
    ("name", "values", "loc"),
    [
        (
            "get_report",
            {"variables": [{"component": "EVSE", "variable_instance": "L1"}]},
            ("variables", 0, "variable_instance"),
        ),
        (
            "get_report",
            {"variables": [{"component": "EVSE", "connector_id": 1}]},
            ("variables", 0, "connector_id"),
        ),
        ("set_monitoring_level", {"severity": 10}, ("severity",)),
        ("clear_variable_monitoring", {"ids": []}, ("ids",)),
        (
            "set_variable_monitoring",
            {"monitors": [{**WANTED, "variable": None}]},
            ("monitors", 0, "variable"),
        ),
    ],
)
def test_what_is_wrong_in_every_version_is_refused_with_its_place(name, values, loc):
    with pytest.raises(Invalid) as refusal:
        typed(V21, name, values)
    assert refusal.value.loc == loc


def test_each_part_of_a_report_request_has_an_id_of_its_own():
    part = COMMANDS["get_report"].batches["GetReport"].part
    sent = {"requestId": 2**31 - 1, "componentVariable": []}
    assert [part(sent, number, 2)["requestId"] for number in (0, 1)] == [2**31 - 1, 0]


# ---- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("get_base_report", "EmptyResultSet"),
        ("get_charging_profiles", "NoProfiles"),
        ("get_der_control", "NotFound"),
        ("get_display_messages", "Unknown"),
        ("get_installed_certificate_ids", "NotFound"),
        ("get_monitoring_report", "EmptyResultSet"),
        ("get_report", "EmptyResultSet"),
        ("get_tariffs", "NoTariff"),
    ],
)
def test_nothing_to_report_is_an_answer(name, word):
    read = COMMANDS[name].read
    assert read({"status": "Accepted"}).accepted
    assert read({"status": word}).accepted
    assert not read({"status": "NotSupported"}).accepted
    assert not read({}).accepted


@pytest.mark.parametrize(
    ("words", "accepted", "status"),
    [
        (["Accepted"], True, "Accepted"),
        (["Accepted", "Duplicate"], False, "Duplicate"),
        (["Duplicate", "UnknownVariable"], False, "UnknownVariable"),
    ],
)
def test_one_refused_monitor_is_a_refusal(words, accepted, status):
    command = COMMANDS["set_variable_monitoring"]
    answer = {"setMonitoringResult": [{"status": word} for word in words]}
    read = command.read(answer)
    assert (read.accepted, read.status) == (accepted, status)
    assert command.read_repeat(answer).accepted == (accepted or status == "Duplicate")


def test_a_repeated_clear_that_finds_nothing_has_worked_before():
    command = COMMANDS["clear_variable_monitoring"]
    answer = {"clearMonitoringResult": [{"id": 1, "status": "NotFound"}]}
    assert command.class_of(None) is CommandClass.B
    assert not command.read(answer).accepted
    assert command.read_repeat(answer).accepted


# ---- consequences ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("get_base_report", ReportKind.VARIABLES),
        ("get_report", ReportKind.VARIABLES),
        ("get_monitoring_report", ReportKind.MONITORS),
    ],
)
async def test_an_accepted_request_expects_its_report(db, station, settle, name, kind):
    for status in ("Rejected", "EmptyResultSet"):
        await settle(name, {"requestId": 7}, {"status": status})
    assert await db.read(lambda tx: reports.find_newest(tx, station.id, kind)) is None
    await settle(name, {"requestId": 7}, {"status": "Accepted"})
    found = await db.read(lambda tx: reports.find_newest(tx, station.id, kind))
    assert (found.request_id, found.requested_at is None) == (7, False)
    assert json.loads(found.request) == {"requestId": 7}


@pytest.mark.usefixtures("two_monitors")
async def test_without_any_monitor_to_report_there_is_none(settle, monitors):
    answer = {"status": "EmptyResultSet"}
    criteria = {"monitoringCriteria": ["DeltaMonitoring"]}
    await settle("get_monitoring_report", {"requestId": 7, **criteria}, answer)
    assert len(await monitors()) == 2
    await settle("get_monitoring_report", {"requestId": 7}, answer)
    assert await monitors() == []


async def test_monitors_that_were_set_are_known_by_the_ids_of_the_station(settle, monitors):
    named = {**ON_THE_WIRE, "component": {"name": "evse", "evse": {"id": 1}}}
    await settle(
        "set_variable_monitoring",
        {"setMonitoringData": [SENT, {**SENT, "type": "Delta", "transaction": True, "id": 4}]},
        {
            "setMonitoringResult": [
                {**named, "status": "Accepted", "id": 4, "type": "Delta", "severity": 4},
                {**named, "status": "Accepted", "id": 9, "type": "UpperThreshold", "severity": 4},
                {**named, "status": "Rejected", "type": "UpperThreshold", "severity": 4},
            ]
        },
    )
    assert [(one.id, one.type, one.value, one.in_transaction) for one in await monitors()] == [
        (4, "Delta", 11000.0, True),
        (9, "UpperThreshold", 11000.0, False),
    ]
    assert [one.origin for one in await monitors()] == [None, "CustomMonitor"]


@pytest.mark.usefixtures("two_monitors")
async def test_cleared_monitors_are_forgotten(settle, monitors):
    await settle(
        "clear_variable_monitoring",
        {"id": [1, 2, 3]},
        {
            "clearMonitoringResult": [
                {"id": 1, "status": "Accepted"},
                {"id": 2, "status": "Rejected"},
                {"id": 3, "status": "NotFound"},
            ]
        },
    )
    assert [one.id for one in await monitors()] == [2]


@pytest.mark.usefixtures("two_monitors")
@pytest.mark.parametrize(
    ("base", "status", "left"),
    [
        ("All", "Accepted", [1, 2]),
        ("FactoryDefault", "Rejected", [1, 2]),
        ("FactoryDefault", "Accepted", [2]),
        ("HardWiredOnly", "Accepted", [2]),
    ],
)
async def test_a_new_base_takes_away_the_monitors_that_were_set(
    settle, monitors, base, status, left
):
    await settle("set_monitoring_base", {"monitoringBase": base}, {"status": status})
    assert [one.id for one in await monitors()] == left


# ---- values that come with answers -----------------------------------------------------------


@pytest.fixture
def value(db, station):
    async def read(component, variable, attribute="Actual", **more):
        key = VariableKey(component=component, variable=variable, **more)
        return await db.read(lambda tx: variables.find_value(tx, station.id, key, attribute))

    return read


async def test_values_that_were_read_are_kept(settle, value):
    result = {**ON_THE_WIRE, "attributeStatus": "Accepted", "attributeValue": "22000"}
    unknown = {
        "attributeStatus": "UnknownVariable",
        "attributeValue": "1",
        "component": {"name": "EVSE"},
        "variable": {"name": "Nothing"},
    }
    await settle(
        "get_variables",
        {},
        {"getVariableResult": [result, {**result, "attributeType": "MaxSet"}, unknown, 5]},
    )
    assert await value("EVSE", "Power", evse_id=1) == "22000"
    assert await value("EVSE", "Power", "MaxSet", evse_id=1) == "22000"
    assert await value("EVSE", "Nothing") is None


async def test_the_configuration_of_1_6_is_a_component_of_its_own(db, station, settle):
    await settle(
        "get_variables",
        {},
        {
            "configurationKey": [
                {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
                {"key": "NumberOfConnectors", "readonly": True, "value": 2},
                {"key": "AuthorizationKey", "readonly": False, "value": "hunter2"},
                {"key": "Empty", "readonly": "no"},
                "nonsense",
            ],
            "unknownKey": ["Foo"],
        },
    )
    found = await db.read(lambda tx: variables.list_of_station(tx, station.id))
    assert {each.key.component for each in found} == {"v16"}
    told = {each.key.variable: each.attributes[0] for each in found}
    assert {name: (one.value, one.mutability) for name, one in told.items()} == {
        "AuthorizationKey": (None, "ReadWrite"),
        "Empty": (None, None),
        "HeartbeatInterval": ("60", "ReadWrite"),
        "NumberOfConnectors": ("2", "ReadOnly"),
    }


async def test_values_that_the_station_took_are_kept(settle, value):
    sent = {**ON_THE_WIRE, "attributeValue": "11000"}
    other = {**sent, "variable": {"name": "Other"}}
    await settle(
        "set_variables",
        {"setVariableData": [sent, other]},
        {
            "setVariableResult": [
                {**other, "attributeStatus": "Rejected"},
                {**sent, "variable": {"name": "POWER"}, "attributeStatus": "RebootRequired"},
            ]
        },
    )
    assert await value("EVSE", "Power", evse_id=1) == "11000"
    assert await value("EVSE", "Other", evse_id=1) is None


@pytest.mark.parametrize(
    ("status", "expected"), [("Accepted", "30"), ("RebootRequired", "30"), ("Rejected", None)]
)
async def test_a_key_that_the_station_took_is_kept(settle, value, status, expected):
    payload = {"key": "HeartbeatInterval", "value": "30"}
    await settle("set_variables", payload, {"status": status})
    assert await value("v16", "heartbeatinterval") == expected


async def test_a_password_that_the_station_took_is_not_kept(settle, value):
    await settle(
        "set_variables", {"key": "WifiPassword", "value": "canary"}, {"status": "Accepted"}
    )
    sent = {"component": {"name": "Wifi"}, "variable": {"name": "WifiPassword"}}
    await settle(
        "set_variables",
        {"setVariableData": [{**sent, "attributeValue": "canary"}]},
        {"setVariableResult": [{**sent, "attributeStatus": "Accepted"}]},
    )
    assert await value("v16", "WifiPassword") is None
    assert await value("Wifi", "WifiPassword") is None


async def test_a_value_keeps_what_a_report_told_besides(db, station, settle):
    configuration = {"key": "HeartbeatInterval", "readonly": False, "value": "60"}
    await settle("get_variables", {}, {"configurationKey": [configuration]})
    await settle(
        "set_variables", {"key": "HeartbeatInterval", "value": "30"}, {"status": "Accepted"}
    )
    (found,) = await db.read(lambda tx: variables.list_of_station(tx, station.id))
    assert (found.attributes[0].value, found.attributes[0].mutability) == ("30", "ReadWrite")


async def test_values_belong_to_their_station(db, settle, value):
    neighbour = await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-2")))
    payload = {"key": "HeartbeatInterval", "value": "30"}
    await settle("set_variables", payload, {"status": "Accepted"}, of=neighbour)
    assert await value("v16", "HeartbeatInterval") is None
