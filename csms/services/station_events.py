"""Events about a station: what they all say, so that each call site says the rest."""

from __future__ import annotations

from typing import Any

from csms.events import Event
from csms.store import whereabouts
from csms.store.database import Tx


def emit(tx: Tx, station_id: int, event_type: str, **data: Any) -> None:
    """Store the event, with the names of the station and where it stands."""
    station = whereabouts.get(tx, station_id)
    tx.emit(
        Event(
            event_type,
            {**station.names, **data},
            station_id=station_id,
            location_id=station.location_id,
        )
    )
