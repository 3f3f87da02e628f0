"""What the events about a station carry: its public ids and where it stands now."""

from __future__ import annotations

from typing import Any, NamedTuple

from csms.store.database import ReadTx


class Whereabouts(NamedTuple):
    """Enough to address an event; cheaper than the whole station."""

    uuid: str
    identity: str
    location_id: int | None

    @property
    def names(self) -> dict[str, Any]:
        """The part of an event's data that says which station it is."""
        return {"station_id": self.uuid, "identity": self.identity}


def get(tx: ReadTx, station_id: int) -> Whereabouts:
    """Of a station that exists, deleted or not."""
    row = tx.one("SELECT uuid, identity, location_id FROM stations WHERE id = ?", (station_id,))
    assert row is not None, "rows of stations are kept as long as anything points at them"
    return Whereabouts(row[0], row[1], row[2])
