"""Chargers of the commands dialect: list, create, show, change."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api.commands_dialect.charger_shape import charger_body, connector_body
from csms.api.commands_dialect.pages import CommandsPage, page_body
from csms.api.commands_dialect.sites import site_in_body
from csms.api.commands_dialect.texts import Text
from csms.api.models import Lenient
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.domain.locations import Location
from csms.domain.stations import NewStation, Station
from csms.errors import DuplicateIdentity, Invalid
from csms.services import stations


class NewCommandsCharger(Lenient):
    """A charger to register; it has no password until one is made for it."""

    identity: str = Field(min_length=1, description="At most 48 characters, no `/` or `:`.")
    site_uuid: str | None = Field(
        default=None, max_length=100, description="Required for a token bound to locations."
    )


class CommandsChargerChanges(Lenient):
    """What is left out stays as it is."""

    reference: Text | None = Field(default=None, description="A name of your own; null clears it.")


async def list_all(call: Call[None, CommandsPage]) -> Reply:
    """GET /api/v3/chargers."""
    return await list_at(call, None)


async def list_at(call: Call[None, CommandsPage], location: Location | None) -> Reply:
    """The chargers of one location, or of all that the caller reaches."""
    deps, query = call.deps, call.query
    found = await stations.list_stations(
        deps.db, call.principal, limit=query.per_page, offset=query.offset, location=location
    )
    connectors = await stations.list_connectors(deps.db, [item.id for item in found.items])
    data = [charger_body(deps, call.principal, item, connectors[item.id]) for item in found.items]
    return Reply(page_body(call.request, data, found.total, query))


async def create(call: Call[NewCommandsCharger, None]) -> Reply:
    """POST /api/v3/chargers."""
    site = await site_in_body(call, call.body.site_uuid)
    new = NewStation(call.body.identity, location_id=None if site is None else site.id)
    try:
        made, headers = await once(
            call,
            "station",
            lambda tx: _with_uuid(stations.create(tx, new)),
            again=lambda tx, uuid: stations.get(tx, uuid, call.principal),
        )
    except DuplicateIdentity as error:
        taken = "The identity has already been taken."
        raise Invalid(taken, loc=("identity",), given=new.identity) from error
    headers["Location"] = f"/api/v3/chargers/{made.uuid}"
    return Reply({"data": await _whole(call, made)}, status=201, headers=headers)


async def show(call: Call[None, None]) -> Reply:
    """GET /api/v3/chargers/{uuid}."""
    found = await stations.show_station(call.deps.db, call.path["uuid"], call.principal)
    return Reply({"data": await _whole(call, found.station)})


async def update(call: Call[CommandsChargerChanges, None]) -> Reply:
    """PUT /api/v3/chargers/{uuid}."""
    changes = {"name": call.body.reference} if "reference" in call.body.model_fields_set else {}
    changed = await stations.update_station(
        call.deps.db, call.path["uuid"], call.principal, changes
    )
    return Reply({"data": await _whole(call, changed.station)})


async def _whole(call: Call[Any, Any], station: Station) -> dict[str, Any]:
    """A charger with its connectors."""
    connectors = (await stations.list_connectors(call.deps.db, [station.id]))[station.id]
    body = charger_body(call.deps, call.principal, station, connectors)
    body["connectors"] = [
        connector_body(station, connector) for connector in connectors if connector.evse_id
    ]
    return body


def _with_uuid(station: Station) -> tuple[str, Station]:
    return station.uuid, station
