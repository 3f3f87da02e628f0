"""A location named in a body: its public id becomes the station's column."""

from __future__ import annotations

from typing import Any

from csms.api.chargers_dialect.charger_shape import ChargerChanges, station_columns
from csms.api.routing import Call
from csms.domain.locations import Location
from csms.errors import Invalid, NotFound
from csms.services import locations


async def location_in_body(call: Call[Any, Any], uuid: str | None) -> Location | None:
    """The location; raises Invalid when it is absent or out of the caller's reach."""
    if uuid is None:
        return None
    try:
        return await locations.show_location(call.deps.db, uuid, call.principal)
    except NotFound as error:
        raise Invalid(error.message, loc=("location_id",), given=uuid) from error


async def columns_of(call: Call[Any, Any], changes: ChargerChanges) -> dict[str, Any]:
    """The columns the caller named, the location's among them."""
    columns = station_columns(changes)
    if "location_id" in changes.model_fields_set:
        location = await location_in_body(call, changes.location_id)
        columns["location_id"] = None if location is None else location.id
    return columns
