"""SetVariables, on 1.6 ChangeConfiguration: write configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.variables import V16_COMPONENT, key_v16


@dataclass(frozen=True, slots=True)
class VariableValue:
    """One variable and what it shall be."""

    variable: Annotated[str, MinLen(1), MaxLen(50)] = field(
        metadata=doc("name of the variable, or of the key of OCPP 1.6")
    )
    value: Annotated[str, MaxLen(2500)] = field(metadata=doc("the new value, as text"))
    component: Annotated[str, MinLen(1), MaxLen(50)] = field(
        default=V16_COMPONENT, metadata=doc("whose variable; `v16` holds the keys of OCPP 1.6")
    )


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Parameters of set_variables."""

    variables: Annotated[list[VariableValue], MinLen(1)] = field(
        metadata=doc("what to write; OCPP 1.6 takes one per command")
    )


def encode_v16(params: SetVariables) -> Order:
    """One key: the CALL has room for no more."""
    if len(params.variables) != 1:
        raise NotSupportedByVersion("OCPP 1.6 sets one variable per command")
    wanted = params.variables[0]
    key = key_v16(wanted.component, wanted.variable)
    return Order("ChangeConfiguration", {"key": key, "value": wanted.value})


COMMAND = Command(
    name="set_variables",
    summary="Write configuration",
    command_class=CommandClass.A,
    params=SetVariables,
    actions={OcppVersion.V16: "ChangeConfiguration"},
    encode={OcppVersion.V16: encode_v16},
)
