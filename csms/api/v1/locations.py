"""Locations natively: list, show, create."""

from __future__ import annotations

from pydantic import Field

from csms.api import cursors
from csms.api.models import Page, Shape, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import LocationShape, cursor_page
from csms.domain.locations import Location
from csms.services import locations
from csms.store import locations as store
from csms.store.database import Tx


class LocationPage(Shape):
    """Locations in order of creation."""

    items: list[LocationShape]
    next_cursor: str | None


class NewLocation(Strict):
    """A location to create."""

    name: str = Field(min_length=1, max_length=255)
    slug: str | None = Field(default=None, min_length=1, max_length=100)
    address: str | None = Field(default=None, max_length=500)
    city: str | None = Field(default=None, max_length=255)
    country: str | None = Field(default=None, max_length=255)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    timezone: str | None = Field(default=None, max_length=100)
    owner_name: str | None = Field(default=None, max_length=255)
    public: bool = False


async def list_locations(call: Call[None, Page]) -> Reply:
    """Those the token reaches."""
    query, reach = call.query, call.principal.location_ids
    after_id = cursors.read(query.cursor) or 0
    found = await call.deps.db.read(
        lambda tx: store.list_page(tx, limit=query.limit + 1, after_id=after_id, reach=reach)
    )
    shown = found[: query.limit]
    more = cursors.write(shown[-1].id) if len(found) > len(shown) else None
    return Reply(cursor_page([LocationShape.of(one) for one in shown], more))


async def show(call: Call[None, None]) -> Reply:
    """One location."""
    found = await locations.show_location(call.deps.db, call.path["location_id"], call.principal)
    return Reply(LocationShape.of(found))


async def create(call: Call[NewLocation, None]) -> Reply:
    """201 with the location."""
    locations.check_may_create(call.principal)
    columns = call.body.model_dump(exclude_none=True)

    def make(tx: Tx) -> tuple[str, Location]:
        made = locations.create(tx, **columns)
        return made.uuid, made

    made, headers = await once(
        call, "location", make, again=lambda tx, uuid: locations.get(tx, uuid, call.principal)
    )
    headers["Location"] = f"/api/v1/locations/{made.uuid}"
    return Reply(LocationShape.of(made), status=201, headers=headers)
