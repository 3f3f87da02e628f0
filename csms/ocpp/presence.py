"""What is known of a station's connection, and the numbers of all connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.domain.histograms import Histogram
from csms.domain.versions import OcppVersion


@dataclass(frozen=True, slots=True)
class Presence:
    """What the hub knows of a station, for lists."""

    connected: bool
    ready: bool
    address: str | None = None
    version: OcppVersion | None = None
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unready:
    """A station that is connected, but must not be sent anything."""

    left_s: float
    """How long it may still be waited for; below 0 when that is over."""
    reason: str


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
    latencies: dict[str, Histogram]
    """From a CALL to its answer, in seconds, by direction."""
    garbled: int
    slowed: int
    strays: int
