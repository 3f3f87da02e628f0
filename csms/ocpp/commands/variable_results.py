"""What a station answered about each variable that it was to tell, or to write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from csms.domain.device_model import VariableKey
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.device_variables import Attribute, Which
from csms.ocpp.device_model import named, read_configuration_v16, value_text
from csms.ocpp.fields import objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.variables import V16_COMPONENT, key_v16, variable_v2x

Place = tuple[str | int | None, ...]
"""A variable and which of its values, equal for two spellings of the same name."""


class Named(Which, Protocol):
    """A value of a variable."""

    @property
    def component(self) -> str:
        """Whose variable."""

    @property
    def variable(self) -> str:
        """Its name."""

    @property
    def attribute(self) -> str:
        """Which of its values."""


def place_of(one: Named, version: OcppVersion) -> Place:
    """Where a station of `version` has it; raises NotSupportedByVersion."""
    if version is OcppVersion.V16:
        key = VariableKey(component=V16_COMPONENT, variable=key_v16(one.component, one.variable))
        return (*key.folded, Attribute.ACTUAL.value)
    component, variable = variable_v2x(one.component, one.variable)
    key = VariableKey(
        component=component,
        variable=variable,
        component_instance=one.component_instance,
        variable_instance=one.variable_instance,
        evse_id=one.evse_id,
        connector_id=one.connector_id,
    )
    return (*key.folded, Attribute(one.attribute).value)


def values(response: JsonObject) -> dict[Place, str | None]:
    """What the station told, of all that it was asked for."""
    found = {
        (*one.key.folded, attribute.type): attribute.value
        for one in read_configuration_v16(response)
        for attribute in one.attributes
    }
    for key, result in named(response.get("getVariableResult")):
        if text(result, "attributeStatus") == "Accepted":
            found[(*key.folded, _attribute(result))] = value_text(result, "attributeValue")
    return found


def statuses(
    written: Sequence[Named], response: JsonObject, status: str | None
) -> list[str | None]:
    """The station's word for each; None: it said nothing of it.

    Found by name on 2.x, by order on 1.6, which has a CALL for each.
    """
    if "setVariableResult" in response:
        told = {
            (*key.folded, _attribute(result)): text(result, "attributeStatus")
            for key, result in named(response["setVariableResult"])
        }
        return [told.get(place_of(one, OcppVersion.V201)) for one in written]
    words = [text(result, "status") for result in objects(response.get("results"))] or [status]
    return [words[place] if place < len(words) else None for place in range(len(written))]


def _attribute(result: JsonObject) -> str:
    return text(result, "attributeType") or Attribute.ACTUAL.value
