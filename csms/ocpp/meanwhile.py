"""What happens to stations while they knock: who was kept out meanwhile does not come in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from csms.events import Bus, Event

_ENDS = frozenset({"station.deleted", "station.blocked"})
_NEEDS_MORE = frozenset({"security_profile", "serial_number"})


class Meanwhile:
    """Hears of what would have ended a connection, had it been there already."""

    def __init__(self, bus: Bus) -> None:
        self._watching: list[set[int]] = []
        bus.subscribe(Event, self._on_event)

    @contextmanager
    def watched(self) -> Iterator[set[int]]:
        """The row ids of the stations that it happened to, so far."""
        found: set[int] = set()
        self._watching.append(found)
        try:
            yield found
        finally:
            # By identity: sets that are equal need not be the same.
            self._watching = [one for one in self._watching if one is not found]

    def _on_event(self, event: Event) -> None:
        if event.station_id is not None and _ends_connections(event):
            for found in self._watching:
                found.add(event.station_id)


def _ends_connections(event: Event) -> bool:
    if event.type == "station.credentials_rotated":
        return not event.data["pushed"]
    if event.type == "station.updated":
        return not _NEEDS_MORE.isdisjoint(event.data)
    return event.type in _ENDS
