"""ChangeAvailability: take the station, an EVSE or a connector in or out of operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import (
    Command,
    ConnectorId,
    EvseId,
    Order,
    connector_v16,
    doc,
    evse_of_v16,
    evse_v2x,
    needs_evse,
)
from csms.ocpp.frames import JsonObject


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
    connector_id: ConnectorId | None = field(
        default=None, metadata=doc("which connector of the EVSE; left out: the whole EVSE")
    )

    def __post_init__(self) -> None:
        needs_evse(self.evse_id, self.connector_id)


def encode_v16(params: ChangeAvailability) -> Order:
    """Connector 0 is the whole station."""
    connector = 0
    if params.evse_id is not None:
        connector = connector_v16(params.evse_id, params.connector_id)
    return Order(
        "ChangeAvailability", {"connectorId": connector, "type": params.operational_status.value}
    )


def encode_v2x(params: ChangeAvailability) -> Order:
    """Without an EVSE it is the whole station (2.0.1 G04)."""
    payload: JsonObject = {"operationalStatus": params.operational_status.value}
    if params.evse_id is not None:
        payload["evse"] = evse_v2x(params.evse_id, params.connector_id)
    return Order("ChangeAvailability", payload)


def decode_v16(payload: JsonObject) -> ChangeAvailability:
    """A connector of 1.6 is a whole EVSE."""
    return ChangeAvailability(OperationalStatus(payload["type"]), evse_of_v16(payload))


COMMAND = Command(
    name="change_availability",
    summary="Take the station, an EVSE or a connector in or out of operation",
    command_class=CommandClass.A,
    params=ChangeAvailability,
    actions=dict.fromkeys(OcppVersion, "ChangeAvailability"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    decode_v16={"ChangeAvailability": decode_v16},
)
