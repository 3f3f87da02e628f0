"""How long after our own restart a station that has not come back yet is not called offline."""

from __future__ import annotations

from datetime import datetime, timedelta

from csms.clock import Clock
from csms.events import Bus, StationGone, StationReady


class Grace:
    """Stations that were connected when we went down, until they come or the time is over."""

    def __init__(self, clock: Clock, length: timedelta, bus: Bus) -> None:
        self._clock = clock
        self._length = length
        self._expected: set[int] = set()
        self._ends_at = clock.now()
        bus.subscribe(StationReady, lambda signal: self._expected.discard(signal.station_id))
        bus.subscribe(StationGone, lambda signal: self._expected.discard(signal.station_id))

    def begin(self, expected: list[int]) -> None:
        """Start the clock for these stations."""
        self._expected = set(expected)
        self._ends_at = self._clock.now() + self._length

    def until(self, station_id: int) -> datetime | None:
        """Until when the station must not be called offline; None: at once."""
        if station_id in self._expected and self._clock.now() < self._ends_at:
            return self._ends_at
        return None
