"""How commands name a station's variables, and what the station answers about each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Protocol

from annotated_types import MaxLen, MinLen

from csms.domain.device_model import VariableKey
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import (
    ACCEPTING,
    Answer,
    ConnectorId,
    EvseId,
    doc,
    evse_v2x,
    needs_evse,
    read_status,
)
from csms.ocpp.fields import objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.variables import V16_COMPONENT, key_v16, variable_v2x

Name = Annotated[str, MinLen(1), MaxLen(50)]
# So many go out at once to a station that has not told how many it takes.
ITEMS_PER_MESSAGE = 10
# So many refusals are told one by one.
_TOLD = 5


class Attribute(str, Enum):
    """AttributeEnumType."""

    ACTUAL = "Actual"
    TARGET = "Target"
    MIN_SET = "MinSet"
    MAX_SET = "MaxSet"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableName:
    """One variable of the device model, or one configuration key of OCPP 1.6."""

    variable: Name = field(metadata=doc("name of the variable, or of the key of OCPP 1.6"))
    component: Name = field(
        default=V16_COMPONENT, metadata=doc("whose variable; `v16` holds the keys of OCPP 1.6")
    )
    variable_instance: Name | None = field(
        default=None, metadata=doc("which of several of this name; OCPP 2.x only")
    )
    component_instance: Name | None = field(
        default=None, metadata=doc("of which of several such components; OCPP 2.x only")
    )
    evse_id: EvseId | None = field(
        default=None, metadata=doc("of which EVSE's component; OCPP 2.x only")
    )
    connector_id: ConnectorId | None = field(
        default=None, metadata=doc("of which connector's component; OCPP 2.x only")
    )
    attribute: Attribute = field(
        default=Attribute.ACTUAL, metadata=doc("which value; OCPP 1.6 has the Actual one")
    )

    def __post_init__(self) -> None:
        needs_evse(self.evse_id, self.connector_id)


def items_per_message(action: str) -> VariableKey:
    """Where a station of 2.x says how many variables it takes in one CALL."""
    return VariableKey(
        component="DeviceDataCtrlr", variable="ItemsPerMessage", variable_instance=action
    )


def name_v16(name: VariableName) -> str:
    """The configuration key; raises NotSupportedByVersion for what a flat key cannot say."""
    if name.attribute is not Attribute.ACTUAL:
        raise NotSupportedByVersion(f"OCPP 1.6 has no {name.attribute.value} values")
    if (name.variable_instance, name.component_instance, name.evse_id) != (None, None, None):
        raise NotSupportedByVersion("OCPP 1.6 has no instances and no EVSEs of a variable")
    return key_v16(name.component, name.variable)


def name_v2x(name: VariableName) -> JsonObject:
    """Component, variable and attribute; raises NotSupportedByVersion for a key only 1.6 has."""
    named = component_and_variable(*variable_v2x(name.component, name.variable), which=name)
    if name.attribute is not Attribute.ACTUAL:  # which is what a station assumes
        named["attributeType"] = name.attribute.value
    return named


class Which(Protocol):
    """Which of several of one name."""

    @property
    def component_instance(self) -> str | None:
        """Of which component."""

    @property
    def variable_instance(self) -> str | None:
        """Which variable."""

    @property
    def evse_id(self) -> int | None:
        """Of which EVSE's component."""

    @property
    def connector_id(self) -> int | None:
        """Of which connector's component."""


def component_and_variable(component: str, variable: str | None, *, which: Which) -> JsonObject:
    """ComponentType and VariableType, as most messages about the device model have them."""
    found: JsonObject = {"component": {"name": component}}
    if which.component_instance is not None:
        found["component"]["instance"] = which.component_instance
    if which.evse_id is not None:
        found["component"]["evse"] = evse_v2x(which.evse_id, which.connector_id)
    if variable is not None:
        found["variable"] = {"name": variable}
        if which.variable_instance is not None:
            found["variable"]["instance"] = which.variable_instance
    return found


def read_results(payload: JsonObject, name: str) -> Answer:
    """The answer by its list of results: one refused variable is a refusal, which names it."""
    results = objects(payload.get(name))
    if not results:
        return read_status(payload)
    words = [text(result, "attributeStatus") for result in results]
    refused = [
        (word, f"{word or 'nothing'} for {_name(result)}")
        for word, result in zip(words, results, strict=True)
        if word not in ACCEPTING
    ]
    if not refused:
        status = "RebootRequired" if "RebootRequired" in words else "Accepted"
        return Answer(accepted=True, status=status, payload=payload)
    told = [told for _, told in refused[:_TOLD]]
    if len(refused) > _TOLD:
        told.append(f"and {len(refused) - _TOLD} more")
    detail = "the station answered " + ", ".join(told)
    return Answer(accepted=False, status=refused[0][0], payload=payload, detail=detail)


def _name(result: JsonObject) -> str:
    parts = [objects(result.get("component")), objects(result.get("variable"))]
    return ".".join((part and text(part[0], "name")) or "?" for part in parts)
