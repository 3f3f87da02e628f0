"""Display messages on the wire, and what a whole report of them says."""

from __future__ import annotations

from csms.domain.display_messages import DisplayMessage, MessageFilter
from csms.ocpp.charging_profiles import read_instant
from csms.ocpp.fields import integer, objects, raw, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.whole_reports import Whole
from csms.services import display_messages
from csms.store.database import Tx


def read_message(payload: JsonObject) -> DisplayMessage | None:
    """MessageInfoType as a message that a station has; None when it has no id."""
    message_id = integer(payload, "id")
    if message_id is None:
        return None
    (content, *_) = objects(payload.get("message")) or [{}]
    shown = content.get("content")
    return DisplayMessage(
        message_id=message_id,
        priority=text(payload, "priority"),
        state=text(payload, "state"),
        starts_at=read_instant(payload.get("startDateTime")),
        ends_at=read_instant(payload.get("endDateTime")),
        station_transaction_id=text(payload, "transactionId"),
        format=text(content, "format"),
        language=text(content, "language"),
        content=shown if isinstance(shown, str) else None,
        raw=raw(payload),
    )


def forget_unreported(tx: Tx, whole: Whole) -> None:
    """Forget what was asked for and not reported."""
    display_messages.forget_unreported(
        tx,
        whole.station_id,
        _read_request(whole.request),
        reported=whole.ids("messageInfo"),
        asked_at=whole.asked_at,
    )


def _read_request(payload: JsonObject) -> MessageFilter:
    ids = payload.get("id")
    return MessageFilter(
        message_ids=frozenset(ids if isinstance(ids, list) else []),
        priority=text(payload, "priority"),
        state=text(payload, "state"),
    )
