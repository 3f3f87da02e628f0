"""The device model of a virtual station of OCPP 2.0.1 and 2.1."""

from __future__ import annotations

from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from csms.fleet.configuration import KNOBS
from tests.fleet.conftest import Bench


@pytest.fixture(params=(OcppVersion.V201, OcppVersion.V21), ids=lambda version: version.value)
def bench(request, clock) -> Bench:
    """A station of two EVSEs, booted."""
    bench = Bench(clock, request.param, connectors=2, vendor="ACME")
    bench.connect()
    return bench


def named(component: str, variable: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"component": {"name": component}, "variable": {"name": variable}}
    if "instance" in more:
        found["variable"]["instance"] = more.pop("instance")
    if "evse" in more:
        found["component"]["evse"] = more.pop("evse")
    return {**found, **more}


def read(bench: Bench, component: str, variable: str, **more: Any) -> tuple[str, str | None]:
    asked = {"getVariableData": [named(component, variable, **more)]}
    (result,) = bench.send("GetVariables", asked)[2]["getVariableResult"]
    return result["attributeStatus"], result.get("attributeValue")


def write(bench: Bench, component: str, variable: str, value: str, **more: Any) -> str:
    asked = {"setVariableData": [named(component, variable, attributeValue=value, **more)]}
    (result,) = bench.send("SetVariables", asked)[2]["setVariableResult"]
    return result["attributeStatus"]


@pytest.mark.parametrize(
    ("component", "variable", "value", "expected"),
    [
        ("OCPPCommCtrlr", "HeartbeatInterval", "60", "Accepted"),
        ("ocppcommctrlr", "heartbeatinterval", "60", "Accepted"),
        ("OCPPCommCtrlr", "HeartbeatInterval", "soon", "Rejected"),
        ("OCPPCommCtrlr", "WebSocketPingInterval", "20", "RebootRequired"),
        ("SampledDataCtrlr", "TxUpdatedMeasurands", "Voltage, SoC", "Accepted"),
        ("SampledDataCtrlr", "TxUpdatedMeasurands", "Temperature", "Rejected"),
        ("TxCtrlr", "TxStartPoint", "EVConnected", "Rejected"),
        ("SecurityCtrlr", "BasicAuthPassword", "short", "Rejected"),
        ("ChargingStation", "Model", "Other", "Rejected"),
        ("OCPPCommCtrlr", "Colour", "red", "UnknownVariable"),
        ("PaintCtrlr", "Colour", "red", "UnknownComponent"),
    ],
)
def test_writes_a_variable_or_says_why_not(bench, component, variable, value, expected):
    assert write(bench, component, variable, value) == expected


def test_a_written_value_is_read_back_and_holds(bench):
    write(bench, "OCPPCommCtrlr", "HeartbeatInterval", "10")
    assert read(bench, "OCPPCommCtrlr", "HeartbeatInterval") == ("Accepted", "10")
    bench.wait(10)
    assert len(bench.said("Heartbeat")) == 1


def test_a_new_password_is_used_for_a_new_connection(bench):
    password = "abcdefghij0123456789abcdefghij0123456789"
    assert write(bench, "SecurityCtrlr", "BasicAuthPassword", password) == "Accepted"
    bench.wait(1)
    assert bench.device.password == password.encode()
    assert bench.device.hangup is not None


def test_a_password_is_never_shown(bench):
    assert read(bench, "SecurityCtrlr", "BasicAuthPassword") == ("Rejected", None)
    bench.send("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    (row,) = [one for one in rows(bench) if one["variable"]["name"] == "BasicAuthPassword"]
    assert row["variableAttribute"] == [
        {"type": "Actual", "mutability": "WriteOnly", "persistent": True}
    ]


@pytest.mark.parametrize(
    ("component", "variable", "more", "expected"),
    [
        ("ChargingStation", "VendorName", {}, ("Accepted", "ACME")),
        ("EVSE", "AvailabilityState", {"evse": {"id": 2}}, ("Accepted", "Available")),
        ("EVSE", "AvailabilityState", {"evse": {"id": 9}}, ("UnknownComponent", None)),
        (
            "Connector",
            "ConnectorType",
            {"evse": {"id": 1, "connectorId": 1}},
            ("Accepted", "cType2"),
        ),
        ("OCPPCommCtrlr", "MessageAttempts", {"instance": "TransactionEvent"}, ("Accepted", "3")),
        ("OCPPCommCtrlr", "MessageAttempts", {}, ("UnknownVariable", None)),
        (
            "OCPPCommCtrlr",
            "HeartbeatInterval",
            {"attributeType": "Target"},
            ("NotSupportedAttributeType", None),
        ),
    ],
)
def test_reads_a_variable_or_says_why_not(bench, component, variable, more, expected):
    assert read(bench, component, variable, **more) == expected


def rows(bench: Bench) -> list[dict[str, Any]]:
    return [row for part in bench.said("NotifyReport") for row in part["reportData"]]


def test_a_full_inventory_comes_in_parts(bench):
    answer = bench.status("GetBaseReport", {"requestId": 3, "reportBase": "FullInventory"})
    assert answer == "Accepted"
    parts = bench.said("NotifyReport")
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    assert {part["requestId"] for part in parts} == {3}
    assert len(parts) > 2
    names = [(str(one["component"]), str(one["variable"])) for one in rows(bench)]
    assert len(names) == len(set(names))
    assert len(names) >= sum(knob.variable is not None for knob in KNOBS)


def test_a_configuration_inventory_holds_what_can_be_set(bench):
    bench.send("GetBaseReport", {"requestId": 3, "reportBase": "ConfigurationInventory"})
    mutabilities = {one["variableAttribute"][0]["mutability"] for one in rows(bench)}
    assert mutabilities == {"ReadWrite", "WriteOnly"}


def test_a_summary_tells_the_availability(bench):
    bench.send("GetBaseReport", {"requestId": 3, "reportBase": "SummaryInventory"})
    components = [one["component"]["name"] for one in rows(bench)]
    assert components == ["ChargingStation", "EVSE", "Connector", "EVSE", "Connector"]


def test_a_report_holds_what_was_asked_for(bench):
    asked = [{"component": {"name": "evse", "evse": {"id": 2}}}]
    assert bench.status("GetReport", {"requestId": 4, "componentVariable": asked}) == "Accepted"
    assert {one["component"]["evse"]["id"] for one in rows(bench)} == {2}
    assert {one["variable"]["name"] for one in rows(bench)} == {"AvailabilityState", "Power"}


@pytest.mark.parametrize(
    "asked",
    [
        {"componentVariable": [{"component": {"name": "Toaster"}}]},
        {"componentCriteria": ["Problem"]},
    ],
)
def test_a_report_of_nothing_is_empty(bench, asked):
    assert bench.status("GetReport", {"requestId": 4, **asked}) == "EmptyResultSet"
    assert bench.said("NotifyReport") == []


def test_a_pending_station_reports_what_it_was_asked_for(clock, bench):
    pending = Bench(clock, bench.version)
    pending.answers["BootNotification"] = {
        **pending.answers["BootNotification"],
        "status": "Pending",
    }
    pending.connect()
    pending.send("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})
    assert [action for action, _ in pending.calls] == ["BootNotification", "NotifyReport"]
