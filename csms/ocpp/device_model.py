"""Components, variables and monitors in payloads of OCPP 2.x, and the configuration of 1.6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from csms.domain.device_model import (
    Attribute,
    Characteristics,
    Monitor,
    Variable,
    VariableKey,
)
from csms.ocpp.fields import flag, integer, number, objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.variables import V16_COMPONENT
from csms.services.redaction import REDACTED

# OCPP 2.0.1 AttributeType and VariableCharacteristicsType allow 2500 and 1000.
_LONGEST_VALUE = 2500


def read_variables(payload: JsonObject) -> list[Variable]:
    """What a NotifyReport says; an entry without names is left to the part as received."""
    return [
        Variable(
            key,
            tuple(_attribute(one) for one in objects(entry.get("variableAttribute"))),
            _characteristics(entry.get("variableCharacteristics")),
        )
        for key, entry in named(payload.get("reportData"))
    ]


def read_monitors(payload: JsonObject) -> list[Monitor]:
    """What a NotifyMonitoringReport says; a monitor without an id could not be named again."""
    return [
        monitor
        for key, entry in named(payload.get("monitor"))
        for one in objects(entry.get("variableMonitoring"))
        if (monitor := read_monitor(key, one)) is not None
    ]


def read_monitor(key: VariableKey, payload: JsonObject) -> Monitor | None:
    """VariableMonitoringType, or the parts of it that other messages have."""
    monitor_id = integer(payload, "id")
    if monitor_id is None:
        return None
    return Monitor(
        id=monitor_id,
        key=key,
        type=text(payload, "type") or "",
        value=number(payload, "value"),
        severity=integer(payload, "severity"),
        in_transaction=flag(payload, "transaction") or False,
        origin=text(payload, "eventNotificationType"),
    )


def read_configuration_v16(payload: JsonObject) -> Iterator[Variable]:
    """What an answer to GetConfiguration says, under a component of its own."""
    for entry in objects(payload.get("configurationKey")):
        name = text(entry, "key")
        if name is not None:
            readonly = flag(entry, "readonly")
            mutability = None if readonly is None else "ReadOnly" if readonly else "ReadWrite"
            attribute = Attribute(value=value_text(entry, "value"), mutability=mutability)
            yield Variable(VariableKey(component=V16_COMPONENT, variable=name), (attribute,))


def named(entries: Any) -> Iterator[tuple[VariableKey, JsonObject]]:
    """The entries of a list that name a variable, each with its name."""
    for entry in objects(entries):
        key = read_key(entry)
        if key is not None:
            yield key, entry


def read_key(payload: JsonObject) -> VariableKey | None:
    """The variable that a `component` and a `variable` name."""
    component, variable = _object(payload, "component"), _object(payload, "variable")
    names = text(component, "name"), text(variable, "name")
    if names[0] is None or names[1] is None:
        return None
    evse = _object(component, "evse")
    return VariableKey(
        component=names[0],
        variable=names[1],
        component_instance=text(component, "instance"),
        variable_instance=text(variable, "instance"),
        evse_id=integer(evse, "id"),
        connector_id=integer(evse, "connectorId"),
    )


def value_text(payload: JsonObject, name: str) -> str | None:
    """A value as text, whatever JSON a station made of it; a password is not kept."""
    value = payload.get(name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or value == REDACTED:
        return None
    return value[:_LONGEST_VALUE]


def _attribute(payload: JsonObject) -> Attribute:
    return Attribute(
        type=text(payload, "type") or "Actual",
        value=value_text(payload, "value"),
        mutability=text(payload, "mutability") or "ReadWrite",
        persistent=flag(payload, "persistent") or False,
        constant=flag(payload, "constant") or False,
    )


def _characteristics(payload: Any) -> Characteristics | None:
    if not isinstance(payload, dict):
        return None
    return Characteristics(
        unit=text(payload, "unit"),
        data_type=text(payload, "dataType"),
        min_limit=number(payload, "minLimit"),
        max_limit=number(payload, "maxLimit"),
        max_elements=integer(payload, "maxElements"),
        values_list=text(payload, "valuesList", limit=_LONGEST_VALUE),
        supports_monitoring=flag(payload, "supportsMonitoring"),
    )


def _object(payload: JsonObject, name: str) -> JsonObject:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}
