"""TriggerMessage, on 1.6 also ExtendedTriggerMessage: ask for one of the station's messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
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


class MessageTrigger(str, Enum):
    """MessageTriggerEnumType, of all versions."""

    BOOT_NOTIFICATION = "BootNotification"
    CUSTOM_TRIGGER = "CustomTrigger"
    FIRMWARE_STATUS_NOTIFICATION = "FirmwareStatusNotification"
    HEARTBEAT = "Heartbeat"
    LOG_STATUS_NOTIFICATION = "LogStatusNotification"
    METER_VALUES = "MeterValues"
    PUBLISH_FIRMWARE_STATUS_NOTIFICATION = "PublishFirmwareStatusNotification"
    SIGN_CHARGING_STATION_CERTIFICATE = "SignChargingStationCertificate"
    SIGN_COMBINED_CERTIFICATE = "SignCombinedCertificate"
    SIGN_V2G_20_CERTIFICATE = "SignV2G20Certificate"
    SIGN_V2G_CERTIFICATE = "SignV2GCertificate"
    STATUS_NOTIFICATION = "StatusNotification"
    TRANSACTION_EVENT = "TransactionEvent"


_ONLY_V21 = frozenset({MessageTrigger.CUSTOM_TRIGGER, MessageTrigger.SIGN_V2G_20_CERTIFICATE})
# The word of 1.6, and the action that knows it.
_V16 = {
    MessageTrigger.BOOT_NOTIFICATION: ("BootNotification", "TriggerMessage"),
    MessageTrigger.FIRMWARE_STATUS_NOTIFICATION: ("FirmwareStatusNotification", "TriggerMessage"),
    MessageTrigger.HEARTBEAT: ("Heartbeat", "TriggerMessage"),
    # The log's status is called after diagnostics there.
    MessageTrigger.LOG_STATUS_NOTIFICATION: ("DiagnosticsStatusNotification", "TriggerMessage"),
    MessageTrigger.METER_VALUES: ("MeterValues", "TriggerMessage"),
    MessageTrigger.SIGN_CHARGING_STATION_CERTIFICATE: (
        "SignChargePointCertificate",
        "ExtendedTriggerMessage",
    ),
    MessageTrigger.STATUS_NOTIFICATION: ("StatusNotification", "TriggerMessage"),
}
_FROM_V16 = {word: trigger for trigger, (word, _) in _V16.items()} | {
    "LogStatusNotification": MessageTrigger.LOG_STATUS_NOTIFICATION
}


@dataclass(frozen=True, slots=True)
class TriggerMessage:
    """Parameters of trigger_message."""

    requested_message: MessageTrigger = field(metadata=doc("which message to send"))
    evse_id: EvseId | None = field(
        default=None,
        metadata=doc("about which EVSE; left out: all of them, but StatusNotification on 2.x"),
    )
    connector_id: ConnectorId | None = field(
        default=None, metadata=doc("about which connector of the EVSE")
    )
    custom_trigger: Annotated[str | None, MinLen(1), MaxLen(50)] = field(
        default=None, metadata=doc("which message of the vendor's own, with CustomTrigger")
    )

    def __post_init__(self) -> None:
        needs_evse(self.evse_id, self.connector_id)
        wanted = self.requested_message is MessageTrigger.CUSTOM_TRIGGER
        if wanted != (self.custom_trigger is not None):
            raise Invalid("goes with CustomTrigger, and only with it", loc=("custom_trigger",))


def encode_v16(params: TriggerMessage) -> Order:
    """What TriggerMessage has no word for is asked by ExtendedTriggerMessage."""
    known = _V16.get(params.requested_message)
    if known is None:
        raise NotSupportedByVersion(f"OCPP 1.6 cannot ask for {params.requested_message.value}")
    word, action = known
    payload: JsonObject = {"requestedMessage": word}
    if params.evse_id is not None:
        payload["connectorId"] = connector_v16(params.evse_id, params.connector_id)
    return Order(action, payload)


def encode_v201(params: TriggerMessage) -> Order:
    """As 2.1, which knows two more words."""
    if params.requested_message in _ONLY_V21:
        raise NotSupportedByVersion(f"OCPP 2.0.1 cannot ask for {params.requested_message.value}")
    return encode_v21(params)


def encode_v21(params: TriggerMessage) -> Order:
    """The status of one connector at a time: nothing else has one (2.0.1 F06.FR.13)."""
    wanted = params.requested_message
    payload: JsonObject = {"requestedMessage": wanted.value}
    connector_id = params.connector_id
    if wanted is MessageTrigger.STATUS_NOTIFICATION:
        if params.evse_id is None:
            raise NotSupportedByVersion("OCPP 2.x asks for the status of one connector: name it")
        connector_id = connector_id or 1
    if params.evse_id is not None:
        payload["evse"] = evse_v2x(params.evse_id, connector_id)
    if params.custom_trigger is not None:
        payload["customTrigger"] = params.custom_trigger
    return Order("TriggerMessage", payload)


def decode_v16(payload: JsonObject) -> TriggerMessage:
    """Reads ExtendedTriggerMessage as well."""
    return TriggerMessage(_FROM_V16[payload["requestedMessage"]], evse_of_v16(payload))


COMMAND = Command(
    name="trigger_message",
    summary="Ask the station to send one of its messages now",
    command_class=CommandClass.A,
    params=TriggerMessage,
    actions=dict.fromkeys(OcppVersion, "TriggerMessage"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    decode_v16={"TriggerMessage": decode_v16, "ExtendedTriggerMessage": decode_v16},
)
