"""What an action handler knows about the connection its message came on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from csms.clock import Clock
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp.frames import JsonObject
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store.database import Database, Tx


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


@dataclass(slots=True)
class Stored:
    """A handler's answer that may leave only after a commit. It can also be awaited."""

    db: Database
    write: Callable[[Tx], Any]
    reply: Callable[[Any], JsonObject | None]
    """Makes the payload of the answer from what `write` returned."""

    def __await__(self) -> Generator[Any, None, JsonObject | None]:
        return self.reply((yield from self.db.write(self.write).__await__()))


# None leaves the CALL unanswered. Most answers are Stored, which costs no task; a handler that
# needs more than one write is a coroutine.
Answer = JsonObject | None | Stored | Awaitable[JsonObject | None]
Handler = Callable[[StationContext, JsonObject], Answer]
