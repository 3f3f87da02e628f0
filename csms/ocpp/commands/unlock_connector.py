"""UnlockConnector: release the cable."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, ConnectorId, EvseId, Order, connector_v16, doc


@dataclass(frozen=True, slots=True)
class UnlockConnector:
    """Parameters of unlock_connector."""

    evse_id: EvseId = field(metadata=doc("which EVSE"))
    connector_id: ConnectorId = field(default=1, metadata=doc("which connector of the EVSE"))


def encode_v16(params: UnlockConnector) -> Order:
    """The EVSE is the connector."""
    connector = connector_v16(params.evse_id, params.connector_id)
    return Order("UnlockConnector", {"connectorId": connector})


COMMAND = Command(
    name="unlock_connector",
    summary="Release the cable of a connector",
    command_class=CommandClass.C,
    params=UnlockConnector,
    actions={OcppVersion.V16: "UnlockConnector"},
    encode={OcppVersion.V16: encode_v16},
)
