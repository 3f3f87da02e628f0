"""The encodings of OCPP 2.0.1 and 2.1, and what either cannot say."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import raw, typed
from csms.ocpp.commands.command import Order

V201, V21 = OcppVersion.V201, OcppVersion.V21
NETWORK = {
    "configuration_slot": 1,
    "ocpp_csms_url": "wss://csms.example/ocpp",
    "security_profile": 2,
    "ocpp_interface": "Wireless0",
}
CONNECTION = {
    "ocppTransport": "JSON",
    "ocppCsmsUrl": "wss://csms.example/ocpp",
    "messageTimeout": 30,
    "securityProfile": 2,
    "ocppInterface": "Wireless0",
}
HEARTBEAT = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "HeartbeatInterval"},
}
PROFILE = {
    "id": 5,
    "stack_level": 0,
    "purpose": "TxProfile",
    "kind": "Relative",
    "schedules": [{"rate_unit": "A", "periods": [{"start_period_s": 0, "limit": 16}]}],
}


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize(
    ("name", "values", "action", "payload"),
    [
        ("reset", {}, "Reset", {"type": "Immediate"}),
        ("reset", {"type": "on_idle", "evse_id": 2}, "Reset", {"type": "OnIdle", "evseId": 2}),
        (
            "change_availability",
            {"operational_status": "Inoperative"},
            "ChangeAvailability",
            {"operationalStatus": "Inoperative"},
        ),
        (
            "change_availability",
            {"operational_status": "Operative", "evse_id": 1},
            "ChangeAvailability",
            {"operationalStatus": "Operative", "evse": {"id": 1}},
        ),
        (
            "change_availability",
            {"operational_status": "Operative", "evse_id": 1, "connector_id": 2},
            "ChangeAvailability",
            {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 2}},
        ),
        ("clear_cache", {}, "ClearCache", {}),
        (
            "data_transfer",
            {"vendor_id": "acme", "message_id": "m", "data": {"a": [1]}},
            "DataTransfer",
            {"vendorId": "acme", "messageId": "m", "data": {"a": [1]}},
        ),
        ("unlock_connector", {"evse_id": 3}, "UnlockConnector", {"evseId": 3, "connectorId": 1}),
        (
            "get_variables",
            {"variables": [{"variable": "HeartbeatInterval"}]},
            "GetVariables",
            {"getVariableData": [HEARTBEAT]},
        ),
        (
            "get_variables",
            {
                "variables": [
                    {
                        "component": "Connector",
                        "component_instance": "left",
                        "evse_id": 1,
                        "connector_id": 2,
                        "variable": "Current",
                        "variable_instance": "L1",
                        "attribute": "MaxSet",
                    }
                ]
            },
            "GetVariables",
            {
                "getVariableData": [
                    {
                        "component": {
                            "name": "Connector",
                            "instance": "left",
                            "evse": {"id": 1, "connectorId": 2},
                        },
                        "variable": {"name": "Current", "instance": "L1"},
                        "attributeType": "MaxSet",
                    }
                ]
            },
        ),
        (
            "set_variables",
            {
                "variables": [
                    {"variable": "heartbeatinterval", "value": "60"},
                    {"component": "X", "variable": "Y", "value": "", "attribute": "Target"},
                ]
            },
            "SetVariables",
            {
                "setVariableData": [
                    {**HEARTBEAT, "attributeValue": "60"},
                    {
                        "component": {"name": "X"},
                        "variable": {"name": "Y"},
                        "attributeType": "Target",
                        "attributeValue": "",
                    },
                ]
            },
        ),
        (
            "request_start_transaction",
            {"id_token": "ABC", "remote_start_id": 7},
            "RequestStartTransaction",
            {"idToken": {"idToken": "ABC", "type": "ISO14443"}, "remoteStartId": 7},
        ),
        (
            "request_start_transaction",
            {
                "id_token": "x" * 36,
                "id_token_type": "KeyCode",
                "evse_id": 2,
                "remote_start_id": 8,
                "charging_profile": PROFILE,
            },
            "RequestStartTransaction",
            {
                "idToken": {"idToken": "x" * 36, "type": "KeyCode"},
                "remoteStartId": 8,
                "evseId": 2,
                "chargingProfile": {
                    "id": 5,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxProfile",
                    "chargingProfileKind": "Relative",
                    "chargingSchedule": [
                        {
                            "id": 1,
                            "chargingRateUnit": "A",
                            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
                        }
                    ],
                },
            },
        ),
        (
            "request_stop_transaction",
            {"transaction_id": "a-1"},
            "RequestStopTransaction",
            {"transactionId": "a-1"},
        ),
        (
            "trigger_message",
            {"requested_message": "MeterValues", "evse_id": 1},
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "evse": {"id": 1}},
        ),
        (
            "trigger_message",
            {"requested_message": "StatusNotification", "evse_id": 1},
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
        ),
        (
            "trigger_message",
            {"requested_message": "SignV2GCertificate"},
            "TriggerMessage",
            {"requestedMessage": "SignV2GCertificate"},
        ),
        ("get_transaction_status", {}, "GetTransactionStatus", {}),
        (
            "get_transaction_status",
            {"transaction_id": "t"},
            "GetTransactionStatus",
            {"transactionId": "t"},
        ),
        (
            "cost_updated",
            {"transaction_id": "t", "total_cost": 12.34},
            "CostUpdated",
            {"transactionId": "t", "totalCost": 12.34},
        ),
        (
            "set_network_profile",
            {
                **NETWORK,
                "ocpp_version": "1.6",
                "apn": {
                    "apn": "internet",
                    "authentication": "PAP",
                    "user_name": "u",
                    "sim_pin": 1234,
                    "use_only_preferred_network": True,
                },
                "vpn": {
                    "type": "IPSec",
                    "server": "vpn.example",
                    "user": "u",
                    "password": "p",
                    "key": "k",
                },
            },
            "SetNetworkProfile",
            {
                "configurationSlot": 1,
                "connectionData": {
                    **CONNECTION,
                    "ocppVersion": "OCPP16",
                    "apn": {
                        "apn": "internet",
                        "apnAuthentication": "PAP",
                        "apnUserName": "u",
                        "simPin": 1234,
                        "useOnlyPreferredNetwork": True,
                    },
                    "vpn": {
                        "type": "IPSec",
                        "server": "vpn.example",
                        "user": "u",
                        "password": "p",
                        "key": "k",
                    },
                },
            },
        ),
    ],
)
def test_encodes_for_2x(version, name, values, action, payload):
    assert Order(action, payload) == typed(version, name, values)


@pytest.mark.parametrize(
    ("name", "values", "action", "payload"),
    [
        ("reset", {"type": "immediate_and_resume"}, "Reset", {"type": "ImmediateAndResume"}),
        (
            "trigger_message",
            {"requested_message": "CustomTrigger", "custom_trigger": "Coffee"},
            "TriggerMessage",
            {"requestedMessage": "CustomTrigger", "customTrigger": "Coffee"},
        ),
        (
            "request_start_transaction",
            {"id_token": "x" * 255, "id_token_type": "VIN", "remote_start_id": 1},
            "RequestStartTransaction",
            {"idToken": {"idToken": "x" * 255, "type": "VIN"}, "remoteStartId": 1},
        ),
        (
            "set_network_profile",
            {**NETWORK, "ocpp_version": "2.1", "identity": "CS1"},
            "SetNetworkProfile",
            {
                "configurationSlot": 1,
                "connectionData": {**CONNECTION, "ocppVersion": "OCPP21", "identity": "CS1"},
            },
        ),
    ],
)
def test_says_on_2_1_what_2_0_1_cannot(name, values, action, payload):
    assert Order(action, payload) == typed(V21, name, values)
    with pytest.raises(NotSupportedByVersion, match=r"OCPP 2\.0\.1"):
        typed(V201, name, values)


def test_the_version_to_speak_is_named_on_2_0_1_and_left_to_the_handshake_on_2_1():
    v201, v21 = (
        typed(V201, "set_network_profile", NETWORK),
        typed(V21, "set_network_profile", NETWORK),
    )
    assert {**CONNECTION, "ocppVersion": "OCPP20"} == v201.payload["connectionData"]
    assert CONNECTION == v21.payload["connectionData"]


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reset", {"force": True}),
        ("get_variables", {}),
        ("get_variables", {"variables": [{"variable": "GetConfigurationMaxKeys"}]}),
        ("set_variables", {"variables": [{"variable": "Vendor.Key", "value": "1"}]}),
        ("trigger_message", {"requested_message": "StatusNotification"}),
    ],
)
def test_refuses_what_2x_cannot_express(version, name, values):
    with pytest.raises(NotSupportedByVersion):
        typed(version, name, values)


def test_a_remote_start_carries_no_other_profile():
    with pytest.raises(Invalid) as refusal:
        typed(
            V201,
            "request_start_transaction",
            {"id_token": "A", "charging_profile": {**PROFILE, "purpose": "TxDefaultProfile"}},
        )
    assert ("charging_profile", "purpose") == refusal.value.loc


def test_no_network_profile_carries_the_stations_password():
    payload = {
        "configurationSlot": 1,
        "connectionData": {**CONNECTION, "basicAuthPassword": "x" * 20},
    }
    with pytest.raises(Invalid) as refusal:
        raw(V21, "SetNetworkProfile", payload)
    assert ("connectionData", "basicAuthPassword") == refusal.value.loc
    assert "use_credentials_rotate" == refusal.value.code
