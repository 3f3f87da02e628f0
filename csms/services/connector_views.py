"""Connectors as they are shown: those of a location by numbered pages."""

from __future__ import annotations

from typing import NamedTuple

from csms.domain.locations import Location
from csms.domain.stations import Connector, Station
from csms.store import connectors, stations
from csms.store.database import Database, ReadTx


class ConnectorPage(NamedTuple):
    """A part of the connectors with their stations, and how many there are in all."""

    items: list[tuple[Station, Connector]]
    total: int


async def list_at(
    db: Database, location: Location, *, limit: int, offset: int = 0
) -> ConnectorPage:
    """A page, station by station; what was told of whole stations is left out."""

    def look(tx: ReadTx) -> ConnectorPage:
        found = connectors.list_at(tx, location.id, limit=limit, offset=offset)
        owners = stations.find_many(tx, sorted({one.station_id for one in found}))
        items = [(owners[one.station_id], one) for one in found]
        return ConnectorPage(items, connectors.count_at(tx, location.id))

    return await db.read(look)
