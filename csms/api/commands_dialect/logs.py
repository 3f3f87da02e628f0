"""The message log of the commands dialect: a CALL and its answer are one row."""

from __future__ import annotations

from enum import Enum
from typing import Any

import orjson
from pydantic import AwareDatetime, Field

from csms.api.commands_dialect.pages import LimitedPage, PageLinks, PageMeta, page_body
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.api.times import micros
from csms.clock import from_micros
from csms.services import message_views, stations
from csms.services.message_views import Message, MessagesWanted, MessageView


class LogStatus(str, Enum):
    """What became of a CALL."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class LogDestination(str, Enum):
    """Who was called."""

    CENTRAL_SYSTEM = "centralsystem"
    CHARGER = "charger"


class CommandsLogs(LimitedPage):
    """Which rows; the times are those of the CALLs."""

    method: str | None = Field(
        default=None, alias="filter[method]", min_length=1, max_length=100, examples=["Reset"]
    )
    date_from: AwareDatetime | None = None
    date_to: AwareDatetime | None = Field(default=None, description="Not itself included.")


class CommandsLog(Shape):
    """One CALL and its answer, without passwords."""

    id: int | None = Field(description="Null while the answer is waited for.")
    charger_id: int
    status: LogStatus
    version: str
    method: str
    destination: LogDestination
    params: Any
    result: Any = Field(description="The answer, or the error; null when there is none.")
    created_at: str
    updated_at: str


class CommandsLogList(Shape):
    """A page of the log, the newest first."""

    data: list[CommandsLog]
    links: PageLinks
    meta: PageMeta


async def list_of_charger(call: Call[None, CommandsLogs]) -> Reply:
    """GET /api/v3/chargers/{uuid}/logs."""
    deps, query = call.deps, call.query
    found = await stations.show_station(deps.db, call.path["uuid"], call.principal)
    page = await message_views.list_messages(
        deps.db,
        deps.message_log,
        found.station.id,
        MessagesWanted(action=query.method, since=query.date_from, until=query.date_to),
        pending=deps.hub.pending_messages(found.station.id),
        limit=query.size,
        offset=query.offset,
    )
    data = [log_body(item) for item in page.items]
    return Reply(page_body(call.request, data, page.total, query))


def log_body(found: MessageView) -> dict[str, Any]:
    """One CALL and what became of it."""
    message = found.message
    status = LogStatus.FAILED
    if message.state in {LogStatus.PENDING.value, LogStatus.DONE.value}:
        status = LogStatus(message.state)
    to_us = message.direction == "in"
    answered_at = message.started_at + (message.latency_us or 0)
    return {
        "id": found.id,
        "charger_id": message.station_id,
        "status": status.value,
        "version": message.version,
        "method": message.action,
        "destination": (LogDestination.CENTRAL_SYSTEM if to_us else LogDestination.CHARGER).value,
        "params": _content(message.payload),
        "result": _result(message),
        "created_at": micros(from_micros(message.started_at)),
        "updated_at": micros(from_micros(answered_at)),
    }


def _result(message: Message) -> Any:
    answer = _content(message.answer)
    if message.error_code is None:
        return answer
    details = answer if isinstance(answer, dict) else {}
    return {"error_code": message.error_code, **details}


def _content(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
