from __future__ import annotations

from typing import Any

import orjson
import pytest

from csms.services.redaction import REDACTED, as_text


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "canary"}),
        ("ChangeConfiguration", {"key": "authorizationkey", "value": "canary"}),
        (
            "GetConfiguration",
            {"configurationKey": [{"key": "AuthorizationKey", "value": "canary"}]},
        ),
        (
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "attributeValue": "canary",
                        "component": {"name": "SecurityCtrlr"},
                        "variable": {"name": "BasicAuthPassword"},
                    }
                ]
            },
        ),
        (
            "NotifyReport",
            {
                "reportData": [
                    {
                        "variable": {"name": "BasicAuthPassword"},
                        "variableAttribute": [{"value": "canary"}],
                    }
                ]
            },
        ),
        (
            "NotifyEvent",
            {"eventData": [{"variable": {"name": "WifiPassword"}, "actualValue": "canary"}]},
        ),
        ("SetNetworkProfile", {"connectionData": {"basicAuthPassword": "canary"}}),
        ("SetNetworkProfile", {"connectionData": {"vpn": {"password": "canary"}}}),
        ("SetNetworkProfile", {"connectionData": {"vpn": {"password": "x", "key": "canary"}}}),
        ("SetNetworkProfile", {"connectionData": {"apn": {"simPin": "canary"}}}),
        ("DataTransfer", {"vendorId": "v", "data": '{"AuthorizationKey":"canary"}'}),
        ("Unheard", {"deep": [{"key": "BasicAuthPassword", "value": {"x": "canary"}}]}),
    ],
)
def test_passwords_never_reach_the_log(action: str, payload: Any) -> None:
    text = as_text(action, payload)
    assert "canary" not in text
    assert REDACTED in text


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}),
        ("GetConfiguration", {"key": ["AuthorizationKey"]}),
        ("MeterValues", {"connectorId": 1}),
        ("GetConfiguration", {"unknownKey": ["AuthorizationKey"]}),
    ],
)
def test_everything_else_is_kept(action: str, payload: Any) -> None:
    assert orjson.loads(as_text(action, payload)) == payload


def test_the_pair_next_to_a_secret_is_kept() -> None:
    payload = {
        "configurationKey": [
            {"key": "AuthorizationKey", "readonly": False, "value": "canary"},
            {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
        ]
    }
    assert orjson.loads(as_text("GetConfiguration", payload)) == {
        "configurationKey": [
            {"key": "AuthorizationKey", "readonly": False, "value": REDACTED},
            {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
        ]
    }
