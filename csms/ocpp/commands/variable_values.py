"""What an answer about variables teaches us of the station's device model."""

from __future__ import annotations

from typing import Any

from csms.domain.device_model import VariableKey
from csms.ocpp.commands.command import ACCEPTING, Answer
from csms.ocpp.device_model import named, read_configuration_v16, read_key, value_text
from csms.ocpp.fields import objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.variables import V16_COMPONENT
from csms.services import device_model
from csms.services.redaction import redacted
from csms.store.database import Tx


def settle_read(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Keep the values that came with the answer to GetVariables or GetConfiguration."""
    told = redacted(answer.payload)
    _record(tx, station_id, told.get("getVariableResult"))
    device_model.record(tx, station_id, read_configuration_v16(told))


def settle_written(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Keep the values that the station took from SetVariables or ChangeConfiguration."""
    safe = redacted(payload)
    if "key" in safe:
        value = value_text(safe, "value")
        if answer.accepted and value is not None:
            key = VariableKey(component=V16_COMPONENT, variable=safe["key"])
            device_model.record_value(tx, station_id, key, value)
        return
    # The results repeat the names, but not the values.
    statuses = {
        _name(result): result.get("attributeStatus")
        for result in objects(answer.payload.get("setVariableResult"))
    }
    sent = objects(safe.get("setVariableData"))
    _record(tx, station_id, [{**one, "attributeStatus": statuses.get(_name(one))} for one in sent])


def _record(tx: Tx, station_id: int, results: Any) -> None:
    for key, result in named(results):
        value = value_text(result, "attributeValue")
        if value is not None and text(result, "attributeStatus") in ACCEPTING:
            device_model.record_value(tx, station_id, key, value, _attribute(result))


def _name(payload: JsonObject) -> tuple[Any, str]:
    key = read_key(payload)
    return key and key.folded, _attribute(payload)


def _attribute(payload: JsonObject) -> str:
    return text(payload, "attributeType") or "Actual"
