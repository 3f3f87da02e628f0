"""Display messages: what each station has, by what it accepted and by what it reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from csms.domain.display_messages import DisplayMessage, MessageFilter, displaces, matches
from csms.services import station_events
from csms.store import display_messages
from csms.store.database import Tx


def install(tx: Tx, station_id: int, message: DisplayMessage) -> None:
    """The station accepted a message."""
    display_messages.delete_over(tx, station_id)
    there = display_messages.list_of_station(tx, station_id, tx.now)
    display_messages.delete(
        tx, station_id, [old.message_id for old in there if displaces(message, old)]
    )
    display_messages.upsert(tx, station_id, message)
    station_events.emit(
        tx,
        station_id,
        "display_message.installed",
        message_id=message.message_id,
        priority=message.priority,
        state=message.state,
    )


def clear(tx: Tx, station_id: int, message_id: int) -> None:
    """The station does not have it any more, because we had it cleared."""
    _forget(tx, station_id, [message_id])


def record_reported(tx: Tx, station_id: int, messages: Iterable[DisplayMessage]) -> None:
    """The station reports that it has these."""
    for message in messages:
        display_messages.upsert(tx, station_id, message)


def forget_unreported(
    tx: Tx,
    station_id: int,
    wanted: MessageFilter,
    *,
    reported: frozenset[int],
    asked_at: datetime,
) -> None:
    """Asked for these, the station reported others: it has them no more.

    What was set since the station was asked may have missed the report.
    """
    gone = [
        message.message_id
        for message in display_messages.list_of_station(tx, station_id, tx.now)
        if matches(message, wanted)
        and message.message_id not in reported
        and message.updated_at is not None
        and message.updated_at <= asked_at
    ]
    _forget(tx, station_id, gone)


def _forget(tx: Tx, station_id: int, message_ids: list[int]) -> None:
    if display_messages.delete(tx, station_id, message_ids):
        station_events.emit(
            tx, station_id, "display_message.cleared", message_ids=sorted(message_ids)
        )
