"""ClearDisplayMessage: take a message off a station."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.services import display_messages
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class ClearDisplayMessage:
    """Parameters of clear_display_message."""

    id: Annotated[int, Ge(0), Le(2**31 - 1)] = field(metadata=doc("its number at the station"))


def encode(params: ClearDisplayMessage) -> Order:
    """The same in 2.0.1 and 2.1."""
    return Order("ClearDisplayMessage", {"id": params.id})


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """It is gone; by `Unknown` the station says that it does not have it."""
    message_id = integer(payload, "id")
    if message_id is not None and (answer.accepted or answer.status in COMMAND.gone):
        display_messages.clear(tx, station_id, message_id)


COMMAND = Command(
    name="clear_display_message",
    summary="Take a message off the station's display",
    command_class=CommandClass.B,
    params=ClearDisplayMessage,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "ClearDisplayMessage"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encode),
    gone=frozenset({"Unknown"}),
    settled=settled,
)
