"""Lists of one station, newest first: find it, read one row more than is shown, tell the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import AwareDatetime, Field

from csms.api import cursors
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import cursor_page
from csms.store.database import ReadTx

T = TypeVar("T")


class Span(Page):
    """Paging of what happened, within a time."""

    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = Field(default=None, description="Not itself included.")


class Wanted(NamedTuple):
    """The part of a station's rows that a page needs."""

    station_id: int
    before_id: int | None
    limit: int


async def of_station(
    call: Call[None, Any],
    fetch: Callable[[ReadTx, Wanted], Sequence[T]],
    show: Callable[[T], Shape],
    *,
    place: Callable[[T], int],
) -> Reply:
    """A page of what `fetch` finds for the station of the path; `place` is a row's id."""
    limit, before_id = call.query.limit, cursors.read(call.query.cursor)

    def look(tx: ReadTx) -> Sequence[T]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return fetch(tx, Wanted(station.id, before_id, limit + 1))

    found = await call.deps.db.read(look)
    shown = found[:limit]
    more = cursors.write(place(shown[-1])) if len(found) > limit else None
    return Reply(cursor_page([show(one) for one in shown], more))
