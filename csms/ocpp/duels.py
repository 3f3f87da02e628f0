"""Two stations with one identity throw each other out; after a while neither may come in."""

from __future__ import annotations

REPLACEMENTS = 5
WINDOW_S = 60.0


class Duels:
    """Counts how often the connections of a station replaced each other lately."""

    def __init__(self) -> None:
        self._replacements: dict[int, list[float]] = {}

    def note(self, station_id: int, now: float) -> None:
        """One more replacement; monotonic seconds."""
        self._replacements[station_id] = [*self._recent(station_id, now), now]

    def goes_on(self, station_id: int, now: float) -> bool:
        """Whether there were too many within the window."""
        return len(self._recent(station_id, now)) >= REPLACEMENTS

    def forget_old(self, now: float) -> None:
        """Drop what lies before the window."""
        for station_id in list(self._replacements):
            if not self._recent(station_id, now):
                del self._replacements[station_id]

    def _recent(self, station_id: int, now: float) -> list[float]:
        return [at for at in self._replacements.get(station_id, ()) if at > now - WINDOW_S]
