"""OCPP 2.0.1, Core."""

from __future__ import annotations

from typing import Any

from tests.conformance.orders import V201, order


def variables(*values: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [
        {"component": component, "variable": variable, "value": value}
        for component, variable, value in values
    ]


def read(component: str, variable: str, value: str, status: str = "Accepted") -> dict[str, Any]:
    return {
        "attributeStatus": status,
        "attributeValue": value,
        "component": {"name": component},
        "variable": {"name": variable},
    }


def written(component: str, variable: str, status: str = "Accepted") -> dict[str, Any]:
    return {
        "attributeStatus": status,
        "component": {"name": component},
        "variable": {"name": variable},
    }


OFFLINE = ("OCPPCommCtrlr", "OfflineThreshold")
RETRY = ("AuthCtrlr", "AuthorizeRemoteStart")
PROFILE = {
    "configuration_slot": 1,
    "ocpp_csms_url": "wss://csms.example.org/ocpp",
    "security_profile": 2,
    "ocpp_interface": "Wired0",
}
SENT_PROFILE = {
    "configurationSlot": 1,
    "connectionData": {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://csms.example.org/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    },
}

ORDERS = [
    order(
        "TC_B_06",
        version=V201,
        command="get_variables",
        params={"variables": [{"component": OFFLINE[0], "variable": OFFLINE[1]}]},
        action="GetVariables",
        payload={
            "getVariableData": [
                {"component": {"name": OFFLINE[0]}, "variable": {"name": OFFLINE[1]}}
            ]
        },
        answer={"getVariableResult": [read(*OFFLINE, "60")]},
        wrong={"getVariableResult": []},
        stored={"variables": [{"component": OFFLINE[0], "variable": OFFLINE[1]}]},
    ),
    order(
        "TC_B_07",
        version=V201,
        command="get_variables",
        params={
            "variables": [
                {"component": component, "variable": variable}
                for component, variable in (OFFLINE, RETRY)
            ]
        },
        action="GetVariables",
        payload={
            "getVariableData": [
                {"component": {"name": component}, "variable": {"name": variable}}
                for component, variable in (OFFLINE, RETRY)
            ]
        },
        answer={"getVariableResult": [read(*OFFLINE, "60"), read(*RETRY, "true")]},
        wrong={"getVariableResult": [{"attributeStatus": "Accepted"}]},
    ),
    order(
        "TC_B_09",
        version=V201,
        command="set_variables",
        params={"variables": variables((*OFFLINE, "123"))},
        action="SetVariables",
        payload={
            "setVariableData": [
                {
                    "attributeValue": "123",
                    "component": {"name": OFFLINE[0]},
                    "variable": {"name": OFFLINE[1]},
                }
            ]
        },
        answer={"setVariableResult": [written(*OFFLINE)]},
        wrong={"setVariableResult": []},
    ),
    order(
        "TC_B_10",
        version=V201,
        command="set_variables",
        params={"variables": variables((*OFFLINE, "123"), (*RETRY, "false"))},
        action="SetVariables",
        payload={
            "setVariableData": [
                {
                    "attributeValue": value,
                    "component": {"name": component},
                    "variable": {"name": variable},
                }
                for component, variable, value in ((*OFFLINE, "123"), (*RETRY, "false"))
            ]
        },
        answer={"setVariableResult": [written(*OFFLINE), written(*RETRY)]},
        wrong={"setVariableResult": "Accepted"},
    ),
    order(
        "TC_B_20",
        version=V201,
        command="reset",
        params={"type": "on_idle"},
        action="Reset",
        payload={"type": "OnIdle"},
    ),
    order(
        "TC_B_25",
        version=V201,
        command="reset",
        params={"type": "on_idle", "evse_id": 1},
        action="Reset",
        payload={"type": "OnIdle", "evseId": 1},
    ),
    order(
        "TC_B_26",
        version=V201,
        command="reset",
        params={"type": "on_idle", "evse_id": 1},
        action="Reset",
        payload={"type": "OnIdle", "evseId": 1},
        answer={"status": "Scheduled"},
    ),
    order(
        "TC_B_27",
        version=V201,
        command="reset",
        params={"type": "immediate", "evse_id": 1},
        action="Reset",
        payload={"type": "Immediate", "evseId": 1},
    ),
    order(
        "TC_B_42",
        version=V201,
        command="set_network_profile",
        params=PROFILE,
        action="SetNetworkProfile",
        payload=SENT_PROFILE,
    ),
    order(
        "TC_B_44",
        version=V201,
        command="set_network_profile",
        params=PROFILE,
        action="SetNetworkProfile",
        payload=SENT_PROFILE,
        answer={"status": "Failed"},
        ends="rejected",
    ),
    order("TC_C_37", version=V201, command="clear_cache", action="ClearCache", payload={}),
    order(
        "TC_C_38",
        version=V201,
        command="clear_cache",
        action="ClearCache",
        payload={},
        answer={"status": "Rejected"},
        ends="rejected",
    ),
    order(
        "TC_F_06",
        version=V201,
        command="unlock_connector",
        params={"evse_id": 1, "connector_id": 1},
        action="UnlockConnector",
        payload={"evseId": 1, "connectorId": 1},
        answer={"status": "Unlocked"},
    ),
    order(
        "TC_F_27",
        version=V201,
        command="trigger_message",
        params={"requested_message": "LogStatusNotification"},
        action="TriggerMessage",
        payload={"requestedMessage": "LogStatusNotification"},
        answer={"status": "NotImplemented"},
        ends="rejected",
    ),
    order(
        "TC_E_33",
        version=V201,
        command="get_transaction_status",
        action="GetTransactionStatus",
        payload={},
        answer={"messagesInQueue": True},
        wrong={"messagesInQueue": "perhaps"},
    ),
    order(
        "TC_E_34",
        version=V201,
        command="get_transaction_status",
        action="GetTransactionStatus",
        payload={},
        answer={"messagesInQueue": False},
        wrong={},
    ),
]
