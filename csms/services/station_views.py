"""What a station is known to have: its settings and its local authorization list."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.device_model import Variable
from csms.domain.local_lists import ListEntry
from csms.store import local_lists, variables
from csms.store.database import Database, ReadTx


@dataclass(frozen=True, slots=True)
class LocalListView:
    """A station's local list; None is what is not known."""

    version: int | None
    entries: list[ListEntry] | None


async def list_variables(db: Database, station_id: int) -> list[Variable]:
    """The settings that the station told of, by component."""
    return await db.read(lambda tx: variables.list_of_station(tx, station_id))


async def show_local_list(db: Database, station_id: int) -> LocalListView:
    """The list and what is on it, as far as we know."""

    def look(tx: ReadTx) -> LocalListView:
        known = local_lists.find(tx, station_id)
        if not known.is_known:
            return LocalListView(known.version, None)
        return LocalListView(known.version, local_lists.list_entries(tx, station_id))

    return await db.read(look)
