"""GetVariables, on 1.6 GetConfiguration: read configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.device_model import VariableKey
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Answer, Batch, Command, Order, doc
from csms.ocpp.commands.device_variables import (
    ITEMS_PER_MESSAGE,
    VariableName,
    items_per_message,
    name_v2x,
    name_v16,
    read_results,
)
from csms.ocpp.commands.variable_values import settle_read
from csms.ocpp.frames import JsonObject
from csms.ocpp.variables import V16_COMPONENT


@dataclass(frozen=True, slots=True)
class GetVariables:
    """Parameters of get_variables."""

    variables: list[VariableName] = field(
        default_factory=list, metadata=doc("what to read; empty: everything, on OCPP 1.6 only")
    )


def encode_v16(params: GetVariables) -> Order:
    """Without a key list the station names them all."""
    keys = [name_v16(name) for name in params.variables]
    return Order("GetConfiguration", {"key": keys} if keys else {})


def encode_v2x(params: GetVariables) -> Order:
    """Everything at once is a report, which comes in messages of its own (2.0.1 B07)."""
    if not params.variables:
        raise NotSupportedByVersion("OCPP 2.x reads everything by get_base_report")
    return Order("GetVariables", {"getVariableData": [name_v2x(name) for name in params.variables]})


def decode_v16(payload: JsonObject) -> GetVariables:
    """The keys are the names."""
    return GetVariables([VariableName(variable=key) for key in payload.get("key", ())])


def read(payload: JsonObject) -> Answer:
    """1.6 names the keys it does not know, and accepts."""
    return read_results(payload, "getVariableResult")


COMMAND = Command(
    name="get_variables",
    summary="Read configuration",
    command_class=CommandClass.A,
    params=GetVariables,
    actions={
        OcppVersion.V16: "GetConfiguration",
        OcppVersion.V201: "GetVariables",
        OcppVersion.V21: "GetVariables",
    },
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    read=read,
    settled=settle_read,
    batches={
        "GetConfiguration": Batch(
            "key",
            VariableKey(component=V16_COMPONENT, variable="GetConfigurationMaxKeys"),
            otherwise=ITEMS_PER_MESSAGE,
        ),
        "GetVariables": Batch(
            "getVariableData", items_per_message("GetVariables"), otherwise=ITEMS_PER_MESSAGE
        ),
    },
    decode_v16={"GetConfiguration": decode_v16},
)
