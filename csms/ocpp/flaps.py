"""A station that comes and goes all the time: told once when it begins and once when it ends."""

from __future__ import annotations

WINDOW_S = 600.0
CONNECTIONS = 6
"""So many within the window are no accident."""


class Flaps:
    """Counts how often each station connected lately; monotonic seconds."""

    def __init__(self) -> None:
        self._connections: dict[int, list[float]] = {}
        self._flapping: set[int] = set()

    def note(self, station_id: int, now: float) -> bool:
        """One more connection; returns whether the station has begun to flap just now."""
        recent = [*self._recent(station_id, now), now]
        self._connections[station_id] = recent[-CONNECTIONS * 10 :]
        if len(recent) < CONNECTIONS or station_id in self._flapping:
            return False
        self._flapping.add(station_id)
        return True

    def count(self, station_id: int, now: float) -> int:
        """How often it connected within the window."""
        return len(self._recent(station_id, now))

    def goes_on(self, station_id: int) -> bool:
        """Whether it began to flap and has not calmed down."""
        return station_id in self._flapping

    def forget_old(self, now: float) -> list[int]:
        """Drop what lies before the window; returns who has calmed down."""
        for station_id in list(self._connections):
            if not self._recent(station_id, now):
                del self._connections[station_id]
        calm = [
            station_id for station_id in self._flapping if len(self._recent(station_id, now)) <= 1
        ]
        self._flapping.difference_update(calm)
        return calm

    def _recent(self, station_id: int, now: float) -> list[float]:
        return [at for at in self._connections.get(station_id, ()) if at > now - WINDOW_S]
