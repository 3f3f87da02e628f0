"""ChangeAvailability: take the station or a connector in or out of operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, ConnectorId, EvseId, Order, connector_v16, doc


class OperationalStatus(str, Enum):
    """OperationalStatusEnumType."""

    OPERATIVE = "Operative"
    INOPERATIVE = "Inoperative"


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """Parameters of change_availability."""

    operational_status: OperationalStatus = field(metadata=doc("the state to go to"))
    evse_id: EvseId | None = field(
        default=None, metadata=doc("which EVSE; left out: the whole station")
    )
    connector_id: ConnectorId = field(default=1, metadata=doc("which connector of the EVSE"))


def encode_v16(params: ChangeAvailability) -> Order:
    """Connector 0 is the whole station."""
    connector = 0
    if params.evse_id is not None:
        connector = connector_v16(params.evse_id, params.connector_id)
    return Order(
        "ChangeAvailability", {"connectorId": connector, "type": params.operational_status.value}
    )


COMMAND = Command(
    name="change_availability",
    summary="Take the station or one connector in or out of operation",
    command_class=CommandClass.A,
    params=ChangeAvailability,
    actions={OcppVersion.V16: "ChangeAvailability"},
    encode={OcppVersion.V16: encode_v16},
)
