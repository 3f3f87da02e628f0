"""Charging stations natively: list, show, create, change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated
from urllib.parse import quote

from pydantic import AwareDatetime, Field, StringConstraints

from csms.api import cursors
from csms.api.deps import Deps
from csms.api.models import Page, Query, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import cursor_page
from csms.api.v1.station_shapes import CreatedStation, StationShape
from csms.clock import from_micros
from csms.domain.credentials import check_supplied
from csms.domain.permissions import Principal, Role
from csms.domain.stations import Connector, ConnectorStatus, NewStation, Registration, Station
from csms.domain.versions import OcppVersion, parse_version
from csms.errors import Forbidden, Invalid, NotFound, StationOffline
from csms.services import stations
from csms.store import connectors as connector_store
from csms.store import credentials
from csms.store import locations as location_store
from csms.store import stations as store
from csms.store.database import ReadTx, Tx
from csms.store.stations import StationFilter

IDENTITY_PREFIX = "identity:"
Text = Annotated[str, StringConstraints(max_length=255)]
SERIAL_NUMBER = "The name in its certificate; its boots tell it too."


class Connection(str, Enum):
    """Whether a station has a socket."""

    ONLINE = "online"
    OFFLINE = "offline"


class StationsQuery(Page):
    """Which stations to list."""

    location_id: str | None = None
    status: ConnectorStatus | None = Field(default=None, description="Of one of its connectors.")
    connection: Connection | None = None
    virtual: bool | None = None
    vendor: Text | None = None
    model: Text | None = None
    firmware_version: Text | None = None
    ocpp_version: OcppVersion | None = Field(
        default=None, description="That it speaks, or is pinned to."
    )
    q: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="Text in its identity, name or serial number."
    )
    last_seen_before: AwareDatetime | None = Field(
        default=None, description="Offline and not heard of since, or never."
    )

    def narrowed(self, reach: frozenset[int] | None) -> StationFilter:
        """As the store looks for them."""
        return StationFilter(
            location_ids=reach,
            status=self.status and self.status.value,
            online=None if self.connection is None else self.connection is Connection.ONLINE,
            virtual=self.virtual,
            vendor=self.vendor,
            model=self.model,
            firmware_version=self.firmware_version,
            version=self.ocpp_version and self.ocpp_version.value,
            text=self.q,
            last_seen_before=self.last_seen_before,
        )


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


class StationChanges(Strict):
    """What is left out stays as it is."""

    name: Text | None = None
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


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the store knows of a station; the hub knows the rest."""

    station: Station
    location_uuid: str | None
    connectors: list[Connector]
    offered_at: datetime | None = None
    password: str | None = None


class DeleteQuery(Query):
    """How to delete a station."""

    force: bool = Field(
        default=False, description="Also with an open transaction, which is then closed."
    )


async def list_stations(call: Call[None, StationsQuery]) -> Reply:
    """Those the token reaches, with their connectors and whether they are online."""
    query, principal = call.query, call.principal
    after_id = cursors.read(query.cursor) or 0
    if query.last_seen_before is not None:
        await call.deps.heartbeats.flush()

    def look(tx: ReadTx) -> list[_Loaded]:
        reach = principal.location_ids
        if query.location_id is not None:
            reach = frozenset({_location_id(tx, query.location_id, principal)})
        wanted = query.narrowed(reach)
        found = store.search(tx, wanted, limit=query.limit + 1, after_id=after_id)
        return [_load(tx, station) for station in found]

    found = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = cursors.write(shown[-1].station.id) if len(found) > len(shown) else None
    return Reply(cursor_page([_shape(one, call.deps) for one in shown], more))


async def show(call: Call[None, None]) -> Reply:
    """One station, by id or `identity:<x>`."""
    loaded = await call.deps.db.read(
        lambda tx: _load(tx, find(tx, call.path["station_id"], call.principal))
    )
    return Reply(_shape(loaded, call.deps))


async def create(call: Call[NewStationBody, None]) -> Reply:
    """201 with the URL to enter into the station, and its password, once."""
    wanted, deps = call.body, call.deps
    version = None if wanted.ocpp_version is None else parse_version(wanted.ocpp_version)
    supplied = None
    if wanted.password is not None:
        supplied = check_supplied(wanted.password.encode(), version)

    def make(tx: Tx) -> tuple[str, _Loaded]:
        made = stations.create(tx, _new_station(tx, call, version))
        password = None if supplied is not None else deps.passwords.rotate(tx, made.id)
        return made.uuid, _load(tx, made, password)

    loaded, headers = await once(
        call, "station", make, again=lambda tx, uuid: _load(tx, find(tx, uuid, call.principal))
    )
    if supplied is not None:
        # Outside the transaction, because the hash is slow. A crash in between leaves a station
        # that nobody can use yet, and a repetition of the request sets the password.
        await deps.passwords.set_supplied(loaded.station.id, supplied, version)
    headers["Location"] = f"/api/v1/stations/{loaded.station.uuid}"
    return Reply(_created(call, loaded), status=201, headers=headers)


async def change(call: Call[StationChanges, None]) -> Reply:
    """Counts at once, for a connected station too; only an admin lowers a security profile."""
    changes = call.body.model_dump(exclude_unset=True)

    def make(tx: Tx) -> _Loaded:
        station = find(tx, call.path["station_id"], call.principal)
        lowest = changes.get("security_profile", station.security_profile)
        if lowest < station.security_profile and call.principal.role is not Role.ADMIN:
            raise Forbidden("only an admin lowers a security profile")
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
    if text.startswith(IDENTITY_PREFIX):
        found = store.find_by_identity(tx, text.removeprefix(IDENTITY_PREFIX))
    else:
        found = store.find_by_uuid(tx, text)
    if found is None or not principal.reaches(found.location_id):
        raise NotFound("Station not found")
    return found


def _new_station(
    tx: ReadTx, call: Call[NewStationBody, None], version: OcppVersion | None
) -> NewStation:
    wanted, principal = call.body, call.principal
    location_id = None
    if wanted.location_id is not None:
        location_id = _location_id(tx, wanted.location_id, principal)
    elif principal.location_ids is not None:
        raise Invalid(
            "is required for a token bound to locations", loc=("location_id",), kind="missing"
        )
    return NewStation(
        identity=wanted.identity,
        name=wanted.name,
        location_id=location_id,
        connector_type=wanted.connector_type,
        connectors=wanted.connectors,
        serial_number=wanted.serial_number,
        ocpp_version=version,
        security_profile=wanted.security_profile,
    )


def _location_id(tx: ReadTx, uuid: str, principal: Principal) -> int:
    found = location_store.find_by_uuid(tx, uuid)
    if found is None or not principal.reaches(found.id):
        raise NotFound("Location not found")
    return found.id


def _load(tx: ReadTx, station: Station, password: str | None = None) -> _Loaded:
    location_uuid = None
    if station.location_id is not None:
        location_uuid = location_store.uuid_of(tx, station.location_id)
    connectors = connector_store.list_of_station(tx, station.id)
    offered_at = credentials.last_offered_at(tx, station.id)
    return _Loaded(station, location_uuid, connectors, offered_at, password)


def _shape(loaded: _Loaded, deps: Deps) -> StationShape:
    hub = deps.hub
    heartbeat = deps.heartbeats.last(loaded.station.id)
    return StationShape.of(
        loaded.station,
        last_heartbeat_at=loaded.station.last_heartbeat_at
        if heartbeat is None
        else from_micros(heartbeat),
        location_uuid=loaded.location_uuid,
        connectors=loaded.connectors,
        online=hub.is_connected(loaded.station.id),
        ready=hub.is_ready(loaded.station.id),
        password_offered_at=loaded.offered_at,
    )


def _base_url(call: Call[NewStationBody, None]) -> str:
    """What is entered into a station, without its identity."""
    if call.deps.settings.external_url:
        return call.deps.settings.external_url.rstrip("/")
    scheme = "wss" if call.request.secure else "ws"
    return f"{scheme}://{call.request.host}/ocpp"


def _created(call: Call[NewStationBody, None], loaded: _Loaded) -> CreatedStation:
    identity = quote(loaded.station.identity, safe="")
    return CreatedStation(
        **_shape(loaded, call.deps).model_dump(),
        connection_url=f"{_base_url(call)}/{identity}",
        password=loaded.password,
    )
