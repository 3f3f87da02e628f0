"""What happened, told upward: stored events and the in-memory bus.

An event is written by `tx.emit(event)` in the transaction of the change and reaches the bus
after the COMMIT, in commit order; there is no other way to publish a change.
Signals are the unstored kind: facts about sockets, gone with the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A stored fact. `type` reads `noun.verb`, e.g. `station.booted`; `data` is JSON-ready."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)
    station_id: int | None = None
    job_id: int | None = None
    location_id: int | None = None
    id: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StationReady:
    """Signal: the connection showed its sign of readiness; commands may go out."""

    station_id: int


@dataclass(frozen=True, slots=True)
class StationGone:
    """Signal: the station's last socket is gone."""

    station_id: int


@dataclass(frozen=True, slots=True)
class SlotFree:
    """Signal: the station's one call slot is free again."""

    station_id: int


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """Signal: an answer to a CALL that is no longer waited for."""

    station_id: int
    message_id: str
    payload: dict[str, Any] | None
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Tick:
    """Signal: progress that is worth showing but not worth a row."""

    type: str
    data: dict[str, Any]
    job_id: int | None = None
    station_id: int | None = None
    location_id: int | None = None


Signal = Event | StationReady | StationGone | SlotFree | LateAnswer | Tick
S = TypeVar("S", bound=Signal)


class Bus:
    """Synchronous fan-out on the loop's thread; a subscriber never awaits and never raises."""

    def __init__(self) -> None:
        self._subscribers: dict[type, list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[S], handler: Callable[[S], None]) -> Callable[[], None]:
        """Call `handler` for every `kind` published; returns the way to stop it."""
        handlers = self._subscribers.setdefault(kind, [])
        handlers.append(handler)
        return lambda: handlers.remove(handler)

    def publish(self, signal: Signal) -> None:
        """Tell every subscriber of the signal's class, in order of subscription."""
        for handler in tuple(self._subscribers.get(type(signal), ())):
            try:
                handler(signal)
            except Exception:  # one bad listener must not stop the news for the others
                log.exception("event subscriber failed", signal=type(signal).__name__)
