"""Charging stations, their connectors, and what they report about themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from csms.domain.versions import OcppVersion


class Registration(str, Enum):
    """Spelled as RegistrationStatusEnumType."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class ConnectorStatus(str, Enum):
    """ConnectorStatusEnumType of OCPP 2.x; the nine words of 1.6 fold into these."""

    AVAILABLE = "Available"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


@dataclass(frozen=True, slots=True)
class Station:
    """A registered charging station. Presence lives in the hub; see `connected_epoch`."""

    id: int
    uuid: str
    identity: str
    name: str | None
    location_id: int | None
    brand_slug: str | None
    model_slug: str | None
    connector_type: str | None
    connectors: int
    ws_url: str | None
    ocpp_version: OcppVersion | None
    virtual: bool
    strict: bool | None
    security_profile: int
    """The lowest of OCPP's that it may connect with; 0: what the server's settings ask for."""
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    booted_at: datetime | None
    registration: Registration
    blocked_at: datetime | None
    """Since when an operator keeps it out."""
    connected_epoch: int | None
    connected_version: OcppVersion | None
    last_connected_at: datetime | None
    last_disconnected_at: datetime | None
    last_heartbeat_at: datetime | None
    created_job_id: int | None
    created_seq: int | None
    created_at: datetime
    updated_at: datetime
    tags: tuple[str, ...] = ()
    """Words of the operator's own."""


@dataclass(frozen=True, slots=True)
class NewStation:
    """What is known of a station before it ever connected."""

    identity: str
    name: str | None = None
    location_id: int | None = None
    brand_slug: str | None = None
    model_slug: str | None = None
    connector_type: str | None = None
    connectors: int = 1
    ws_url: str | None = None
    ocpp_version: OcppVersion | None = None
    serial_number: str | None = None
    virtual: bool = False
    security_profile: int = 0
    registration: Registration = Registration.ACCEPTED
    created_job_id: int | None = None
    created_seq: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connector:
    """Last known state of one connector; `evse_id` 0 is the whole station."""

    station_id: int
    evse_id: int
    connector_id: int
    status: ConnectorStatus
    reported_status: str
    error_code: str | None
    info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    reported_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BootReport:
    """The content of a BootNotification, version-neutral."""

    vendor: str
    model: str
    serial_number: str | None
    firmware_version: str | None
    reason: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The content of a StatusNotification, version-neutral."""

    evse_id: int
    connector_id: int
    status: ConnectorStatus
    reported_status: str
    error_code: str | None
    info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    reported_at: datetime | None
    raw: str
