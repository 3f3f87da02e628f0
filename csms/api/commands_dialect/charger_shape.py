"""A charger and its connectors as the commands dialect writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from csms.api import catalog
from csms.api.commands_dialect.pages import PageLinks, PageMeta
from csms.api.deps import Deps
from csms.api.models import Shape
from csms.api.times import micros
from csms.clock import from_micros
from csms.domain.permissions import Principal, Role
from csms.domain.stations import Connector, Registration, Station
from csms.fleet.catalog import current_type_of
from csms.fleet.physics import CurrentType

# The part of a firmware version that can be compared: `V1.2.3-beta` → `1.2.3`.
_VERSION_NUMBER = re.compile(r"\d+(?:\.\d+)+")


class CommandsLicenses(Shape):
    """Everything is included."""

    smart: bool
    pro: bool


class CommandsModel(Shape):
    """What kind of charger it is."""

    vendor: str
    name: str
    is_dc: bool


class CommandsPermissions(Shape):
    """What the caller's role allows."""

    basic: bool
    sensitive: bool
    full: bool


class CommandsConnector(Shape):
    """A connector's last known state, in the station's own words."""

    id: int
    charger_id: int
    connector_id: int
    status: str
    error: str | None
    error_info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    max_amperage: int | None
    max_voltage: int | None
    standard: str | None
    format: str | None
    power_type: str | None
    phase_rotation: str | None
    created_at: str
    updated_at: str


class CommandsCharger(Shape):
    """A charger."""

    uuid: str
    id: int
    identity: str
    reference: str | None
    connection_status: str
    status: str | None
    error: str | None
    error_info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    firmware_version: str | None
    parsed_firmware_version: str | None
    server: str | None
    last_connection_at: str | None
    last_disconnection_at: str | None
    last_heartbeat_at: str | None
    setup_pending: bool
    setup_completed: bool
    blocked: bool
    max_current: int | None
    licenses: CommandsLicenses
    model: CommandsModel | None
    connectors: list[CommandsConnector] | None = None
    permissions: CommandsPermissions
    created_at: str
    updated_at: str


class CommandsChargerAnswer(Shape):
    """One charger, wrapped."""

    data: CommandsCharger


class CommandsChargerList(Shape):
    """A page of chargers."""

    data: list[CommandsCharger]
    links: PageLinks
    meta: PageMeta


def charger_body(
    deps: Deps, caller: Principal, station: Station, connectors: Sequence[Connector]
) -> dict[str, Any]:
    """A charger; presence comes from memory, its own state from what it said of the whole."""
    whole = _whole(connectors)
    heartbeat = deps.heartbeats.last(station.id)
    return {
        "uuid": station.uuid,
        "id": station.id,
        "identity": station.identity,
        "reference": station.name,
        "connection_status": _connection_status(deps, station),
        "status": None if whole is None else whole.reported_status,
        **_error(whole),
        "firmware_version": station.firmware_version,
        "parsed_firmware_version": _parsed(station.firmware_version),
        "server": None,
        "last_connection_at": micros(station.last_connected_at),
        "last_disconnection_at": micros(station.last_disconnected_at),
        "last_heartbeat_at": micros(
            station.last_heartbeat_at if heartbeat is None else from_micros(heartbeat)
        ),
        "setup_pending": station.registration is Registration.PENDING,
        "setup_completed": station.booted_at is not None,
        "blocked": station.blocked_at is not None or station.registration is Registration.REJECTED,
        "max_current": None,
        "licenses": {"smart": True, "pro": True},
        "model": _model(station),
        "permissions": permissions_body(caller),
        "created_at": micros(station.created_at),
        "updated_at": micros(station.updated_at),
    }


def permissions_body(caller: Principal) -> dict[str, bool]:
    """What the caller may do, in the three steps of this dialect."""
    return {
        "basic": True,
        "sensitive": caller.role is not Role.VIEWER,
        "full": caller.role is Role.ADMIN,
    }


def row_id_of_connector(station_id: int, evse_id: int | None, connector_id: int | None) -> int:
    """A number of its own for each connector of each station."""
    return (station_id * 1000 + (evse_id or 0)) * 100 + (connector_id or 1)


def connector_body(station: Station, connector: Connector) -> dict[str, Any]:
    """A connector; 1.6 has one per EVSE, so the EVSE's number is the connector's."""
    model = catalog.model_of(station)
    return {
        "id": row_id_of_connector(station.id, connector.evse_id, connector.connector_id),
        "charger_id": station.id,
        "connector_id": connector.evse_id,
        "status": connector.reported_status,
        **_error(connector),
        "max_amperage": None,
        "max_voltage": None,
        "standard": station.connector_type,
        "format": None,
        "power_type": None if model is None else model.current_type.value,
        "phase_rotation": None,
        "created_at": micros(station.created_at),
        "updated_at": micros(connector.updated_at),
    }


def _connection_status(deps: Deps, station: Station) -> str:
    if deps.hub.is_connected(station.id):
        return "online"
    return "never_seen" if station.last_connected_at is None else "offline"


def _whole(connectors: Iterable[Connector]) -> Connector | None:
    return next((connector for connector in connectors if connector.evse_id == 0), None)


def _error(connector: Connector | None) -> dict[str, str | None]:
    if connector is None:
        return dict.fromkeys(("error", "error_info", "vendor_id", "vendor_error_code"))
    return {
        "error": None if connector.error_code == "NoError" else connector.error_code,
        "error_info": connector.info,
        "vendor_id": connector.vendor_id,
        "vendor_error_code": connector.vendor_error_code,
    }


def _parsed(firmware: str | None) -> str | None:
    found = _VERSION_NUMBER.search(firmware or "")
    return None if found is None else found.group()


def _model(station: Station) -> dict[str, Any] | None:
    vendor, name = catalog.vendor_name(station), catalog.model_name(station)
    if vendor is None or name is None:
        return None
    model = catalog.model_of(station)
    current = current_type_of(station.connector_type or "") if model is None else model.current_type
    return {"vendor": vendor, "name": name, "is_dc": current is CurrentType.DC}
