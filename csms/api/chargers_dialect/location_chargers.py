"""The chargers of one location: list, change several, delete several."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api.chargers_dialect.charger_shape import (
    ChargerChanges,
    ChargersCharger,
    charger_bodies,
)
from csms.api.chargers_dialect.pages import ChargersPage, page_body
from csms.api.chargers_dialect.places import columns_of
from csms.api.models import Lenient, LenientQuery, Shape
from csms.api.routing import Call, Reply
from csms.api.wording import of_chargers
from csms.errors import CsmsError
from csms.services import locations, stations


class LocationChargersPage(ChargersPage):
    """Which chargers; here `charger_ids` are their internal ids."""

    charger_ids: list[str] | None = Field(default=None, max_length=1000)


class ChargersToDelete(LenientQuery):
    """The internal ids of the chargers to delete."""

    charger_ids: list[str] = Field(min_length=1, max_length=1000)


class ChargerUpdate(ChargerChanges):
    """What to change of one charger."""

    charger_id: str


class ChargerUpdates(Lenient):
    """What to change of several chargers."""

    chargers: list[ChargerUpdate] = Field(min_length=1, max_length=10_000)


class ChargerFailure(Shape):
    """A charger for which it was refused."""

    charger_id: str
    error: str


class UpdatedChargers(Shape):
    """Which chargers changed."""

    updated_count: int
    failed_count: int
    updated: list[ChargersCharger]
    failed: list[ChargerFailure]


class DeletedChargers(Shape):
    """Which chargers are gone."""

    deleted_count: int
    failed_count: int
    deleted: list[str]
    failed: list[ChargerFailure]


async def list_all(call: Call[None, LocationChargersPage]) -> Reply:
    """GET /ocpp/locations/{location_id}/chargers."""
    db, query = call.deps.db, call.query
    location = await locations.show_location(db, call.path["location_id"], call.principal)
    found = await stations.list_stations(
        db,
        call.principal,
        limit=query.limit,
        offset=query.offset,
        location=location,
        uuids=query.charger_ids,
    )
    data = charger_bodies(found.items, found.locations)
    return Reply(page_body(data, found.total, query))


async def update(call: Call[ChargerUpdates, None]) -> Reply:
    """PUT /ocpp/locations/{location_id}/chargers; each charger on its own."""
    db = call.deps.db
    location = await locations.show_location(db, call.path["location_id"], call.principal)
    failed: list[dict[str, Any]] = []
    changes: list[tuple[str, dict[str, Any]]] = []
    for wanted in call.body.chargers:
        try:
            columns = await columns_of(call, wanted)
        except CsmsError as error:
            failed.append(_failure(wanted.charger_id, error))
        else:
            changes.append((wanted.charger_id, columns))
    updated, refused = await stations.update_stations_at(db, location, call.principal, changes)
    failed += [_failure(refusal.uuid, refusal.error) for refusal in refused]
    return Reply(
        {
            "updated_count": len(updated.items),
            "failed_count": len(failed),
            "updated": charger_bodies(updated.items, updated.locations),
            "failed": failed,
        }
    )


async def delete(call: Call[None, ChargersToDelete]) -> Reply:
    """DELETE /ocpp/locations/{location_id}/chargers; each charger on its own."""
    db = call.deps.db
    location = await locations.show_location(db, call.path["location_id"], call.principal)
    deleted, refused = await stations.delete_stations_at(db, location, call.query.charger_ids)
    return Reply(
        {
            "deleted_count": len(deleted),
            "failed_count": len(refused),
            "deleted": deleted,
            "failed": [_failure(refusal.uuid, refusal.error) for refusal in refused],
        }
    )


def _failure(charger_id: str, error: CsmsError) -> dict[str, Any]:
    return {"charger_id": charger_id, "error": of_chargers(error.message)}
