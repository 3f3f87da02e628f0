"""How a station behaves from one connection to the next, and which quirks apply to it for that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from csms.clock import Clock
from csms.errors import CsmsError
from csms.events import Event
from csms.ocpp.breaker import Breaker
from csms.ocpp.context import StationContext
from csms.ocpp.flaps import Flaps
from csms.ocpp.link import Link
from csms.ocpp.marks import Marks
from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.applied import Applied, apply
from csms.ocpp.quirks.catalog import Description
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.quirks.told import told
from csms.services import quirks
from csms.store.database import Database, ReadTx


def applied_to(tx: ReadTx, station_id: int, station: Description) -> Applied:
    """The quirks of a registered station that presents itself like that."""
    decided = quirks.of_station(tx, station_id)
    applied = apply(
        station,
        catalog.known_of(station),
        decided.overrides,
        [withheld.call for withheld in decided.withheld],
        told(tx, station_id),
    )
    return replace(applied, suspected=decided.suspected) if decided.suspected else applied


class Conduct:
    """Watches connections come, boots follow orders, and operators change their mind."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        marks: Marks,
        breaker: Breaker,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._db = db
        self._clock = clock
        self._marks = marks
        self._breaker = breaker
        self._spawn = spawn
        self._flaps = Flaps()

    def is_flapping(self, station_id: int) -> bool:
        """Whether the station comes and goes all the time."""
        return self._flaps.goes_on(station_id)

    def connected(self, context: StationContext) -> None:
        """Take up old suspicions, and tell once when a station begins to flap."""
        now = self._clock.monotonic()
        self._breaker.remember(context.station_id, context.quirks.suspected)
        if self._flaps.note(context.station_id, now):
            connections = self._flaps.count(context.station_id, now)
            context.log.warning("station flaps", connections=connections)
            context.fire(Observed.FLAPPING.value, f"{connections} connections in 10 minutes")
            self._tell_flapping(context.station_id, connections)

    def booted(self, link: Link, event: Event) -> None:
        """Match what the boot says with the rows; suspect the order that came before it."""
        context, known = link.context, link.context.quirks
        station = replace(
            known.station,
            vendor=event.data.get("vendor"),
            model=event.data.get("model"),
            firmware=event.data.get("firmware_version"),
        )
        if station != known.station:
            entries = catalog.known_of(station)
            link.take(apply(station, entries, known.overrides, known.withheld, known.told))
        now = self._clock.monotonic()
        found = self._breaker.booted(context.station_id, context.generation, now)
        # One who flaps would have booted anyway.
        if found is None or self.is_flapping(context.station_id):
            return
        if found.proven:
            context.fire(Observed.RESTARTS_AFTER_CALL.value, found.call)
            self._spawn(self._marks.withheld(context, found.call))
        else:
            self._spawn(self._marks.suspected(context, found.call))

    def changed(self, link: Link) -> None:
        """Read again what was decided about the station."""
        self._spawn(self._read_again(link))

    def sweep(self, now: float) -> None:
        """Acquit orders without consequences, and tell who has calmed down."""
        for station_id, call in self._breaker.forget_old(now):
            self._spawn(self._marks.acquitted(station_id, call))
        for station_id in self._flaps.forget_old(now):
            self._tell_flapping(station_id, self._flaps.count(station_id, now))

    def _tell_flapping(self, station_id: int, connections: int) -> None:
        flapping = self.is_flapping(station_id)
        self._spawn(self._marks.flapping(station_id, flapping=flapping, connections=connections))

    async def _read_again(self, link: Link) -> None:
        context = link.context
        try:
            applied = await self._db.read(
                lambda tx: applied_to(tx, context.station_id, context.quirks.station)
            )
        except CsmsError as error:
            context.log.warning("quirks not read", reason=error.code)
        else:
            link.take(applied)
