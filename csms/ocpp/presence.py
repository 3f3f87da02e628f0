"""What is known of a station's connection, and the numbers of all connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.domain.versions import OcppVersion


@dataclass(frozen=True, slots=True)
class Presence:
    """What the hub knows of a station, for lists."""

    connected: bool
    ready: bool
    address: str | None = None
    version: OcppVersion | None = None
    last_frame_at: datetime | None = None


OFFLINE = Presence(connected=False, ready=False)


@dataclass(frozen=True, slots=True)
class HubStats:
    """Numbers for /metrics."""

    connections: dict[str, int]
    """By OCPP version."""
    held: int
    ready: int
    calls_outstanding: int
    calls_waiting: int
    being_answered: int
    messages: dict[tuple[str, str, str], int]
    """(direction, action, result) → number."""
    garbled: int
    strays: int
