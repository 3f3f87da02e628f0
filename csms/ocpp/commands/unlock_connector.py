"""UnlockConnector: release the cable."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import (
    Command,
    ConnectorId,
    EvseId,
    Order,
    connector_v16,
    doc,
    evse_of_v16,
)
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True)
class UnlockConnector:
    """Parameters of unlock_connector."""

    evse_id: EvseId = field(metadata=doc("which EVSE"))
    connector_id: ConnectorId = field(default=1, metadata=doc("which connector of the EVSE"))


def encode_v16(params: UnlockConnector) -> Order:
    """The EVSE is the connector."""
    connector = connector_v16(params.evse_id, params.connector_id)
    return Order("UnlockConnector", {"connectorId": connector})


def encode_v2x(params: UnlockConnector) -> Order:
    """Both are named."""
    return Order("UnlockConnector", {"evseId": params.evse_id, "connectorId": params.connector_id})


def decode_v16(payload: JsonObject) -> UnlockConnector:
    """The connector is the EVSE's only one."""
    evse_id = evse_of_v16(payload)
    if evse_id is None:
        raise NotSupportedByVersion("connector 0 has no cable")
    return UnlockConnector(evse_id)


COMMAND = Command(
    name="unlock_connector",
    summary="Release the cable of a connector",
    command_class=CommandClass.C,
    params=UnlockConnector,
    actions=dict.fromkeys(OcppVersion, "UnlockConnector"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    decode_v16={"UnlockConnector": decode_v16},
)
