"""What an action handler knows about the connection its message came on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from csms.clock import Clock
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp.frames import JsonObject
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store.database import Database


@dataclass(slots=True)
class StationContext:
    """One per connection of a registered station; the hub makes it and watches its fields."""

    db: Database
    bus: Bus
    clock: Clock
    settings: OcppSettings
    heartbeats: Heartbeats
    epoch: int
    station_id: int
    identity: str
    version: OcppVersion
    generation: int
    address: str
    strict: bool
    log: FilteringBoundLogger
    registration: Registration = Registration.ACCEPTED
    """As stored; BootNotification brings it up to date, the hub reads it."""
    triggered: bool = False
    """We sent a TriggerMessage(BootNotification) on this connection."""


# None leaves the CALL unanswered.
Handler = Callable[[StationContext, JsonObject], Awaitable[JsonObject | None]]
