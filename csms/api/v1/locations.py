"""Locations natively: list, show, create, change, delete, and what stands there."""

from __future__ import annotations

from pydantic import Field, field_validator

from csms.api import cursors
from csms.api.models import Page, Shape, Strict, TimeZone, never_null
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1 import stations, stats
from csms.api.v1.shapes import LocationShape, cursor_page
from csms.api.v1.stations import StationsPage
from csms.domain.locations import Location
from csms.services import locations
from csms.store import locations as store
from csms.store.database import Tx


class LocationPage(Shape):
    """Locations in order of creation."""

    items: list[LocationShape]
    next_cursor: str | None


class LocationText(Strict):
    """What may be said of a location, and may be unknown."""

    address: str | None = Field(default=None, max_length=500)
    city: str | None = Field(default=None, max_length=255)
    country: str | None = Field(default=None, max_length=255)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    timezone: TimeZone | None = None
    owner_name: str | None = Field(default=None, max_length=255)


class NewLocation(LocationText):
    """A location to create."""

    name: str = Field(min_length=1, max_length=255)
    slug: str | None = Field(default=None, min_length=1, max_length=100)
    public: bool = False


class LocationChanges(LocationText):
    """What is left out stays as it is; null clears what may be unknown."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    slug: str | None = Field(default=None, min_length=1, max_length=100)
    public: bool | None = None

    _is_always_known = field_validator("name", "slug", "public")(never_null)


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


async def change(call: Call[LocationChanges, None]) -> Reply:
    """200 with the location as it is now."""
    changed = await locations.update_location(
        call.deps.db,
        call.path["location_id"],
        call.principal,
        call.body.model_dump(exclude_unset=True),
    )
    return Reply(LocationShape.of(changed))


async def delete(call: Call[None, None]) -> Reply:
    """204, with its stations; 409 while one of them charges."""
    await locations.delete_location(call.deps.db, call.path["location_id"], call.principal)
    return Reply(status=204)


async def list_stations(call: Call[None, StationsPage]) -> Reply:
    """Its stations, as `GET /stations` lists them."""
    return await stations.list_at(call, call.query, call.path["location_id"])


async def summary(call: Call[None, None]) -> Reply:
    """As the overview of all stations, for this location alone."""
    found = await locations.show_location(call.deps.db, call.path["location_id"], call.principal)
    return Reply(await stats.counted(call, frozenset({found.id})))
