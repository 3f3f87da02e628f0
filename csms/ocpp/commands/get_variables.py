"""GetVariables, on 1.6 GetConfiguration: read configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.variables import V16_COMPONENT, key_v16


@dataclass(frozen=True, slots=True)
class VariableName:
    """One variable to read."""

    variable: Annotated[str, MinLen(1), MaxLen(50)] = field(
        metadata=doc("name of the variable, or of the key of OCPP 1.6")
    )
    component: Annotated[str, MinLen(1), MaxLen(50)] = field(
        default=V16_COMPONENT, metadata=doc("whose variable; `v16` holds the keys of OCPP 1.6")
    )


@dataclass(frozen=True, slots=True)
class GetVariables:
    """Parameters of get_variables."""

    variables: list[VariableName] = field(
        default_factory=list, metadata=doc("what to read; empty: everything, on OCPP 1.6 only")
    )


def encode_v16(params: GetVariables) -> Order:
    """Without a key list the station names them all."""
    keys = [key_v16(name.component, name.variable) for name in params.variables]
    return Order("GetConfiguration", {"key": keys} if keys else {})


COMMAND = Command(
    name="get_variables",
    summary="Read configuration",
    command_class=CommandClass.A,
    params=GetVariables,
    actions={OcppVersion.V16: "GetConfiguration"},
    encode={OcppVersion.V16: encode_v16},
)
