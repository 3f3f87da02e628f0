"""Locations: create, show, change, delete, within the caller's reach.

Functions that take `tx` compose inside one transaction; those that take `db` are one
transaction each.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from csms.domain.locations import ADDRESS_PARTS, Location, address_line
from csms.domain.permissions import Principal
from csms.errors import Forbidden, NotFound, TransactionOpen
from csms.events import Event
from csms.services import stations
from csms.store import locations as store
from csms.store import stations as station_store
from csms.store.database import Database, ReadTx, Tx


@dataclass(frozen=True, slots=True)
class LocationPage:
    """A part of the locations the caller reaches."""

    items: list[Location]
    total: int


def get(tx: ReadTx, uuid: str, principal: Principal) -> Location:
    """The location with this public id; raises NotFound, also when out of reach."""
    found = store.find_by_uuid(tx, uuid)
    if found is None or not principal.reaches(found.id):
        raise NotFound("Location not found")
    return found


def create(tx: Tx, *, name: str, slug: str | None = None, **optional: Any) -> Location:
    """A new location; `optional` are further columns. A missing slug is made from the name."""
    columns = _with_address(None, optional)
    made = store.insert(tx, name=name, slug=slug or make_slug(name), **columns)
    tx.emit(_event("location.created", made))
    return made


def update(tx: Tx, location: Location, changes: Mapping[str, Any]) -> Location:
    """Change the named columns."""
    changed = store.update(tx, location.id, **_with_address(location, changes))
    tx.emit(_event("location.updated", changed, changed=sorted(changes)))
    return changed


def delete(tx: Tx, location: Location) -> None:
    """Delete the location and its stations; raises TransactionOpen while one of them charges."""
    if station_store.has_open_transaction_at(tx, location.id):
        raise TransactionOpen("The location has stations with an open transaction")
    for station in station_store.find_many(tx, station_store.list_ids_at(tx, location.id)).values():
        stations.delete(tx, station)
    store.soft_delete(tx, location.id)
    tx.emit(_event("location.deleted", location))


async def show_location(db: Database, uuid: str, principal: Principal) -> Location:
    """The location with this public id; raises NotFound, also when out of reach."""
    return await db.read(lambda tx: get(tx, uuid, principal))


async def list_locations(
    db: Database, principal: Principal, *, limit: int, offset: int = 0
) -> LocationPage:
    """A page in order of creation, and how many there are in all."""
    reach = principal.location_ids

    def look(tx: ReadTx) -> LocationPage:
        items = store.list_page(tx, limit=limit, offset=offset, reach=reach)
        return LocationPage(items, store.count(tx, reach=reach))

    return await db.read(look)


def check_may_create(principal: Principal) -> None:
    """Raises Forbidden for a bound caller, who would not see the new location afterwards."""
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations cannot create another one")


async def update_location(
    db: Database, uuid: str, principal: Principal, changes: Mapping[str, Any]
) -> Location:
    """Change the named columns; raises NotFound."""
    return await db.write(lambda tx: update(tx, get(tx, uuid, principal), changes))


async def delete_location(db: Database, uuid: str, principal: Principal) -> None:
    """Delete it with its stations; raises NotFound or TransactionOpen."""
    await db.write(lambda tx: delete(tx, get(tx, uuid, principal)))


async def count_stations(db: Database, location_ids: Collection[int]) -> dict[int, int]:
    """How many live stations stand at each of the locations."""
    return await db.read(lambda tx: station_store.count_at(tx, location_ids))


def make_slug(name: str) -> str:
    """The name for use in URLs, with a random tail that keeps equal names apart."""
    words = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60]
    return f"{words or 'location'}-{secrets.token_hex(3)}"


def _with_address(location: Location | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The address is written as one line or in parts; whichever came last is what holds."""
    if not changes.keys().isdisjoint(ADDRESS_PARTS):
        known = {} if location is None else _parts(location)
        parts = {name: changes.get(name, known.get(name)) for name in ADDRESS_PARTS}
        return {**changes, **parts, "address": address_line(**parts)}
    if "address" in changes and (location is None or changes["address"] != location.address):
        return {**changes, **dict.fromkeys(ADDRESS_PARTS)}
    return dict(changes)


def _parts(location: Location) -> dict[str, str | None]:
    return {
        "street": location.street_line,
        "house_number": location.house_number,
        "house_number_addition": location.house_number_addition,
    }


def _event(kind: str, location: Location, **more: Any) -> Event:
    data = {"location_id": location.uuid, "name": location.name, **more}
    return Event(kind, data, location_id=location.id)
