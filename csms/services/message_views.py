"""The message log of one station by numbered pages: what goes on before what is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from csms.clock import to_micros
from csms.services.message_log import MessageLog
from csms.store import ocpp_messages as store
from csms.store.database import Database, ReadTx
from csms.store.ocpp_messages import Message, StoredMessage

__all__ = ["Message", "MessagePage", "MessageView", "MessagesWanted", "list_messages"]


@dataclass(frozen=True, slots=True)
class MessagesWanted:
    """Which of a station's messages; the times are those of the CALLs."""

    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Not itself included."""

    def takes(self, message: Message) -> bool:
        """Whether one that is not stored yet is among them."""
        at = message.started_at
        return (
            self.action in {None, message.action}
            and (self.since is None or at >= to_micros(self.since))
            and (self.until is None or at < to_micros(self.until))
        )


class MessageView(NamedTuple):
    """One CALL; without an id while its answer is waited for."""

    id: int | None
    message: Message


class MessagePage(NamedTuple):
    """A part of the messages, and how many there are in all."""

    items: list[MessageView]
    total: int


async def list_messages(
    db: Database,
    log: MessageLog,
    station_id: int,
    wanted: MessagesWanted,
    *,
    pending: Iterable[Message] = (),
    limit: int,
    offset: int = 0,
) -> MessagePage:
    """Newest first; `pending` are those of the station that have no answer yet."""
    await log.flush()
    going_on = sorted(
        (message for message in pending if wanted.takes(message)),
        key=lambda message: -message.started_at,
    )
    shown = [MessageView(None, message) for message in going_on[offset : offset + limit]]

    def look(tx: ReadTx) -> tuple[list[StoredMessage], int]:
        found = store.list_page(
            tx,
            station_id,
            limit=limit - len(shown),
            offset=max(0, offset - len(going_on)),
            action=wanted.action,
            since=wanted.since,
            until=wanted.until,
        )
        total = store.count(
            tx, station_id, action=wanted.action, since=wanted.since, until=wanted.until
        )
        return found, total

    stored, number = await db.read(look)
    return MessagePage([*shown, *(MessageView(*row) for row in stored)], number + len(going_on))
