"""SetDisplayMessage: have a station show a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.display_messages import STATES_V21, MessageFormat, MessagePriority, MessageState
from csms.domain.jobs import CommandClass
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands.command import (
    Answer,
    Command,
    ConnectorId,
    EvseId,
    Order,
    doc,
    evse_v2x,
    needs_evse,
)
from csms.ocpp.display_messages import read_message
from csms.ocpp.frames import JsonObject
from csms.services import display_messages
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class MessageContent:
    """What is shown, in one language."""

    content: Annotated[str, MaxLen(1024)] = field(
        metadata=doc("the text; at most 512 characters on OCPP 2.0.1")
    )
    format: MessageFormat = field(default=MessageFormat.UTF8, metadata=doc("what the text is"))
    language: Annotated[str, MinLen(1), MaxLen(8)] | None = field(
        default=None, metadata=doc("tag of RFC 5646, like en-US")
    )


@dataclass(frozen=True, slots=True)
class Display:
    """Which of several displays, by its component."""

    name: Annotated[str, MinLen(1), MaxLen(50)] = field(metadata=doc("name of the component"))
    instance: Annotated[str, MinLen(1), MaxLen(50)] | None = field(
        default=None, metadata=doc("its instance")
    )
    evse_id: EvseId | None = field(default=None, metadata=doc("at which EVSE"))
    connector_id: ConnectorId | None = field(default=None, metadata=doc("at which connector"))

    def __post_init__(self) -> None:
        needs_evse(self.evse_id, self.connector_id)


@dataclass(frozen=True, slots=True)
class SetDisplayMessage:
    """Parameters of set_display_message."""

    id: Annotated[int, Ge(0), Le(2**31 - 1)] = field(
        metadata=doc("its number at the station; one with the same number is replaced")
    )
    priority: MessagePriority = field(metadata=doc("in front of what it is shown"))
    message: MessageContent = field(metadata=doc("what is shown"))
    state: MessageState | None = field(
        default=None, metadata=doc("only while the station is in this state")
    )
    starts_at: datetime | None = field(default=None, metadata=doc("from when on"))
    ends_at: datetime | None = field(default=None, metadata=doc("until when"))
    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] | None = field(
        default=None, metadata=doc("only while this transaction goes on")
    )
    display: Display | None = field(default=None, metadata=doc("on which of several displays"))
    translations: Annotated[list[MessageContent], MaxLen(4)] = field(
        default_factory=list, metadata=doc("the same in other languages; OCPP 2.1 only")
    )

    def __post_init__(self) -> None:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise Invalid("must be after starts_at", loc=("ends_at",))


def encode_v201(params: SetDisplayMessage) -> Order:
    """Shorter texts in one language, fewer formats and states."""
    if params.translations:
        raise NotSupportedByVersion("OCPP 2.0.1 has messages in one language only")
    if len(params.message.content) > 512:
        raise NotSupportedByVersion("OCPP 2.0.1 has messages of at most 512 characters")
    if params.message.format is MessageFormat.QRCODE:
        raise NotSupportedByVersion("OCPP 2.0.1 cannot show a QR code")
    if params.state in STATES_V21:
        raise NotSupportedByVersion(f"OCPP 2.0.1 has no messages for {params.state.value}")
    return encode_v21(params)


def encode_v21(params: SetDisplayMessage) -> Order:
    """MessageInfoType."""
    message: JsonObject = {
        "id": params.id,
        "priority": params.priority.value,
        "message": _content(params.message),
    }
    if params.state is not None:
        message["state"] = params.state.value
    if params.starts_at is not None:
        message["startDateTime"] = format_timestamp(params.starts_at)
    if params.ends_at is not None:
        message["endDateTime"] = format_timestamp(params.ends_at)
    if params.transaction_id is not None:
        message["transactionId"] = params.transaction_id
    if params.display is not None:
        message["display"] = _component(params.display)
    if params.translations:
        message["messageExtra"] = [_content(content) for content in params.translations]
    return Order("SetDisplayMessage", {"message": message})


def _content(content: MessageContent) -> JsonObject:
    payload: JsonObject = {"format": content.format.value, "content": content.content}
    if content.language is not None:
        payload["language"] = content.language
    return payload


def _component(display: Display) -> JsonObject:
    payload: JsonObject = {"name": display.name}
    if display.instance is not None:
        payload["instance"] = display.instance
    if display.evse_id is not None:
        payload["evse"] = evse_v2x(display.evse_id, display.connector_id)
    return payload


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """The station has it now."""
    message = read_message(payload["message"])
    if answer.accepted and message is not None:
        display_messages.install(tx, station_id, message)


COMMAND = Command(
    name="set_display_message",
    summary="Have the station show a message",
    command_class=CommandClass.A,
    params=SetDisplayMessage,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "SetDisplayMessage"),
    encode={OcppVersion.V201: encode_v201, OcppVersion.V21: encode_v21},
    settled=settled,
)
