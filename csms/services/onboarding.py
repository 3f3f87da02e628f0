"""A while in which unknown stations are let in, as a pairing mode does; in memory only.

Nothing of it is stored, so no restart finds a door open that somebody forgot.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.timestamps import format_timestamp
from csms.events import Event
from csms.store.database import Database

MAX_MINUTES = 60
# Strangers choose how many identities they come with.
MAX_STATIONS = 50


@dataclass(slots=True)
class Opening:
    """An open window."""

    until: datetime
    ends_at: float
    """Monotonic seconds, which no change of the clock makes longer."""
    location_id: int | None
    """Where the stations stand that come in."""
    station_ids: set[int] = field(default_factory=set)
    guests: set[int] = field(default_factory=set)
    """Those among them that came without a password."""
    untold: set[int] = field(default_factory=set)
    """Those among the guests that nobody has tried to tell a password."""


class Window:
    """At most one opening at a time; a new one replaces it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._opening: Opening | None = None
        self._changed = asyncio.Event()

    @property
    def present(self) -> Opening | None:
        """The opening that has not ended."""
        found = self._opening
        return None if found is None or self._is_over(found) else found

    async def open(self, db: Database, minutes: int, location_id: int | None = None) -> Opening:
        """Let unknown stations in from now on."""
        length = timedelta(minutes=minutes)
        made = Opening(
            until=self._clock.now() + length,
            ends_at=self._clock.monotonic() + length.total_seconds(),
            location_id=location_id,
        )
        said = {"until": format_timestamp(made.until), "minutes": minutes}
        event = Event("onboarding.opened", said, location_id=location_id)
        await db.write(lambda tx: tx.emit(event))
        self._opening = made
        self._changed.set()
        return made

    async def close(self, db: Database, reason: str = "closed") -> None:
        """Let nobody in any more; nothing happens when it is closed."""
        found, self._opening = self._opening, None
        if found is not None:
            said = {"reason": reason, "stations": len(found.station_ids)}
            event = Event("onboarding.closed", said, location_id=found.location_id)
            await db.write(lambda tx: tx.emit(event))
            self._changed.set()

    def came_in(self, station_id: int, *, is_guest: bool) -> None:
        """One more station, perhaps without a password."""
        found = self.present
        if found is None:
            return
        found.station_ids.add(station_id)
        if is_guest:
            found.guests.add(station_id)
            found.untold.add(station_id)
        self._changed.set()

    def has_guest(self, station_id: int) -> bool:
        """Whether it may come in without a password: it did, and the window is still open."""
        found = self.present
        return found is not None and station_id in found.guests

    def take_untold(self, station_id: int) -> bool:
        """Whether somebody has to tell it a password; true once."""
        if self._opening is None or station_id not in self._opening.untold:
            return False
        self._opening.untold.discard(station_id)
        return True

    def is_full(self) -> bool:
        """Whether no more stations come in."""
        found = self.present
        return found is not None and len(found.station_ids) >= MAX_STATIONS

    async def run(self, db: Database) -> None:
        """Close each opening at its end, until cancelled."""
        while True:
            self._changed.clear()
            found = self._opening
            if found is not None and self._is_over(found):
                await self.close(db, "over")
                continue
            try:
                left = None if found is None else found.ends_at - self._clock.monotonic()
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _is_over(self, opening: Opening) -> bool:
        return self._clock.monotonic() >= opening.ends_at
