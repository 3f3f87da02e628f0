"""Display messages on the wire, and what a whole report of them says."""

from __future__ import annotations

from csms.domain.display_messages import DisplayMessage, MessageFilter
from csms.ocpp.charging_profiles import read_instant
from csms.ocpp.fields import integer, objects, raw, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.reported_ids import find_request, reported_ids
from csms.services import display_messages
from csms.store import reports
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


def read_request(payload: JsonObject) -> MessageFilter:
    """Which messages a GetDisplayMessages asked for."""
    ids = payload.get("id")
    return MessageFilter(
        message_ids=frozenset(ids if isinstance(ids, list) else []),
        priority=text(payload, "priority"),
        state=text(payload, "state"),
    )


def forget_unreported(tx: Tx, report_id: int) -> None:
    """Forget what was asked for and not reported, once request and report are both there."""
    report = reports.get(tx, report_id)
    request = find_request(report)
    if request is not None:
        display_messages.forget_unreported(
            tx,
            report.station_id,
            read_request(request),
            reported=reported_ids(tx, report_id, "messageInfo"),
            asked_at=report.requested_at,
        )
