"""OCPP 1.6."""

from __future__ import annotations

from tests.conformance.orders import order

ORDERS = [
    order("TC_014", command="reset", action="Reset", payload={"type": "Soft"}),
    order(
        "TC_017_1",
        command="unlock_connector",
        params={"evse_id": 1},
        action="UnlockConnector",
        payload={"connectorId": 1},
        answer={"status": "Unlocked"},
    ),
    order(
        "TC_017_2",
        command="unlock_connector",
        params={"evse_id": 1},
        action="UnlockConnector",
        payload={"connectorId": 1},
        answer={"status": "NotSupported"},
        ends="rejected",
    ),
    order(
        "TC_019_1",
        command="get_variables",
        action="GetConfiguration",
        payload={},
        answer={"configurationKey": [{"key": "HeartbeatInterval", "readonly": False}]},
        wrong={"configurationKey": [{"key": "HeartbeatInterval"}]},
    ),
    order(
        "TC_019_2",
        command="get_variables",
        params={"variables": [{"variable": "SupportedFeatureProfiles"}]},
        action="GetConfiguration",
        payload={"key": ["SupportedFeatureProfiles"]},
        answer={
            "configurationKey": [
                {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}
            ]
        },
        wrong={"configurationKey": "SupportedFeatureProfiles"},
    ),
    order(
        "TC_021",
        command="set_variables",
        params={"variables": [{"variable": "MeterValueSampleInterval", "value": "10"}]},
        action="ChangeConfiguration",
        payload={"key": "MeterValueSampleInterval", "value": "10"},
    ),
    order(
        "TC_026",
        command="request_start_transaction",
        params={"id_token": "TAG", "evse_id": 1},
        action="RemoteStartTransaction",
        payload={"idTag": "TAG", "connectorId": 1},
        answer={"status": "Rejected"},
        ends="rejected",
    ),
    order(
        "TC_028",
        command="request_stop_transaction",
        params={"transaction_id": "1"},
        action="RemoteStopTransaction",
        payload={"transactionId": 1},
        answer={"status": "Rejected"},
        ends="rejected",
    ),
    order(
        "TC_030",
        command="unlock_connector",
        params={"evse_id": 1},
        action="UnlockConnector",
        payload={"connectorId": 1},
        answer={"status": "UnlockFailed"},
        ends="rejected",
    ),
    order(
        "TC_031",
        command="unlock_connector",
        params={"evse_id": 99},
        action="UnlockConnector",
        payload={"connectorId": 99},
        answer={"status": "NotSupported"},
        ends="rejected",
    ),
    order(
        "TC_040_1",
        command="set_variables",
        params={"variables": [{"variable": "NoSuchKey", "value": "1"}]},
        action="ChangeConfiguration",
        payload={"key": "NoSuchKey", "value": "1"},
        answer={"status": "NotSupported"},
        ends="rejected",
    ),
    order(
        "TC_040_2",
        command="set_variables",
        params={"variables": [{"variable": "MeterValueSampleInterval", "value": "-1"}]},
        action="ChangeConfiguration",
        payload={"key": "MeterValueSampleInterval", "value": "-1"},
        answer={"status": "Rejected"},
        ends="rejected",
    ),
    order(
        "TC_055",
        command="trigger_message",
        params={"requested_message": "MeterValues", "evse_id": 1},
        action="TriggerMessage",
        payload={"requestedMessage": "MeterValues", "connectorId": 1},
        answer={"status": "Rejected"},
        ends="rejected",
    ),
    order("TC_061", command="clear_cache", action="ClearCache", payload={}),
]
