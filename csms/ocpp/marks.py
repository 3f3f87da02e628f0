"""What the store hears of connections: who came, who went, and who was replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from csms.errors import CsmsError
from csms.events import Event
from csms.ocpp.context import StationContext
from csms.services import quirks
from csms.store import connections, stations
from csms.store.database import Database, Tx

log = structlog.get_logger(__name__)


class Marks:
    """Writes the marks. The writer's queue keeps their order, so each must be asked for in turn."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def connected(self, context: StationContext) -> None:
        """The station has a socket in this life of the process."""

        def mark(tx: Tx) -> None:
            stations.mark_connected(tx, context.station_id, context.epoch, context.version)
            connections.insert(
                tx,
                context.station_id,
                epoch=context.epoch,
                generation=context.generation,
                version=context.version,
                address=context.address,
            )
            _emit(
                tx,
                "station.connected",
                context,
                version=context.version.value,
                security_profile=context.security_profile,
            )

        await self._write(mark, context)

    async def disconnected(self, context: StationContext, close_code: int | None = None) -> None:
        """Its last socket is gone, and we saw it go."""

        def mark(tx: Tx) -> None:
            stations.mark_disconnected(tx, context.station_id, context.epoch)
            connections.update_closed(
                tx,
                context.station_id,
                epoch=context.epoch,
                generation=context.generation,
                close_code=close_code,
            )
            _emit(tx, "station.disconnected", context)

        await self._write(mark, context)

    async def replaced(self, older: StationContext, newer: StationContext) -> None:
        """A newer connection took the place of one that was alive."""

        def tell(tx: Tx) -> None:
            _emit(tx, "duplicate_identity", newer, replaced_address=older.address)

        await self._write(tell, newer)

    async def fired(self, context: StationContext, quirk: str, detail: str | None) -> None:
        """A quirk made us act differently on this connection."""
        context.log.info("quirk fired", quirk=quirk, detail=detail)
        await self._write(lambda tx: quirks.fire(tx, context.station_id, quirk, detail), context)

    async def suspected(self, context: StationContext, call: str) -> None:
        """The station restarted after a CALL of ours."""
        await self._write(lambda tx: quirks.suspect(tx, context.station_id, call), context)

    async def acquitted(self, station_id: int, call: str) -> None:
        """This time it did not."""
        try:
            await self._db.write(lambda tx: quirks.acquit(tx, station_id, call))
        except CsmsError as error:
            log.warning("acquittal not stored", reason=error.code)

    async def withheld(self, context: StationContext, call: str) -> None:
        """The station restarted twice after a CALL of ours, which is not sent any more."""
        context.log.warning("call withheld from now on", call=call)
        await self._write(lambda tx: quirks.withhold(tx, context.station_id, call), context)

    async def flapping(self, station_id: int, *, flapping: bool, connections: int) -> None:
        """The station began to come and go all the time, or has calmed down."""
        try:
            await self._db.write(
                lambda tx: quirks.tell_flapping(
                    tx, station_id, flapping=flapping, connections=connections
                )
            )
        except CsmsError as error:
            log.warning("flapping not stored", reason=error.code)

    async def _write(self, fn: Callable[[Tx], None], context: StationContext) -> None:
        try:
            await self._db.write(fn)
        except CsmsError as error:
            context.log.warning("presence not stored", reason=error.code)


def _emit(tx: Tx, kind: str, context: StationContext, **more: Any) -> None:
    station = stations.find(tx, context.station_id)
    if station is None:
        return  # deleted meanwhile
    data = {"id": station.uuid, "identity": station.identity, "address": context.address, **more}
    tx.emit(Event(kind, data, station_id=station.id, location_id=station.location_id))
