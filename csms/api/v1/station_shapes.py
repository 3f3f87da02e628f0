"""Charging stations as the native API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.api.v1.given_templates import GivenTemplate
from csms.api.v1.shapes import TOTAL, Instant
from csms.domain.config_templates import Assignment
from csms.domain.stations import Connector, ConnectorStatus, Registration, Station
from csms.domain.versions import OcppVersion
from csms.store import config_assignments, credentials
from csms.store import connectors as connector_store
from csms.store import locations as location_store
from csms.store.credentials import Standing
from csms.store.database import ReadTx


class Loaded(NamedTuple):
    """What the store knows of a station; the hub knows the rest."""

    station: Station
    location_uuid: str | None
    connectors: list[Connector]
    standing: Standing
    template: Assignment | None


def load(tx: ReadTx, stations: Sequence[Station]) -> list[Loaded]:
    """All there is to show of these, by as many questions as for one."""
    ids = [station.id for station in stations]
    at = location_store.uuids_of(tx, {one.location_id for one in stations if one.location_id})
    reported = connector_store.list_of_stations(tx, ids)
    standings = credentials.list_standings(tx, ids)
    given = config_assignments.list_of_stations(tx, ids)
    return [
        Loaded(
            station,
            at.get(station.location_id or 0),
            reported.get(station.id, []),
            standings.get(station.id, Standing()),
            given.get(station.id),
        )
        for station in stations
    ]


class ConnectorShape(Shape):
    """Last known state of one connector; `evse_id` 0 is the whole station."""

    evse_id: int
    connector_id: int
    status: ConnectorStatus
    reported_status: str = Field(description="The word the station used.")
    error_code: str | None
    info: str | None
    vendor_error_code: str | None
    reported_at: Instant | None
    updated_at: Instant
    stale: bool = Field(description="The station has not told it since it connected.")

    @classmethod
    def of(cls, connector: Connector, told_since: datetime | None) -> ConnectorShape:
        """The connector as it is shown; `told_since` is when its station connected, if it is."""
        return cls(
            evse_id=connector.evse_id,
            connector_id=connector.connector_id,
            status=connector.status,
            reported_status=connector.reported_status,
            error_code=connector.error_code,
            info=connector.info,
            vendor_error_code=connector.vendor_error_code,
            reported_at=times.micros(connector.reported_at),
            updated_at=times.micros(connector.updated_at),
            stale=told_since is None or connector.updated_at < told_since,
        )


class StationShape(Shape):
    """A charging station."""

    id: str
    identity: str
    name: str | None
    location_id: str | None
    brand_slug: str | None
    model_slug: str | None
    connector_type: str | None
    tags: list[str]
    ocpp_version: OcppVersion | None = Field(description="The version it is pinned to.")
    virtual: bool
    strict: bool | None = Field(
        description="What breaks the schema is refused; null: as the setting `ocpp.strict` says."
    )
    security_profile: int = Field(
        description="The lowest of OCPP's security profiles that it may connect with; raised by"
        " what it connects with: 2 over TLS, 3 with a certificate."
    )
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    registration: Registration
    blocked_at: Instant | None = Field(description="Since when it is kept out.")
    online: bool = Field(description="It has a socket.")
    ready: bool = Field(description="Commands go out at once.")
    connected_version: OcppVersion | None
    last_connected_at: Instant | None
    last_disconnected_at: Instant | None
    last_heartbeat_at: Instant | None
    booted_at: Instant | None
    password_waived: bool = Field(description="Anybody may come in as this station.")
    password_offered_at: Instant | None = Field(
        description="When it was told a new password, while it has not shown which one it uses."
    )
    config_template: GivenTemplate | None
    connectors: list[ConnectorShape]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(
        cls,
        loaded: Loaded,
        *,
        online: bool = False,
        ready: bool = False,
        heartbeat_at: datetime | None = None,
    ) -> StationShape:
        """The station as it is shown; `heartbeat_at` where a later one is known than stored."""
        station = loaded.station
        return cls(
            id=station.uuid,
            identity=station.identity,
            name=station.name,
            location_id=loaded.location_uuid,
            brand_slug=station.brand_slug,
            model_slug=station.model_slug,
            connector_type=station.connector_type,
            tags=list(station.tags),
            ocpp_version=station.ocpp_version,
            virtual=station.virtual,
            strict=station.strict,
            security_profile=station.security_profile,
            vendor=station.vendor,
            model=station.model,
            serial_number=station.serial_number,
            firmware_version=station.firmware_version,
            registration=station.registration,
            blocked_at=times.micros(station.blocked_at),
            online=online,
            ready=ready,
            connected_version=station.connected_version,
            last_connected_at=times.micros(station.last_connected_at),
            last_disconnected_at=times.micros(station.last_disconnected_at),
            last_heartbeat_at=times.micros(heartbeat_at or station.last_heartbeat_at),
            booted_at=times.micros(station.booted_at),
            password_waived=loaded.standing.waived,
            password_offered_at=times.micros(loaded.standing.offered_at),
            config_template=GivenTemplate.of(loaded.template),
            connectors=[
                ConnectorShape.of(one, station.last_connected_at if online else None)
                for one in loaded.connectors
            ],
            created_at=times.micros(station.created_at),
            updated_at=times.micros(station.updated_at),
        )


class StationPage(Shape):
    """Stations in order of creation."""

    items: list[StationShape]
    next_cursor: str | None
    total: int | None = TOTAL


class CreatedStation(StationShape):
    """A new station and how it connects."""

    connection_url: str
    password: str | None = Field(
        description="Shown this once; null when you supplied it, or in a replay."
    )
