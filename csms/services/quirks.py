"""Quirks of one station: that they fired, what an operator set, and what is withheld."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.domain.quirks import StationQuirks
from csms.errors import NotFound
from csms.services import station_events
from csms.store import quirks as store
from csms.store.database import ReadTx, Tx

CHANGED = "station.quirks_changed"


def of_station(tx: ReadTx, station_id: int) -> StationQuirks:
    """What was decided about the station."""
    return StationQuirks(
        store.get_overrides(tx, station_id),
        tuple(store.list_withheld(tx, station_id)),
        tuple(store.list_suspected(tx, station_id)),
    )


def fire(tx: Tx, station_id: int, quirk: str, detail: str | None) -> None:
    """Record that a quirk fired on a connection; an event tells of the first time."""
    if store.insert_fired(tx, station_id, quirk, detail):
        station_events.emit(tx, station_id, "station.quirk_fired", quirk=quirk, detail=detail)


def override(tx: Tx, station_id: int, settings: Mapping[str, Any]) -> None:
    """Set what goes before the rows about the station's maker."""
    store.update_overrides(tx, station_id, settings)
    station_events.emit(tx, station_id, CHANGED)


def suspect(tx: Tx, station_id: int, call: str) -> None:
    """The station restarted after a CALL; a restart of ours does not make us forget it."""
    store.insert_suspected(tx, station_id, call)


def acquit(tx: Tx, station_id: int, call: str) -> None:
    """The CALL was not to blame."""
    store.delete_suspected(tx, station_id, call)


def withhold(tx: Tx, station_id: int, call: str) -> None:
    """Send a CALL no more; the event tells the operator."""
    store.delete_suspected(tx, station_id, call)
    if store.insert_withheld(tx, station_id, call):
        station_events.emit(tx, station_id, "station.call_withheld", call=call)
        station_events.emit(tx, station_id, CHANGED)


def release(tx: Tx, station_id: int, call: str) -> None:
    """Send it again; raises NotFound when it is not withheld."""
    if not store.delete_withheld(tx, station_id, call):
        raise NotFound("This call is not withheld")
    station_events.emit(tx, station_id, CHANGED)


def tell_flapping(tx: Tx, station_id: int, *, flapping: bool, connections: int) -> None:
    """The station began to come and go all the time, or has calmed down."""
    station_events.emit(
        tx, station_id, "station.flapping", flapping=flapping, connections=connections
    )
