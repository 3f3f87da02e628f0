"""What ends a connection, and who knocks while it happens: who is kept out does not come in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from csms.events import Bus, Event
from csms.services import booting

NORMAL, POLICY_VIOLATION, SERVICE_RESTART = 1000, 1008, 1012

_ENDS = {
    "station.blocked": (POLICY_VIOLATION, "the station is blocked"),
    "station.deleted": (NORMAL, "the station was deleted"),
    booting.MISMATCHED: (POLICY_VIOLATION, "not the certificate's station"),  # 2.0.1 B01.FR.12
}


def end_of(event: Event, *, by_certificate: bool) -> tuple[int, str] | None:
    """With which code and words it ends a connection of its station; None: it goes on."""
    if event.type == "station.credentials_rotated" and not event.data["pushed"]:
        return NORMAL, "the password was changed"
    # It may have come with a lower one, or by a certificate of another serial number.
    if event.type == "station.updated" and (
        "security_profile" in event.data or (by_certificate and "serial_number" in event.data)
    ):
        return SERVICE_RESTART, "changed, connect again"
    return _ENDS.get(event.type)


class Meanwhile:
    """Hears of what would have ended a connection, had it been there already."""

    def __init__(self, bus: Bus) -> None:
        self._watching: dict[int, tuple[set[int], bool]] = {}
        """By what it is: sets that are equal need not be the same."""
        bus.subscribe(Event, self._on_event)

    @contextmanager
    def watched(self, *, by_certificate: bool) -> Iterator[set[int]]:
        """The row ids of the stations that it happened to, so far."""
        found: set[int] = set()
        self._watching[id(found)] = found, by_certificate
        try:
            yield found
        finally:
            del self._watching[id(found)]

    def _on_event(self, event: Event) -> None:
        # Whatever ends a connection ends one by certificate; most events end none.
        if event.station_id is None or end_of(event, by_certificate=True) is None:
            return
        always = end_of(event, by_certificate=False) is not None
        for found, by_certificate in self._watching.values():
            if always or by_certificate:
                found.add(event.station_id)
