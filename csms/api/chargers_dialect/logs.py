"""The message log of a charger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field

from csms.api.chargers_dialect.targets import one_charger
from csms.api.models import LenientQuery, Shape
from csms.api.routing import Call, Reply
from csms.api.times import seconds
from csms.clock import from_micros
from csms.services import message_views
from csms.services.message_views import MessagesWanted, MessageView

_CALL = 2


def _aware(at: datetime) -> datetime:
    """A time without a zone is UTC."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


Instant = Annotated[datetime, AfterValidator(_aware)]


class LogsWanted(LenientQuery):
    """Which messages."""

    start_date: Instant | None = None
    end_date: Instant | None = Field(default=None, description="Not itself included.")
    event: str | None = Field(
        default=None, max_length=100, description="The action, e.g. StatusNotification."
    )
    limit: int = Field(default=50, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=100_000_000)


class ChargerLogEntry(Shape):
    """A CALL and what came of it."""

    direction: str = Field(description="`in`: from the charger, `out`: to it.")
    action: str
    message: str = Field(description="The CALL as JSON, without passwords.")
    timestamp: str
    answer: str | None = Field(description="The payload of its answer as JSON.")
    state: str


class ChargerLogs(Shape):
    """Messages, the newest first."""

    data: list[ChargerLogEntry]
    total: int
    limit: int
    offset: int


async def show(call: Call[None, LogsWanted]) -> Reply:
    """GET /ocpp/chargers/{charger_id}/logs."""
    deps, query = call.deps, call.query
    station = (await one_charger(call, call.path["charger_id"])).stations[0]
    found = await message_views.list_messages(
        deps.db,
        deps.message_log,
        station.id,
        MessagesWanted(action=query.event, since=query.start_date, until=query.end_date),
        pending=deps.hub.pending_messages(station.id),
        limit=query.limit,
        offset=query.offset,
    )
    return Reply(
        {
            "data": [_entry(view) for view in found.items],
            "total": found.total,
            "limit": query.limit,
            "offset": query.offset,
        }
    )


def _entry(view: MessageView) -> dict[str, Any]:
    message = view.message
    frame = [_CALL, message.message_id, message.action, _content(message.payload)]
    return {
        "direction": message.direction,
        "action": message.action,
        "message": orjson.dumps(frame).decode(),
        "timestamp": seconds(from_micros(message.started_at)),
        "answer": message.answer,
        "state": message.state,
    }


def _content(text: str | None) -> Any:
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError:  # cut short, or never was any
        return text
