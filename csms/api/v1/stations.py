"""Charging stations natively: list, show, create, change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from csms.api import cursors, peers
from csms.api.deps import Deps
from csms.api.models import CountedPage, Query, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1 import given_templates
from csms.api.v1.given_templates import TemplateId
from csms.api.v1.shapes import cursor_page
from csms.api.v1.station_filter import Narrowing, Tags, Text
from csms.api.v1.station_shapes import CreatedStation, Loaded, StationShape, load
from csms.clock import from_micros
from csms.domain.credentials import check_supplied
from csms.domain.identity import BY_IDENTITY
from csms.domain.permissions import Principal, Role
from csms.domain.stations import NewStation, Registration, Station
from csms.domain.versions import OcppVersion, parse_version
from csms.errors import Forbidden, Invalid, NotFound, StationOffline
from csms.host import is_loopback
from csms.services import stations
from csms.services.reach import reaches
from csms.store import locations as location_store
from csms.store import stations as store
from csms.store.database import ReadTx, Tx

SERIAL_NUMBER = "The name in its certificate; its boots tell it too."
TEMPLATE = "The id of the config template that it is told after its next accepted boot."


ORDERS = {"created_at": store.BY_CREATION, "identity": store.BY_IDENTITY, "name": store.BY_NAME}


class StationsPage(CountedPage, Narrowing):
    """Which stations to list."""

    sort: Literal["created_at", "-created_at", "identity", "-identity", "name", "-name"] = (
        "created_at"
    )


class StationsQuery(StationsPage):
    """Which stations to list, wherever they stand."""

    location_id: str | None = None


class NewStationBody(Strict):
    """A station to register."""

    identity: str = Field(
        description="1 to 48 characters, no `/`, `:` or control characters; checked by the server."
    )
    location_id: str | None = None
    name: Text | None = None
    ocpp_version: str | None = Field(default=None, description="Pins the station to it.")
    connectors: int = Field(default=1, ge=1, le=100)
    connector_type: Text | None = None
    serial_number: Text | None = Field(default=None, description=SERIAL_NUMBER)
    security_profile: int = Field(
        default=0,
        ge=0,
        le=3,
        description="The lowest that it may connect with: 1 a password, 2 over TLS, 3 with a"
        " certificate; 0: as the settings ask for.",
    )
    password: str | None = Field(
        default=None, description="16 to 64 bytes, on OCPP 1.6 at most 20; left out, we make one."
    )
    config_template: TemplateId | None = Field(default=None, description=TEMPLATE)
    tags: Tags = Field(default_factory=list)


class StationChanges(Strict):
    """What is left out stays as it is."""

    name: Text | None = None
    location_id: str | None = Field(default=None, description="Null: at none.")
    ocpp_version: str | None = Field(
        default=None,
        description="Pins the station to it from its next connection on; null: to none.",
    )
    serial_number: Text | None = Field(default=None, description=SERIAL_NUMBER)
    strict: bool | None = Field(
        default=None,
        description="Refuse what breaks the schema; null: as the setting `ocpp.strict` says.",
    )
    registration: Registration = Field(
        default=Registration.ACCEPTED, description="What its boots are answered from now on."
    )
    security_profile: int = Field(
        default=0,
        ge=0,
        le=3,
        description="The lowest that it may connect with; only an admin lowers it.",
    )
    config_template: TemplateId | None = Field(default=None, description=TEMPLATE + " Null: none.")
    tags: Tags = Field(default_factory=list, description="All that it has from now on.")


class DeleteQuery(Query):
    """How to delete a station."""

    force: bool = Field(
        default=False, description="Also with an open transaction, which is then closed."
    )


async def list_stations(call: Call[None, StationsQuery]) -> Reply:
    """Those the token reaches, with their connectors and whether they are online."""
    return await list_at(call, call.query, call.query.location_id)


async def list_at(call: Call[None, Any], query: StationsPage, location_uuid: str | None) -> Reply:
    """A page of stations, at one location or wherever the token reaches."""
    order = replace(ORDERS[query.sort.removeprefix("-")], descending=query.sort.startswith("-"))
    after = _place(query.cursor)
    if query.last_seen_before is not None:
        await call.deps.heartbeats.flush()

    def look(tx: ReadTx) -> tuple[list[Loaded], int | None]:
        reach = call.principal.location_ids
        if location_uuid is not None:
            reach = frozenset({_location_id(tx, location_uuid, call.principal)})
        wanted = query.narrowed(reach)
        found = store.search(tx, wanted, limit=query.limit + 1, order=order, after=after)
        total = store.count_found(tx, wanted) if query.count else None
        return load(tx, found), total

    found, total = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = None
    if len(found) > len(shown):
        more = cursors.write_named(*order.place(shown[-1].station))
    return Reply(cursor_page([_shape(one, call.deps) for one in shown], more, total))


def _place(cursor: str | None) -> store.Place | None:
    named = cursors.read_named(cursor)
    return None if named is None else store.Place(*named)


async def show(call: Call[None, None]) -> Reply:
    """One station, by id or `identity:<x>`."""
    loaded = await call.deps.db.read(
        lambda tx: _load(tx, find(tx, call.path["station_id"], call.principal))
    )
    return Reply(_shape(loaded, call.deps))


async def create(call: Call[NewStationBody, None]) -> Reply:
    """201 with the URL to enter into the station, and its password, once."""
    wanted, deps = call.body, call.deps
    given_templates.require_commands(call.principal, gives=wanted.config_template is not None)
    version = None if wanted.ocpp_version is None else parse_version(wanted.ocpp_version)
    supplied = None
    if wanted.password is not None:
        supplied = check_supplied(wanted.password.encode(), version)

    def make(tx: Tx) -> tuple[str, tuple[Loaded, str | None]]:
        made = stations.create(tx, _new_station(tx, call, version))
        if wanted.config_template is not None:
            given_templates.give(tx, made, wanted.config_template)
        password = None if supplied is not None else deps.passwords.rotate(tx, made.id)
        return made.uuid, (_load(tx, made), password)

    (loaded, password), headers = await once(
        call,
        "station",
        make,
        again=lambda tx, uuid: (_load(tx, find(tx, uuid, call.principal)), None),
    )
    if supplied is not None:
        # Outside the transaction, because the hash is slow. A crash in between leaves a station
        # that nobody can use yet, and a repetition of the request sets the password.
        await deps.passwords.set_supplied(loaded.station.id, supplied, version)
    headers["Location"] = f"/api/v1/stations/{loaded.station.uuid}"
    return Reply(_created(call, loaded, password), status=201, headers=headers)


async def change(call: Call[StationChanges, None]) -> Reply:
    """Counts at once, for a connected station too; only an admin lowers a security profile."""
    changes = call.body.model_dump(exclude_unset=True, exclude={"config_template"})
    gives = "config_template" in call.body.model_fields_set
    given_templates.require_commands(call.principal, gives=gives)
    if changes.get("ocpp_version") is not None:
        changes["ocpp_version"] = parse_version(changes["ocpp_version"])

    def make(tx: Tx) -> Loaded:
        station = find(tx, call.path["station_id"], call.principal)
        if "location_id" in changes:
            changes["location_id"] = _place_to_be(tx, call.body.location_id, call.principal)
        lowest = changes.get("security_profile", station.security_profile)
        if lowest < station.security_profile and call.principal.role is not Role.ADMIN:
            raise Forbidden("only an admin lowers a security profile")
        if gives:
            given_templates.give(tx, station, call.body.config_template)
        return _load(tx, stations.update(tx, station, changes) if changes else station)

    return Reply(_shape(await call.deps.db.write(make), call.deps))


async def delete(call: Call[None, DeleteQuery]) -> Reply:
    """204; its history stays, its identity is free."""

    def write(tx: Tx) -> None:
        station = find(tx, call.path["station_id"], call.principal)
        if call.query.force:
            stations.delete_by_force(tx, station, call.principal.id)
        else:
            stations.delete(tx, station)

    await call.deps.db.write(write)
    return Reply(status=204)


async def block(call: Call[None, None]) -> Reply:
    """200; it is disconnected, and refused with 403 once it has shown who it is."""
    return await _changed(call, stations.block)


async def unblock(call: Call[None, None]) -> Reply:
    """200; it may connect again."""
    return await _changed(call, stations.unblock)


async def disconnect(call: Call[None, None]) -> Reply:
    """204; as a rule the station comes back at once."""
    hub = call.deps.hub
    station = await call.deps.db.read(lambda tx: find(tx, call.path["station_id"], call.principal))
    if not hub.is_connected(station.id):
        raise StationOffline("The station is not connected.")
    await hub.disconnect(station.id, reason="an operator closed the connection")
    return Reply(status=204)


async def _changed(call: Call[None, None], change: Callable[[Tx, Station], Station]) -> Reply:
    loaded = await call.deps.db.write(
        lambda tx: _load(tx, change(tx, find(tx, call.path["station_id"], call.principal)))
    )
    return Reply(_shape(loaded, call.deps))


def find(tx: ReadTx, text: str, principal: Principal) -> Station:
    """The station named in a path; raises NotFound, also when out of reach."""
    if text.startswith(BY_IDENTITY):
        found = store.find_by_identity(tx, text.removeprefix(BY_IDENTITY))
    else:
        found = store.find_by_uuid(tx, text)
    if found is None or not principal.reaches(found.location_id):
        raise NotFound("Station not found")
    return found


def _new_station(
    tx: ReadTx, call: Call[NewStationBody, None], version: OcppVersion | None
) -> NewStation:
    wanted = call.body
    return NewStation(
        identity=wanted.identity,
        name=wanted.name,
        location_id=_place_to_be(tx, wanted.location_id, call.principal),
        connector_type=wanted.connector_type,
        connectors=wanted.connectors,
        serial_number=wanted.serial_number,
        ocpp_version=version,
        security_profile=wanted.security_profile,
        tags=tuple(wanted.tags),
    )


def _place_to_be(tx: ReadTx, uuid: str | None, principal: Principal) -> int | None:
    if uuid is not None:
        return _location_id(tx, uuid, principal)
    if principal.location_ids is not None:
        raise Invalid(
            "is required for a token bound to locations", loc=("location_id",), kind="missing"
        )
    return None


def _location_id(tx: ReadTx, uuid: str, principal: Principal) -> int:
    found = location_store.find_by_uuid(tx, uuid)
    if found is None or not principal.reaches(found.id):
        raise NotFound("Location not found")
    return found.id


def _load(tx: ReadTx, station: Station) -> Loaded:
    return load(tx, [station])[0]


def _shape(loaded: Loaded, deps: Deps) -> StationShape:
    station_id = loaded.station.id
    heartbeat = deps.heartbeats.last(station_id)
    return StationShape.of(
        loaded,
        online=deps.hub.is_connected(station_id),
        ready=deps.hub.is_ready(station_id),
        heartbeat_at=None if heartbeat is None else from_micros(heartbeat),
    )


def base_url(call: Call[Any, Any]) -> str:
    """What is entered into a station, without its identity."""
    if call.deps.settings.external_url:
        return call.deps.settings.external_url
    if is_loopback(call.request.url.raw_host or ""):  # where no station is, but the command line
        for reach in reaches(call.deps.settings.listening, ""):
            return reach.url
    scheme = "wss" if call.request.secure else "ws"
    return f"{scheme}://{peers.authority_of(call.request)}/ocpp"


def _created(
    call: Call[NewStationBody, None], loaded: Loaded, password: str | None
) -> CreatedStation:
    identity = quote(loaded.station.identity, safe="")
    return CreatedStation(
        **_shape(loaded, call.deps).model_dump(),
        connection_url=f"{base_url(call)}/{identity}",
        password=password,
    )
