"""SetVariables, on 1.6 ChangeConfiguration: write configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Batch, Command, Order, doc
from csms.ocpp.commands.device_variables import (
    ITEMS_PER_MESSAGE,
    VariableName,
    items_per_message,
    name_v2x,
    name_v16,
    read_results,
)
from csms.ocpp.commands.variable_values import settle_written
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableValue(VariableName):
    """One variable and what it shall be."""

    value: Annotated[str, MaxLen(2500)] = field(metadata=doc("the new value, as text"))


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Parameters of set_variables."""

    variables: Annotated[list[VariableValue], MinLen(1)] = field(
        metadata=doc("what to write, one after the other; a refused one stops none of the rest")
    )


def encode_v16(params: SetVariables) -> Order:
    """A CALL for each key: it has room for no more."""
    first, *rest = (
        Order("ChangeConfiguration", {"key": key, "value": one.value}, subject=key)
        for one in params.variables
        for key in [name_v16(one)]
    )
    return replace(first, then=tuple(rest))


def encode_v2x(params: SetVariables) -> Order:
    """Each variable has a result of its own."""
    wanted = [{**name_v2x(one), "attributeValue": one.value} for one in params.variables]
    return Order("SetVariables", {"setVariableData": wanted})


def decode_v16(payload: JsonObject) -> SetVariables:
    """One key and its value."""
    return SetVariables([VariableValue(variable=payload["key"], value=payload["value"])])


def read(payload: JsonObject) -> Answer:
    """1.6 has one status for its one key."""
    return read_results(payload, "setVariableResult")


COMMAND = Command(
    name="set_variables",
    summary="Write configuration",
    command_class=CommandClass.A,
    params=SetVariables,
    actions={
        OcppVersion.V16: "ChangeConfiguration",
        OcppVersion.V201: "SetVariables",
        OcppVersion.V21: "SetVariables",
    },
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    read=read,
    settled=settle_written,
    batches={
        "SetVariables": Batch(
            "setVariableData", items_per_message("SetVariables"), otherwise=ITEMS_PER_MESSAGE
        )
    },
    decode_v16={"ChangeConfiguration": decode_v16},
)
