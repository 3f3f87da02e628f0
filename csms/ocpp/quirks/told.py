"""What a station says of its own limits, as settings; they give way to all others."""

from __future__ import annotations

from typing import Any

from csms.domain.device_model import VariableKey
from csms.ocpp.variables import V16_COMPONENT
from csms.store import variables
from csms.store.database import ReadTx

_PROTOCOLS = (
    VariableKey(component="OCPPCommCtrlr", variable="FileTransferProtocols"),
    VariableKey(component=V16_COMPONENT, variable="SupportedFileTransferProtocols"),
)
_STACK_LEVEL = (
    VariableKey(component="SmartChargingCtrlr", variable="ProfileStackLevel"),
    VariableKey(component=V16_COMPONENT, variable="ChargeProfileMaxStackLevel"),
)
_MAX_DIGITS = 10


def told(tx: ReadTx, station_id: int) -> dict[str, Any]:
    """What is known of the station's variables; one that is unreadable limits nothing."""
    settings: dict[str, Any] = {}
    protocols = [word.strip() for word in _value(tx, station_id, _PROTOCOLS).split(",")]
    protocols = [word.casefold() for word in protocols if word.isalnum()]
    if protocols:
        settings["firmware_protocols"] = settings["log_protocols"] = protocols
    stack_level = _value(tx, station_id, _STACK_LEVEL).strip()
    if stack_level.isdecimal() and len(stack_level) < _MAX_DIGITS:
        settings["max_stack_level"] = int(stack_level)
    return settings


def _value(tx: ReadTx, station_id: int, keys: tuple[VariableKey, ...]) -> str:
    found = (variables.find_value(tx, station_id, key) for key in keys)
    return next((value for value in found if value), "")
