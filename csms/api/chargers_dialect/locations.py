"""Locations of the chargers dialect: list, create, show, change, delete."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api.chargers_dialect.pages import ChargersPage, page_body
from csms.api.models import Lenient, Shape, TimeZone
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.times import seconds
from csms.domain.locations import Location
from csms.services import locations

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Text = Annotated[str, StringConstraints(max_length=255)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]


class ChargersCoordinates(Lenient):
    """Where it is, in decimal degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class NewChargersLocation(Lenient):
    """A location to create; only the name is required."""

    name: Name
    slug: Slug | None = None
    address: Text | None = None
    city: Text | None = None
    country: Text | None = None
    coordinates: ChargersCoordinates | None = None
    timezone: TimeZone | None = None
    owner_name: Text | None = None
    public: bool | None = None


class ChargersLocationChanges(Lenient):
    """What to change; fields that are left out stay as they are, null clears."""

    name: Name | None = None
    slug: Slug | None = None
    address: Text | None = None
    city: Text | None = None
    country: Text | None = None
    coordinates: ChargersCoordinates | None = None
    timezone: TimeZone | None = None
    owner_name: Text | None = None
    public: bool | None = None
    status: Text | None = None


class ChargersLocation(Shape):
    """A location."""

    id: str
    slug: str
    name: str
    address: str | None
    city: str | None
    country: str | None
    coordinates: ChargersCoordinates | None
    timezone: str | None
    owner_name: str | None
    public: bool
    status: str
    created_at: str
    updated_at: str


class ChargersLocationList(Shape):
    """A page of locations."""

    data: list[ChargersLocation]
    total: int
    page: int
    limit: int


async def list_all(call: Call[None, ChargersPage]) -> Reply:
    """GET /ocpp/locations."""
    found = await locations.list_locations(
        call.deps.db, call.principal, limit=call.query.limit, offset=call.query.offset
    )
    return Reply(page_body([location_body(item) for item in found.items], found.total, call.query))


async def create(call: Call[NewChargersLocation, None]) -> Reply:
    """POST /ocpp/locations."""
    locations.check_may_create(call.principal)

    made, headers = await once(
        call,
        "location",
        lambda tx: _with_uuid(locations.create(tx, **_columns(call.body))),
        again=lambda tx, uuid: locations.get(tx, uuid, call.principal),
    )
    return Reply(
        location_body(made),
        status=201,
        headers={**headers, "Location": f"/ocpp/locations/{made.uuid}"},
    )


async def show(call: Call[None, None]) -> Reply:
    """GET /ocpp/locations/{location_id}."""
    found = await locations.show_location(call.deps.db, call.path["location_id"], call.principal)
    return Reply(location_body(found))


async def update(call: Call[ChargersLocationChanges, None]) -> Reply:
    """PUT /ocpp/locations/{location_id}; partial."""
    changed = await locations.update_location(
        call.deps.db, call.path["location_id"], call.principal, _columns(call.body)
    )
    return Reply(location_body(changed))


async def delete(call: Call[None, None]) -> Reply:
    """DELETE /ocpp/locations/{location_id}, with its chargers."""
    await locations.delete_location(call.deps.db, call.path["location_id"], call.principal)
    return Reply(status=204)


def location_body(location: Location) -> dict[str, Any]:
    """A location as this dialect writes it."""
    coordinates = None
    if location.latitude is not None and location.longitude is not None:
        coordinates = {"latitude": location.latitude, "longitude": location.longitude}
    return {
        "id": location.uuid,
        "slug": location.slug,
        "name": location.name,
        "address": location.address,
        "city": location.city,
        "country": location.country,
        "coordinates": coordinates,
        "timezone": location.timezone,
        "owner_name": location.owner_name,
        "public": location.public,
        "status": location.status,
        "created_at": seconds(location.created_at),
        "updated_at": seconds(location.updated_at),
    }


# What has no "unknown" in a location; null leaves it as it is.
_NEVER_NULL = frozenset({"name", "slug", "public", "status"})


def _with_uuid(location: Location) -> tuple[str, Location]:
    return location.uuid, location


def _columns(body: NewChargersLocation | ChargersLocationChanges) -> dict[str, Any]:
    """The columns that the caller named."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    kept = {
        name: value for name, value in given.items() if value is not None or name not in _NEVER_NULL
    }
    if "coordinates" in kept:
        place: ChargersCoordinates | None = kept.pop("coordinates")
        kept["latitude"] = None if place is None else place.latitude
        kept["longitude"] = None if place is None else place.longitude
    return kept
