"""Sites of the commands dialect, which are our locations: list, create, show, change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from csms.api.commands_dialect.charger_shape import CommandsPermissions, permissions_body
from csms.api.commands_dialect.pages import CommandsPage, PageLinks, PageMeta, page_body
from csms.api.commands_dialect.texts import Name, Text
from csms.api.models import Lenient, Shape
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.times import micros
from csms.domain.locations import Location
from csms.errors import Invalid, NotFound
from csms.services import locations


class _SiteFields(Lenient):
    street: Text | None = None
    house_number: Text | None = None
    house_number_addition: Text | None = None
    postal_code: Text | None = None
    city: Text | None = None
    country: Text | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)


class NewSite(_SiteFields):
    """A site to create; only the name is required."""

    name: Name


class SiteChanges(_SiteFields):
    """What to change; fields that are left out stay as they are, null clears."""

    name: Name | None = Field(default=None, description="Null leaves it as it is.")


class Site(Shape):
    """A site."""

    uuid: str
    id: int
    name: str
    street: str | None
    house_number: str | None
    house_number_addition: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    chargers_count: int
    permissions: CommandsPermissions
    created_at: str
    updated_at: str


class SiteAnswer(Shape):
    """One site, wrapped."""

    data: Site


class SiteList(Shape):
    """A page of sites."""

    data: list[Site]
    links: PageLinks
    meta: PageMeta


async def list_all(call: Call[None, CommandsPage]) -> Reply:
    """GET /api/v3/sites."""
    query = call.query
    found = await locations.list_locations(
        call.deps.db, call.principal, limit=query.per_page, offset=query.offset
    )
    data = await _bodies(call, found.items)
    return Reply(page_body(call.request, data, found.total, query))


async def create(call: Call[NewSite, None]) -> Reply:
    """POST /api/v3/sites."""
    locations.check_may_create(call.principal)
    made, headers = await once(
        call,
        "location",
        lambda tx: _with_uuid(locations.create(tx, **_columns(call.body))),
        again=lambda tx, uuid: locations.get(tx, uuid, call.principal),
    )
    headers["Location"] = f"/api/v3/sites/{made.uuid}"
    (body,) = await _bodies(call, [made])
    return Reply({"data": body}, status=201, headers=headers)


async def show(call: Call[None, None]) -> Reply:
    """GET /api/v3/sites/{uuid}."""
    (body,) = await _bodies(call, [await find_site(call)])
    return Reply({"data": body})


async def update(call: Call[SiteChanges, None]) -> Reply:
    """PUT /api/v3/sites/{uuid}; partial."""
    columns = _columns(call.body)
    try:
        changed = await locations.update_location(
            call.deps.db, call.path["uuid"], call.principal, columns
        )
    except NotFound as error:
        raise NotFound(_NOT_FOUND) from error
    (body,) = await _bodies(call, [changed])
    return Reply({"data": body})


async def find_site(call: Call[Any, Any]) -> Location:
    """The site of the path; raises NotFound, also when out of reach."""
    try:
        return await locations.show_location(call.deps.db, call.path["uuid"], call.principal)
    except NotFound as error:
        raise NotFound(_NOT_FOUND) from error


async def site_in_body(call: Call[Any, Any], uuid: str | None) -> Location | None:
    """The site a body names as `site_uuid`; raises Invalid when it is absent or out of reach."""
    if uuid is None:
        if call.principal.location_ids is None:
            return None
        raise Invalid("The site uuid field is required.", loc=("site_uuid",), kind="missing")
    try:
        return await locations.show_location(call.deps.db, uuid, call.principal)
    except NotFound as error:
        message = "The selected site uuid is invalid."
        raise Invalid(message, loc=("site_uuid",), given=uuid) from error


_NOT_FOUND = "Site not found"


async def _bodies(call: Call[Any, Any], items: Sequence[Location]) -> list[dict[str, Any]]:
    counts = await locations.count_stations(call.deps.db, [item.id for item in items])
    return [
        {
            "uuid": item.uuid,
            "id": item.id,
            "name": item.name,
            "street": item.street_line,
            "house_number": item.house_number,
            "house_number_addition": item.house_number_addition,
            "postal_code": item.postal_code,
            "city": item.city,
            "country": item.country,
            "latitude": item.latitude,
            "longitude": item.longitude,
            "chargers_count": counts[item.id],
            "permissions": permissions_body(call.principal),
            "created_at": micros(item.created_at),
            "updated_at": micros(item.updated_at),
        }
        for item in items
    ]


def _columns(body: NewSite | SiteChanges) -> dict[str, Any]:
    """The columns that the caller named; a site always has a name."""
    columns = body.model_dump(exclude_unset=True)
    if body.name is None:
        columns.pop("name", None)
    return columns


def _with_uuid(location: Location) -> tuple[str, Location]:
    return location.uuid, location
