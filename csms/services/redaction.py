"""Payloads as they may be stored and shown: without passwords."""

from __future__ import annotations

from typing import Any

import orjson

REDACTED = "***"


def as_text(action: str, payload: Any) -> str:
    """The payload as it may be stored and shown: without passwords."""
    text = orjson.dumps(payload).decode()
    if action in _WITHOUT_SECRETS:
        return text
    if not _mentions_a_secret(text):
        return text
    return orjson.dumps(redacted(payload)).decode()


def mentions_a_secret(payload: Any) -> bool:
    """Whether a password may be somewhere in it, so that no part of it is to be shown."""
    return payload is not None and _mentions_a_secret(orjson.dumps(payload).decode())


def redacted(value: Any) -> Any:
    """A copy without the values of AuthorizationKey, BasicAuthPassword and their like."""
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        if _names_a_secret(value):
            return {key: _without_values(key, item) for key, item in value.items()}
        return {
            key: REDACTED if _is_secret_name(key) else redacted(item) for key, item in value.items()
        }
    if isinstance(value, str) and _mentions_a_secret(value) and not _is_secret_name(value):
        return REDACTED  # free text of a vendor, JSON in a string
    return value


def _without_values(key: str, item: Any) -> Any:
    if key in _VALUES and item is not None:
        return REDACTED
    if isinstance(item, list):
        return [_without_values("", below) for below in item]
    if isinstance(item, dict):
        return {name: _without_values(name, below) for name, below in item.items()}
    return item


# The messages of every day, which have no place for a password.
_WITHOUT_SECRETS = frozenset(
    {
        "Authorize",
        "BootNotification",
        "Heartbeat",
        "MeterValues",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "TransactionEvent",
    }
)
# Where a 1.6 key-value pair and the variables of 2.x keep their values.
_VALUES = frozenset({"value", "actualValue", "attributeValue"})


def _names_a_secret(value: dict[str, Any]) -> bool:
    variable = value.get("variable")
    name = variable.get("name") if isinstance(variable, dict) else None
    return _is_secret_name(value.get("key")) or _is_secret_name(name)


def _mentions_a_secret(text: str) -> bool:
    lowered = text.lower()
    return "authorizationkey" in lowered or "password" in lowered or "simpin" in lowered


def _is_secret_name(name: Any) -> bool:
    if not isinstance(name, str):
        return False
    plain = name.lower()
    # A VPN has a key beside its password.
    return plain in {"authorizationkey", "simpin", "vpn"} or plain.endswith("password")
