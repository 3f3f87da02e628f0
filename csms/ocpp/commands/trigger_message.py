"""TriggerMessage: ask the station to send one of its messages now."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, ConnectorId, EvseId, Order, connector_v16, doc


class MessageTrigger(str, Enum):
    """The MessageTriggerEnumType values that every version can ask for."""

    BOOT_NOTIFICATION = "BootNotification"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    LOG_STATUS_NOTIFICATION = "LogStatusNotification"
    METER_VALUES = "MeterValues"
    STATUS_NOTIFICATION = "StatusNotification"


@dataclass(frozen=True, slots=True)
class TriggerMessage:
    """Parameters of trigger_message."""

    requested_message: MessageTrigger = field(metadata=doc("which message to send"))
    evse_id: EvseId | None = field(
        default=None, metadata=doc("about which EVSE; left out: all of them")
    )
    connector_id: ConnectorId = field(default=1, metadata=doc("about which connector of the EVSE"))


def encode_v16(params: TriggerMessage) -> Order:
    """The log's status is called after diagnostics there."""
    wanted = params.requested_message
    renamed = wanted is MessageTrigger.LOG_STATUS_NOTIFICATION
    payload: dict[str, str | int] = {
        "requestedMessage": "DiagnosticsStatusNotification" if renamed else wanted.value
    }
    if params.evse_id is not None:
        payload["connectorId"] = connector_v16(params.evse_id, params.connector_id)
    return Order("TriggerMessage", payload)


COMMAND = Command(
    name="trigger_message",
    summary="Ask the station to send one of its messages now",
    command_class=CommandClass.A,
    params=TriggerMessage,
    actions={OcppVersion.V16: "TriggerMessage"},
    encode={OcppVersion.V16: encode_v16},
)
