"""How commands about the device model of OCPP 2.x name components, variables and severities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.device_model import VariableKey
from csms.errors import Invalid
from csms.ocpp.commands.command import ConnectorId, EvseId, doc, needs_evse
from csms.ocpp.commands.device_variables import Name, component_and_variable
from csms.ocpp.frames import JsonObject

Severity = Annotated[int, Ge(0), Le(9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentVariable:
    """A component, or one of its variables."""

    component: Name = field(metadata=doc("name of the component"))
    variable: Name | None = field(default=None, metadata=doc("left out: all of the component"))
    component_instance: Name | None = field(
        default=None, metadata=doc("which of several such components")
    )
    variable_instance: Name | None = field(
        default=None, metadata=doc("which of several variables of this name")
    )
    evse_id: EvseId | None = field(default=None, metadata=doc("of which EVSE"))
    connector_id: ConnectorId | None = field(default=None, metadata=doc("of which connector"))

    def __post_init__(self) -> None:
        needs_evse(self.evse_id, self.connector_id)
        if self.variable_instance is not None and self.variable is None:
            raise Invalid("is one of a variable: name it too", loc=("variable_instance",))


def items_per_message(action: str) -> VariableKey:
    """Where a station says how many monitors it takes in one CALL."""
    return VariableKey(
        component="MonitoringCtrlr", variable="ItemsPerMessage", variable_instance=action
    )


def name_component(named: ComponentVariable) -> JsonObject:
    """ComponentVariableType."""
    return component_and_variable(named.component, named.variable, which=named)
