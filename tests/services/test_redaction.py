from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from csms.ocpp.fields import raw
from csms.services.redaction import REDACTED, as_text, as_word, redacted, secrets_of, struck


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": "canary"},
        {"key": "authorizationkey", "value": "canary"},
        {"configurationKey": [{"key": "AuthorizationKey", "value": "canary"}]},
        {
            "setVariableData": [
                {
                    "attributeValue": "canary",
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                }
            ]
        },
        {
            "reportData": [
                {
                    "variable": {"name": "BasicAuthPassword"},
                    "variableAttribute": [{"value": "canary"}],
                }
            ]
        },
        {"eventData": [{"variable": {"name": "WifiPassword"}, "actualValue": "canary"}]},
        {"connectionData": {"basicAuthPassword": "canary"}},
        {"connectionData": {"vpn": {"password": "canary"}}},
        {"connectionData": {"vpn": {"password": "x", "key": "canary"}}},
        {"connectionData": {"apn": {"simPin": "canary"}}},
        {"vendorId": "v", "data": '{"AuthorizationKey":"canary"}'},
        {"deep": [{"key": "BasicAuthPassword", "value": {"x": "canary"}}]},
    ],
)
def test_passwords_never_reach_the_log(payload: Any) -> None:
    text = as_text(payload)
    assert "canary" not in text
    assert REDACTED in text


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "HeartbeatInterval", "value": "60"},
        {"key": ["AuthorizationKey"]},
        {"connectorId": 1},
        {"unknownKey": ["AuthorizationKey"]},
    ],
)
def test_everything_else_is_kept(payload: Any) -> None:
    assert orjson.loads(as_text(payload)) == payload


def test_the_pair_next_to_a_secret_is_kept() -> None:
    payload = {
        "configurationKey": [
            {"key": "AuthorizationKey", "readonly": False, "value": "canary"},
            {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
        ]
    }
    assert orjson.loads(as_text(payload)) == {
        "configurationKey": [
            {"key": "AuthorizationKey", "readonly": False, "value": REDACTED},
            {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
        ]
    }


@pytest.mark.parametrize(
    "payload",
    [
        {"configurationKey": [{"key": "AuthorizationKey ", "value": "canary"}]},
        {"configurationKey": [{"key": "OCPP.AuthorizationKey.0", "value": "canary"}]},
        {"key": "Authorization\n\tKey", "value": "canary"},
        {"key": "Author\u0131zationKey", "value": "canary"},
        {"key": "AUTHOR\u0130ZATIONKEY", "value": "canary"},
        {"key": "Ba\u017ficAuthPa\u017f\u017fword", "value": "canary"},
        {"key": "Pass\x1fword", "value": "canary"},
        {"configurationKey": [{"key": "WifiPassword1", "value": "canary"}]},
        {
            "getVariableResult": [
                {"variable": {"name": "Wifi_Pass-word"}, "attributeValue": "canary"}
            ]
        },
        {
            "data": [
                {"component": {"name": "Password"}, "variable": {"name": "Wifi"}, "value": "canary"}
            ]
        },
        {"data": [{"variable": {"name": "X", "instance": "simPin"}, "value": "canary"}]},
        {"variables": [{"component": "Wifi", "variable": "Password", "value": "canary"}]},
        {"data": "AuthorizationKey canary"},
        {"location": "ftp://user:canary@example.com/file"},
        {"location": "see ftp://canary@example.com"},
        {"apn": {"sim_pin": "canary"}},
        {"idTag": "A", "customData": {"vendorId": "v", "AuthorizationKey": "canary"}},
        {"idTag": "A", "surplus": [{"BasicAuthPassword": "canary"}]},
        {"AuthorizationKey=canary": 1},
        {"a": {"see ftp://u:canary@host": 1}},
        {"key": "WifiPassword", "AuthorizationKey=canary": {"Password: canary": 1}},
        {"key": "AuthorizationKey=canary", "value": "x"},
    ],
)
def test_a_name_that_looks_secret_loses_its_value(payload: Any) -> None:
    text = as_text(payload)
    assert "canary" not in text
    assert REDACTED in text
    assert "canary" in " ".join(secrets_of(payload))


@pytest.mark.parametrize(
    "word", ["AuthorizationKey=canary", "m BasicAuthPassword: canary", "ftp://u:canary@host"]
)
def test_a_word_may_hold_a_secret_too(word: str) -> None:
    assert "canary" not in as_word(word)


@pytest.mark.parametrize("word", ["AuthorizationKey", "Heartbeat", "9f0c-key", "https://host/a"])
def test_a_word_without_a_secret_is_kept(word: str) -> None:
    assert word == as_word(word)


@pytest.mark.parametrize(
    "payload",
    [
        {"location": "ftp://example.com/a@b"},
        {"key": "BatteryPassThrough", "value": "1"},
        {"key": "ConnectionKeepAlive", "value": "1"},
    ],
)
def test_what_only_resembles_a_secret_is_kept(payload: Any) -> None:
    assert orjson.loads(as_text(payload)) == payload
    assert secrets_of(payload) == frozenset()


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        ({"key": "AuthorizationKey", "value": b"canary".hex()}, "CANARY!"),
        ({"key": "BasicAuthPassword", "value": "canary"}, "the value canary is too short"),
        ({"key": "BasicAuthPassword", "value": "canary"}, b"canary".hex().upper()),
        ({"apnPassword": "canary"}, {"canary": 1}),
        ({"location": "ftp://u:canary@host"}, ["canary"]),
        ({"data": "Password=canary"}, "canary"),
    ],
)
def test_an_answer_does_not_quote_what_its_order_told(order: Any, answer: Any) -> None:
    text = as_text({"answer": answer}, secrets_of(order)).lower()
    assert "canary" not in text
    assert b"canary".hex() not in text


def test_a_number_that_was_told_is_struck_out_too() -> None:
    assert struck({"pin": 4711, "slot": 1}, secrets_of({"simPin": 4711})) == {
        "pin": REDACTED,
        "slot": 1,
    }


def test_text_that_was_made_to_be_slow_is_not() -> None:
    text = {"data": "password" * 8000 + "pass" + "_" * 60_000 + "://" + "@" * 60_000}
    began = time.perf_counter()
    redacted(text)
    assert time.perf_counter() - began < 2


LINK = "csmsf_" + "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    "payload",
    [
        {"location": f"https://a.example/files/{LINK}/fw.bin"},
        {"log": {"remoteLocation": f"http://10.0.0.1:9000/files/{LINK}/log"}},
        {"fileName": f"/files/{LINK}/log"},
        {"status": f"cannot reach {LINK.upper()}"},
        {"data": f'{{"url": "{LINK}"}}'},
    ],
)
def test_the_secret_of_a_link_is_struck_out(payload: dict[str, Any]):
    shown = as_text(payload)
    assert (True, False) == (REDACTED in shown, LINK.lower() in shown.lower())
    found = {secret.lower() for secret in secrets_of(payload)}
    assert LINK in found


def test_a_link_stays_readable_but_for_its_secret():
    shown = redacted({"location": f"https://a.example/files/{LINK}/fw-1.2.bin"})
    assert {"location": f"https://a.example/files/{REDACTED}/fw-1.2.bin"} == shown


def test_a_raw_payload_has_no_secret_of_a_link():
    assert '{"note":"see ***"}' == raw({"note": f"see {LINK}"})
