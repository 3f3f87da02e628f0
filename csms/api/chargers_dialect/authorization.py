"""What a charger authorizes by itself: its cache and its local list."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from csms.api.chargers_dialect.asking import ask
from csms.api.chargers_dialect.pages import ChargersPage, page_body
from csms.api.chargers_dialect.queued import Order
from csms.api.chargers_dialect.targets import OneCharger, one_charger
from csms.api.chargers_dialect.texts import Word
from csms.api.models import Lenient, Shape
from csms.api.routing import Call, Reply
from csms.api.times import seconds
from csms.domain.jobs import ItemState, JobItem
from csms.domain.local_lists import ListEntry
from csms.domain.stations import Station
from csms.domain.timestamps import format_timestamp
from csms.ocpp.commands.send_local_list import MAX_ENTRIES, MAX_VERSION
from csms.services import station_views


class Nothing(Lenient):
    """The path says it all."""


class EmptyCommand(Lenient):
    """A command to one charger without more to say."""

    target: OneCharger
    event: Nothing = Field(default_factory=Nothing)


class ListedTag(Lenient):
    """A tag that may charge."""

    id_tag: Word
    expiry_date: AwareDatetime | None = None
    parent_id_tag: Word | None = None


class LocalAuthList(Lenient):
    """The list that the charger shall have."""

    list_version: int = Field(ge=1, le=MAX_VERSION)
    update_type: Literal["Full", "Differential"] = Field(
        default="Full", description="Differential adds the entries to what is on the list."
    )
    entries: list[ListedTag] = Field(max_length=MAX_ENTRIES)


class LocalAuthListCommand(Lenient):
    """Send a list."""

    target: OneCharger
    event: LocalAuthList


class CacheAnswer(Shape):
    """Whether the cache is empty now."""

    msg: str
    cleared_entries: int | None = Field(description="Null: a charger does not say how many.")


class LocalAuthListAnswer(Shape):
    """Whether the charger took the list."""

    status: str
    list_version: int | None
    entries_received: int
    entries_deleted: int | None = Field(
        description="Of those that were on its list before; null when we do not know them."
    )
    msg: str


class LocalAuthListEntry(Shape):
    """A tag on a charger's list."""

    id_tag: str
    expiry_date: str | None
    parent_id_tag: str | None


class LocalAuthListPage(Shape):
    """A page of a charger's list; empty when nobody knows what is on it."""

    data: list[LocalAuthListEntry]
    total: int
    page: int
    limit: int


async def reset_cache(call: Call[EmptyCommand, None]) -> Reply:
    """POST /ocpp/commands/cache/reset."""
    station = await _station(call)
    item = await ask(call, station, Order("cache/reset", "clear_cache", {}))
    cleared = item.state is ItemState.SUCCEEDED
    msg = "The cache is cleared." if cleared else f"The charger answered {item.response_status}."
    return Reply({"msg": msg, "cleared_entries": None if cleared else 0}, status=202)


async def send_list(call: Call[LocalAuthListCommand, None]) -> Reply:
    """POST /ocpp/commands/local-auth-list."""
    event = call.body.event
    params = {
        "update_type": event.update_type,
        "version_number": event.list_version,
        "entries": [_entry(one) for one in event.entries],
    }
    return await _send(call, params, received=len(event.entries))


async def clear_list(call: Call[EmptyCommand, None]) -> Reply:
    """POST /ocpp/commands/clear-local-auth-list."""
    return await _send(call, {"update_type": "Full"}, received=0)


async def show_list(call: Call[None, ChargersPage]) -> Reply:
    """GET /ocpp/chargers/{charger_id}/local-auth-list: what we know of it."""
    station = (await one_charger(call, call.path["charger_id"])).stations[0]
    known = await station_views.show_local_list(call.deps.db, station.id)
    entries, page = known.entries or [], call.query
    shown = entries[page.offset : page.offset + page.limit]
    return Reply(page_body([_shown(entry) for entry in shown], len(entries), page))


async def _send(call: Call[Any, None], params: dict[str, Any], *, received: int) -> Reply:
    station, db = await _station(call), call.deps.db
    before = await station_views.show_local_list(db, station.id)
    item = await ask(call, station, Order("local-auth-list", "send_local_list", params))
    after = await station_views.show_local_list(db, station.id)
    body = {
        "status": item.response_status or "Accepted",
        "list_version": after.version,
        "entries_received": received,
        "entries_deleted": _gone(before.entries, after.entries),
        "msg": _told(item),
    }
    return Reply(body, status=202)


def _gone(before: list[ListEntry] | None, after: list[ListEntry] | None) -> int | None:
    if before is None or after is None:
        return None
    left = {entry.key for entry in after}
    return sum(entry.key not in left for entry in before)


def _told(item: JobItem) -> str:
    if item.state is ItemState.SUCCEEDED:
        return "The charger has the list."
    return item.message or "The charger refused the list."


async def _station(call: Call[Any, None]) -> Station:
    return (await one_charger(call, call.body.target.charger_id)).stations[0]


def _entry(tag: ListedTag) -> dict[str, Any]:
    entry: dict[str, Any] = {"id_token": tag.id_tag, "status": "Accepted"}
    if tag.expiry_date is not None:
        entry["expires_at"] = format_timestamp(tag.expiry_date)
    if tag.parent_id_tag is not None:
        entry["group_id_token"] = tag.parent_id_tag
    return entry


def _shown(entry: ListEntry) -> dict[str, Any]:
    return {
        "id_tag": entry.id_token,
        "expiry_date": seconds(entry.expires_at),
        "parent_id_tag": entry.group_id_token,
    }
