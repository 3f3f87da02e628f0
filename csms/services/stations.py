"""Charging stations: create, show, change, delete, list, within the caller's reach.

Functions that take `tx` compose inside one transaction; those that take `db` are one
transaction each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csms.domain.identity import check_identity
from csms.domain.locations import Location
from csms.domain.permissions import Principal
from csms.domain.stations import Connector, NewStation, Station
from csms.errors import Conflict, CsmsError, IdentityIsSerialNumber, NotFound, TransactionOpen
from csms.events import Event
from csms.services import transaction_closing
from csms.store import connectors as connector_store
from csms.store import locations as location_store
from csms.store import stations as store
from csms.store import transactions
from csms.store.database import Database, ReadTx, Tx

_TOLD = ("strict", "registration", "security_profile", "serial_number")


@dataclass(frozen=True, slots=True)
class StationPage:
    """A part of the stations the caller reaches, and the locations they stand at."""

    items: list[Station]
    total: int
    locations: dict[int, Location]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One station of many for which the request was refused."""

    uuid: str
    error: CsmsError


@dataclass(frozen=True, slots=True)
class StationView:
    """A station and the location it stands at."""

    station: Station
    location: Location | None


def get(tx: ReadTx, uuid: str, principal: Principal) -> Station:
    """The station with this public id; raises NotFound, also when out of reach."""
    found = store.find_by_uuid(tx, uuid)
    if found is None or not principal.reaches(found.location_id):
        raise NotFound("Station not found")
    return found


def create(tx: Tx, new: NewStation) -> Station:
    """A new station; raises Invalid, NotFound (its location) or Conflict."""
    check_identity(new.identity)
    if store.is_serial_number_of_another(tx, new.identity):
        # It would shut that one out: no certificate opens a door by a name that two have.
        raise IdentityIsSerialNumber("The identity is the serial number of another station")
    _check_location(tx, new.location_id)
    _check_serial_number(tx, None, new.serial_number)
    made = store.insert(tx, new)
    tx.emit(_event("station.created", made))
    return made


def update(tx: Tx, station: Station, changes: Mapping[str, Any]) -> Station:
    """Change the named columns; raises NotFound when the new location is gone, or Conflict."""
    if "location_id" in changes:
        _check_location(tx, changes["location_id"])
    _check_serial_number(tx, station, changes.get("serial_number"))
    if station.virtual and changes.get("ws_url", station.ws_url) != station.ws_url:
        # Where ours may dial was judged when it was made.
        raise Conflict("The ws_url of a virtual station cannot be changed; create another one")
    changed = store.update(tx, station.id, **changes)
    # Whoever serves the station has to know at once.
    told = {name: changes[name] for name in _TOLD if name in changes}
    tx.emit(_event("station.updated", changed, changed=sorted(changes), **told))
    return changed


def came_with(tx: Tx, station_id: int, profile: int) -> None:
    """It has connected with this security profile: never again with a lower one.

    OCPP 2.0.1 A05.FR.07, and A05.FR.09 of the 1.6 security whitepaper.
    """
    if store.raise_security_profile(tx, station_id, profile):
        station = store.get(tx, station_id)
        tx.emit(_event("station.security_profile_raised", station, security_profile=profile))


def delete(tx: Tx, station: Station) -> None:
    """Take it out of every list; its history stays. Raises TransactionOpen while it charges."""
    if store.has_open_transaction(tx, station.id):
        raise TransactionOpen("The station has an open transaction")
    store.soft_delete(tx, station.id)
    tx.emit(_event("station.deleted", station))


def delete_by_force(tx: Tx, station: Station, by: str) -> None:
    """As `delete`, whatever goes on there: it is ended by what is known of it."""
    for transaction in transactions.list_open(tx, station.id):
        transaction_closing.close(
            tx, transaction, reason="the station was deleted", ended_at=None, by=by
        )
    delete(tx, station)


def block(tx: Tx, station: Station) -> Station:
    """Keep it out; who serves it closes its connection."""
    if station.blocked_at is not None:
        return station
    blocked = store.update(tx, station.id, blocked_at=tx.now)
    tx.emit(_event("station.blocked", blocked))
    return blocked


def unblock(tx: Tx, station: Station) -> Station:
    """Let it in again."""
    if station.blocked_at is None:
        return station
    free = store.update(tx, station.id, blocked_at=None)
    tx.emit(_event("station.unblocked", free))
    return free


def remove(tx: Tx, station: Station) -> None:
    """Take back a station that should not have been made.

    Its row is only marked: what the station has just sent may still be on its way to the store.
    """
    store.soft_delete(tx, station.id)
    tx.emit(_event("station.deleted", station))


async def show_station(db: Database, uuid: str, principal: Principal) -> StationView:
    """The station with this public id; raises NotFound, also when out of reach."""
    return await db.read(lambda tx: _view(tx, get(tx, uuid, principal)))


async def list_stations(
    db: Database,
    principal: Principal,
    *,
    limit: int,
    offset: int = 0,
    location: Location | None = None,
    uuids: Sequence[str] | None = None,
) -> StationPage:
    """A page in order of creation, at one location or wherever the caller reaches."""
    reach = principal.location_ids if location is None else frozenset({location.id})

    def look(tx: ReadTx) -> StationPage:
        ids = None
        if uuids is not None:
            ids = [row_id for row_id, _ in store.resolve_uuids(tx, uuids).values()]
        items = store.list_page(tx, limit=limit, offset=offset, location_ids=reach, ids=ids)
        return StationPage(
            items,
            store.count(tx, location_ids=reach, ids=ids),
            location_store.find_many(tx, _locations_of(items)),
        )

    return await db.read(look)


async def list_connectors(db: Database, station_ids: Sequence[int]) -> dict[int, list[Connector]]:
    """The last known state of each station's connectors; EVSE 0 is the whole station."""
    return await db.read(
        lambda tx: {
            station_id: connector_store.list_of_station(tx, station_id)
            for station_id in station_ids
        }
    )


async def update_station(
    db: Database, uuid: str, principal: Principal, changes: Mapping[str, Any]
) -> StationView:
    """Change the named columns; raises NotFound."""

    def change(tx: Tx) -> StationView:
        station = get(tx, uuid, principal)
        if "location_id" in changes:
            _check_reach(principal, changes["location_id"])
        return _view(tx, update(tx, station, changes))

    return await db.write(change)


async def update_stations_at(
    db: Database,
    location: Location,
    principal: Principal,
    changes: Iterable[tuple[str, Mapping[str, Any]]],
) -> tuple[StationPage, list[Refusal]]:
    """Change several stations of one location, each on its own: (public id, columns)."""

    def change(tx: Tx) -> tuple[StationPage, list[Refusal]]:
        changed: list[Station] = []
        refused: list[Refusal] = []
        for uuid, columns in changes:
            try:
                if "location_id" in columns:
                    _check_reach(principal, columns["location_id"])
                changed.append(update(tx, _get_at(tx, uuid, location), columns))
            except CsmsError as error:
                refused.append(Refusal(uuid, error))
        places = location_store.find_many(tx, _locations_of(changed))
        return StationPage(changed, len(changed), places), refused

    return await db.write(change)


async def delete_station(db: Database, uuid: str, principal: Principal) -> None:
    """Delete it; raises NotFound or TransactionOpen."""
    await db.write(lambda tx: delete(tx, get(tx, uuid, principal)))


async def delete_stations_at(
    db: Database, location: Location, uuids: Iterable[str]
) -> tuple[list[str], list[Refusal]]:
    """Delete several stations of one location, each on its own."""

    def remove(tx: Tx) -> tuple[list[str], list[Refusal]]:
        deleted: list[str] = []
        refused: list[Refusal] = []
        for uuid in dict.fromkeys(uuids):
            try:
                delete(tx, _get_at(tx, uuid, location))
                deleted.append(uuid)
            except CsmsError as error:
                refused.append(Refusal(uuid, error))
        return deleted, refused

    return await db.write(remove)


def _get_at(tx: ReadTx, uuid: str, location: Location) -> Station:
    found = store.find_by_uuid(tx, uuid)
    if found is None or found.location_id != location.id:
        raise NotFound("Station not found")
    return found


def _check_reach(principal: Principal, location_id: int | None) -> None:
    if not principal.reaches(location_id):
        raise NotFound("Location not found")


def _check_location(tx: ReadTx, location_id: int | None) -> None:
    if location_id is not None and not location_store.is_live(tx, location_id):
        raise NotFound("Location not found")


def _check_serial_number(tx: ReadTx, station: Station | None, serial_number: str | None) -> None:
    # A certificate with that name would open two doors.
    if serial_number is not None and store.is_name_of_another(tx, station, serial_number):
        raise Conflict("Another station has this serial number, or it is its identity")


def _view(tx: ReadTx, station: Station) -> StationView:
    location = None
    if station.location_id is not None:
        location = location_store.find(tx, station.location_id)
    return StationView(station, location)


def _locations_of(items: Iterable[Station]) -> frozenset[int]:
    return frozenset(item.location_id for item in items if item.location_id is not None)


def _event(kind: str, station: Station, **more: Any) -> Event:
    data = {"station_id": station.uuid, "identity": station.identity, **more}
    return Event(kind, data, station_id=station.id, location_id=station.location_id)
