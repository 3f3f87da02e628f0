"""Each command: its encoding for each version, its class, and how its answer is read."""

from __future__ import annotations

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import COMMANDS, parameters, typed
from csms.ocpp.commands.command import Answer, Order

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("reset", {}, Order("Reset", {"type": "Soft"})),
        ("reset", {"type": "immediate"}, Order("Reset", {"type": "Soft"})),
        ("reset", {"force": True}, Order("Reset", {"type": "Hard"})),
        (
            "change_availability",
            {"operational_status": "Inoperative"},
            Order("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ),
        (
            "change_availability",
            {"operational_status": "Operative", "evse_id": 2},
            Order("ChangeAvailability", {"connectorId": 2, "type": "Operative"}),
        ),
        (
            "set_variables",
            {"variables": [{"variable": "MeterValueSampleInterval", "value": "30"}]},
            Order("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"}),
        ),
        (
            "set_variables",
            {
                "variables": [
                    {
                        "component": "SampledDataCtrlr",
                        "variable": "TxUpdatedInterval",
                        "value": "30",
                    }
                ]
            },
            Order("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"}),
        ),
        (
            "set_variables",
            {"variables": [{"variable": "A", "value": "1"}, {"variable": "B", "value": "2"}]},
            Order(
                "ChangeConfiguration",
                {"key": "A", "value": "1"},
                then=(Order("ChangeConfiguration", {"key": "B", "value": "2"}),),
            ),
        ),
        ("get_variables", {}, Order("GetConfiguration", {})),
        (
            "get_variables",
            {
                "variables": [
                    {"variable": "X"},
                    {"component": "txctrlr", "variable": "EVConnectionTimeOut"},
                ]
            },
            Order("GetConfiguration", {"key": ["X", "ConnectionTimeOut"]}),
        ),
        ("clear_cache", {}, Order("ClearCache", {})),
        (
            "trigger_message",
            {"requested_message": "LogStatusNotification"},
            Order("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"}),
        ),
        (
            "trigger_message",
            {"requested_message": "MeterValues", "evse_id": 1},
            Order("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
        ),
        (
            "trigger_message",
            {"requested_message": "SignChargingStationCertificate"},
            Order("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}),
        ),
        ("unlock_connector", {"evse_id": 3}, Order("UnlockConnector", {"connectorId": 3})),
        (
            "request_start_transaction",
            {"id_token": "ABC", "evse_id": 1},
            Order("RemoteStartTransaction", {"idTag": "ABC", "connectorId": 1}),
        ),
        (
            "request_start_transaction",
            {"id_token": "ABC"},
            Order("RemoteStartTransaction", {"idTag": "ABC"}),
        ),
        (
            "request_stop_transaction",
            {"transaction_id": "123"},
            Order("RemoteStopTransaction", {"transactionId": 123}),
        ),
        (
            "data_transfer",
            {"vendor_id": "acme", "message_id": "ping", "data": ""},
            Order("DataTransfer", {"vendorId": "acme", "messageId": "ping", "data": ""}),
        ),
        ("data_transfer", {"vendor_id": "acme"}, Order("DataTransfer", {"vendorId": "acme"})),
    ],
)
def test_encodes_for_1_6(name, values, expected):
    assert typed(V16, name, values) == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reset", {"type": "on_idle"}),
        ("reset", {"type": "immediate_and_resume"}),
        ("reset", {"evse_id": 1}),
        ("trigger_message", {"requested_message": "TransactionEvent"}),
        ("get_variables", {"variables": [{"variable": "A", "attribute": "MaxSet"}]}),
        ("get_variables", {"variables": [{"variable": "A", "variable_instance": "B"}]}),
        ("get_variables", {"variables": [{"variable": "A", "evse_id": 1}]}),
        ("set_variables", {"variables": [{"variable": "A", "value": "x" * 501}]}),
        ("data_transfer", {"vendor_id": "v", "data": {"a": 1}}),
        ("cost_updated", {"transaction_id": "t", "total_cost": 1}),
        ("set_variables", {"variables": [{"component": "X", "variable": "A", "value": "1"}]}),
        ("unlock_connector", {"evse_id": 1, "connector_id": 2}),
        (
            "change_availability",
            {"operational_status": "Operative", "evse_id": 1, "connector_id": 2},
        ),
        ("request_start_transaction", {"id_token": "x" * 21}),
        ("request_stop_transaction", {"transaction_id": "abc"}),
        ("request_stop_transaction", {"transaction_id": "1" * 19}),
        ("request_stop_transaction", {"transaction_id": "-"}),
    ],
)
def test_refuses_what_1_6_cannot_express(name, values):
    with pytest.raises(NotSupportedByVersion):
        typed(V16, name, values)


@pytest.mark.parametrize(
    ("name", "values", "loc"),
    [
        ("reset", {"type": "Immediate"}, ("type",)),
        ("reset", {"force": 1}, ("force",)),
        ("reset", {"now": True}, ("now",)),
        ("reset", [], ()),
        ("unlock_connector", {}, ("evse_id",)),
        ("unlock_connector", {"evse_id": 0}, ("evse_id",)),
        ("unlock_connector", {"evse_id": True}, ("evse_id",)),
        ("unlock_connector", {"evse_id": 2**31}, ("evse_id",)),
        ("set_variables", {"variables": []}, ("variables",)),
        ("set_variables", {"variables": "all"}, ("variables",)),
        ("set_variables", {"variables": [{"variable": "A"}]}, ("variables", 0, "value")),
        ("get_variables", {"variables": [{"variable": "x" * 51}]}, ("variables", 0, "variable")),
        ("request_start_transaction", {"id_token": ""}, ("id_token",)),
        ("data_transfer", {"vendor_id": 1}, ("vendor_id",)),
        (
            "change_availability",
            {"operational_status": "Operative", "connector_id": 1},
            ("connector_id",),
        ),
        (
            "get_variables",
            {"variables": [{"variable": "x", "connector_id": 1}]},
            ("variables", 0, "connector_id"),
        ),
        ("trigger_message", {"requested_message": "CustomTrigger"}, ("custom_trigger",)),
        (
            "trigger_message",
            {"requested_message": "Heartbeat", "custom_trigger": "x"},
            ("custom_trigger",),
        ),
        (
            "request_start_transaction",
            {"id_token": "A", "remote_start_id": -1},
            ("remote_start_id",),
        ),
        ("cost_updated", {"transaction_id": "t", "total_cost": "1"}, ("total_cost",)),
    ],
)
def test_refuses_a_bad_parameter_with_its_path(name, values, loc):
    with pytest.raises(Invalid) as refusal:
        typed(V16, name, values)
    assert refusal.value.loc == loc


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reset", {"force": True}),
        ("get_variables", {"variables": [{"variable": "A"}]}),
        ("change_availability", {"operational_status": "Operative", "evse_id": 2}),
        ("clear_cache", {}),
    ],
)
def test_parameters_survive_the_journey_through_json(name, values):
    params = parameters.parse(COMMANDS[name].params, values)
    assert parameters.dump(params) == values


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("change_availability", CommandClass.A),
        ("clear_cache", CommandClass.A),
        ("cost_updated", CommandClass.A),
        ("data_transfer", CommandClass.C),
        ("get_transaction_status", CommandClass.A),
        ("get_variables", CommandClass.A),
        ("request_start_transaction", CommandClass.C),
        ("request_stop_transaction", CommandClass.B),
        ("reset", CommandClass.C),
        ("set_network_profile", CommandClass.A),
        ("set_variables", CommandClass.A),
        ("trigger_message", CommandClass.A),
        ("unlock_connector", CommandClass.C),
    ],
)
def test_the_class_says_what_may_follow_a_lost_answer(name, expected):
    assert expected is COMMANDS[name].command_class


def test_a_data_transfer_is_repeated_only_when_its_sender_allows_it():
    command = COMMANDS["data_transfer"]
    values = {"vendor_id": "v", "repeatable": True}
    assert command.class_of(parameters.parse(command.params, values)) is CommandClass.A
    assert command.class_of(command.params(vendor_id="v")) is CommandClass.C


@pytest.mark.parametrize(
    ("name", "payload", "accepted"),
    [
        ("reset", {"status": "Accepted"}, True),
        ("reset", {"status": "Rejected"}, False),
        ("change_availability", {"status": "Scheduled"}, True),
        ("set_variables", {"status": "RebootRequired"}, True),
        ("set_variables", {"status": "NotSupported"}, False),
        ("unlock_connector", {"status": "Unlocked"}, True),
        ("unlock_connector", {"status": "UnlockFailed"}, False),
        ("trigger_message", {"status": "NotImplemented"}, False),
        ("data_transfer", {"status": "UnknownVendorId"}, False),
        ("request_stop_transaction", {"status": "Rejected"}, False),
    ],
)
def test_reads_the_word_of_the_station(name, payload, accepted):
    assert COMMANDS[name].read(payload) == Answer(accepted, payload["status"], payload)


def test_an_answer_without_a_status_is_accepted():
    payload = {"configurationKey": [], "unknownKey": ["X"]}
    assert COMMANDS["get_variables"].read(payload) == Answer(True, None, payload)


def test_a_repeated_stop_that_finds_no_transaction_has_worked_before():
    answer = COMMANDS["request_stop_transaction"].read_repeat({"status": "Rejected"})
    assert answer == Answer(True, "Rejected", {"status": "Rejected"})


def test_a_repeat_of_anything_else_is_read_as_usual():
    assert not COMMANDS["set_variables"].read_repeat({"status": "Rejected"}).accepted


@pytest.mark.parametrize(
    ("name", "expected"),
    [("request_stop_transaction", True), ("cost_updated", True), ("reset", False)],
)
def test_what_names_a_transaction_is_for_a_single_station(name, expected):
    assert expected is COMMANDS[name].single_target


def test_a_bulk_reset_goes_out_at_twenty_a_second():
    assert COMMANDS["reset"].rate_per_min == 20 * 60
