"""Display messages: what a station shows, when, and in front of what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class MessagePriority(str, Enum):
    """MessagePriorityEnumType."""

    ALWAYS_FRONT = "AlwaysFront"
    IN_FRONT = "InFront"
    NORMAL_CYCLE = "NormalCycle"


class MessageState(str, Enum):
    """MessageStateEnumType; the last two came with OCPP 2.1."""

    CHARGING = "Charging"
    FAULTED = "Faulted"
    IDLE = "Idle"
    UNAVAILABLE = "Unavailable"
    SUSPENDED = "Suspended"
    DISCHARGING = "Discharging"


class MessageFormat(str, Enum):
    """MessageFormatEnumType; the last one came with OCPP 2.1."""

    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"
    QRCODE = "QRCODE"


STATES_V21 = frozenset({MessageState.SUSPENDED, MessageState.DISCHARGING})


@dataclass(frozen=True, slots=True)
class DisplayMessage:
    """A message that a station has, as we sent it or as the station reported it."""

    message_id: int
    priority: str | None
    state: str | None
    """None: in every state."""
    starts_at: datetime | None
    ends_at: datetime | None
    station_transaction_id: str | None
    format: str | None
    language: str | None
    content: str | None
    raw: str
    updated_at: datetime | None = None
    """When it was set or last reported; None before it is stored."""


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages are meant; what is None or empty does not count."""

    message_ids: frozenset[int] = frozenset()
    priority: str | None = None
    state: str | None = None


def matches(message: DisplayMessage, wanted: MessageFilter) -> bool:
    """Whether the message is one of those that are meant."""
    return (
        (not wanted.message_ids or message.message_id in wanted.message_ids)
        and wanted.priority in {None, message.priority}
        and wanted.state in {None, message.state}
    )


def displaces(new: DisplayMessage, old: DisplayMessage) -> bool:
    """Whether a station drops `old` for `new`: only one is always in front (2.0.1 O01.FR.16)."""
    return (
        old.message_id != new.message_id
        and old.priority == new.priority == MessagePriority.ALWAYS_FRONT.value
    )
