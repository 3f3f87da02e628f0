"""An order in 1.6 words reaches a 2.x station where it means the same, and nowhere else."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands import in_our_words, raw, typed
from csms.ocpp.variables import key_v16, variable_v2x

V16, V201, V21 = OcppVersion


def on_2x(action, payload):
    """What a 2.x station gets of a raw CALL of 1.6."""
    raw(V16, action, payload)  # which must be one
    name, values = in_our_words(V16, action, payload)
    if name == "request_start_transaction":
        values["remote_start_id"] = 7
    order = typed(V201, name, values)
    assert order == typed(V21, name, values)
    return order.action, order.payload


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("Reset", {"type": "Soft"}, ("Reset", {"type": "Immediate"})),
        (
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
            ("ChangeAvailability", {"operationalStatus": "Inoperative"}),
        ),
        (
            "ChangeAvailability",
            {"connectorId": 2, "type": "Operative"},
            ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 2}}),
        ),
        ("ClearCache", {}, ("ClearCache", {})),
        (
            "DataTransfer",
            {"vendorId": "v", "data": ""},
            ("DataTransfer", {"vendorId": "v", "data": ""}),
        ),
        (
            "ChangeConfiguration",
            {"key": "MeterValueSampleInterval", "value": "30"},
            (
                "SetVariables",
                {
                    "setVariableData": [
                        {
                            "component": {"name": "SampledDataCtrlr"},
                            "variable": {"name": "TxUpdatedInterval"},
                            "attributeValue": "30",
                        }
                    ]
                },
            ),
        ),
        (
            "GetConfiguration",
            {"key": ["ConnectionTimeOut"]},
            (
                "GetVariables",
                {
                    "getVariableData": [
                        {
                            "component": {"name": "TxCtrlr"},
                            "variable": {"name": "EVConnectionTimeOut"},
                        }
                    ]
                },
            ),
        ),
        (
            "RemoteStartTransaction",
            {"idTag": "ABC", "connectorId": 1},
            (
                "RequestStartTransaction",
                {
                    "idToken": {"idToken": "ABC", "type": "ISO14443"},
                    "evseId": 1,
                    "remoteStartId": 7,
                },
            ),
        ),
        (
            "RemoteStopTransaction",
            {"transactionId": 12},
            ("RequestStopTransaction", {"transactionId": "12"}),
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "DiagnosticsStatusNotification"},
            ("TriggerMessage", {"requestedMessage": "LogStatusNotification"}),
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "connectorId": 3},
            (
                "TriggerMessage",
                {"requestedMessage": "StatusNotification", "evse": {"id": 3, "connectorId": 1}},
            ),
        ),
        (
            "ExtendedTriggerMessage",
            {"requestedMessage": "SignChargePointCertificate"},
            ("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}),
        ),
        (
            "UnlockConnector",
            {"connectorId": 2},
            ("UnlockConnector", {"evseId": 2, "connectorId": 1}),
        ),
    ],
)
def test_the_same_meaning_goes_out(action, payload, expected):
    assert expected == on_2x(action, payload)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Reset", {"type": "Hard"}),
        ("ChangeConfiguration", {"key": "BlinkRepeat", "value": "3"}),
        ("ChangeConfiguration", {"key": "StopTransactionOnInvalidId", "value": "true"}),
        ("GetConfiguration", {}),
        ("GetConfiguration", {"key": ["HeartbeatInterval", "GetConfigurationMaxKeys"]}),
        ("TriggerMessage", {"requestedMessage": "StatusNotification"}),
        ("UnlockConnector", {"connectorId": 0}),
        ("UnlockConnector", {"connectorId": -1}),
        ("UnlockConnector", {"connectorId": 2**40}),
    ],
)
def test_what_only_1_6_can_say_is_not_approximated(action, payload):
    with pytest.raises(NotSupportedByVersion):
        on_2x(action, payload)


def test_words_of_2x_are_not_read():
    with pytest.raises(NotSupportedByVersion):
        in_our_words(V201, "Reset", {"type": "Immediate"})


def test_a_remote_start_brings_its_profile():
    payload = {
        "idTag": "A",
        "chargingProfile": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1}],
            },
        },
    }
    _, sent = on_2x("RemoteStartTransaction", payload)
    assert [1] == [schedule["id"] for schedule in sent["chargingProfile"]["chargingSchedule"]]


def test_an_id_is_drawn_for_an_order_that_has_none():
    _, values = in_our_words(V16, "RemoteStartTransaction", {"idTag": "A"})
    assert 0 < values["remote_start_id"] < 2**31


@pytest.mark.parametrize("key", ["HeartbeatInterval", "heartbeatinterval"])
def test_a_key_and_its_variable_are_one(key):
    pair = ("OCPPCommCtrlr", "HeartbeatInterval")
    assert pair == variable_v2x("v16", key)
    assert "HeartbeatInterval" == key_v16(*pair)


def test_a_variable_keeps_the_name_it_was_given():
    assert ("txctrlr", "Foo") == variable_v2x("txctrlr", "Foo")
