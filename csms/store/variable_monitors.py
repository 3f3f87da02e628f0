"""Table `variable_monitors`: what watches the variables of a station, by the station's ids."""

from __future__ import annotations

from collections.abc import Iterable

from csms.domain.device_model import Monitor
from csms.store.database import ReadTx, Tx
from csms.store.variables import key_of


def upsert(tx: Tx, station_id: int, variable_id: int, monitor: Monitor) -> None:
    """The newest word about a monitor counts; where it comes from stays until it is told anew."""
    tx.run(
        "INSERT INTO variable_monitors (station_id, monitor_id, variable_id, type, value,"
        " severity, in_transaction, origin, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET variable_id = excluded.variable_id, type = excluded.type,"
        " value = excluded.value, severity = excluded.severity,"
        " in_transaction = excluded.in_transaction, origin = ifnull(excluded.origin, origin),"
        " updated_at = excluded.updated_at",
        (
            station_id,
            monitor.id,
            variable_id,
            monitor.type,
            monitor.value,
            monitor.severity,
            monitor.in_transaction,
            monitor.origin,
            tx.now,
        ),
    )


def delete(tx: Tx, station_id: int, monitor_ids: Iterable[int]) -> None:
    """These are gone."""
    tx.many(
        "DELETE FROM variable_monitors WHERE station_id = ? AND monitor_id = ?",
        [(station_id, monitor_id) for monitor_id in monitor_ids],
    )


def delete_others(tx: Tx, station_id: int, kept: Iterable[int]) -> None:
    """All but these are gone."""
    there = {monitor.id for monitor in list_of_station(tx, station_id)}
    delete(tx, station_id, there.difference(kept))


def delete_custom(tx: Tx, station_id: int) -> None:
    """Those that were set, not built in, are gone; of some it is not known."""
    tx.run(
        "DELETE FROM variable_monitors WHERE station_id = ? AND origin = 'CustomMonitor'",
        (station_id,),
    )


def find_severity(tx: ReadTx, station_id: int, monitor_id: int) -> int | None:
    """How grave it is what this monitor sees."""
    severity: int | None = tx.value(
        "SELECT severity FROM variable_monitors WHERE station_id = ? AND monitor_id = ?",
        (station_id, monitor_id),
    )
    return severity


def list_of_station(tx: ReadTx, station_id: int) -> list[Monitor]:
    """Every monitor that we know of."""
    rows = tx.all(
        "SELECT m.*, v.component, v.component_instance, v.evse_id, v.connector_id, v.variable,"
        " v.variable_instance FROM variable_monitors m JOIN variables v ON v.id = m.variable_id"
        " WHERE m.station_id = ? ORDER BY m.monitor_id",
        (station_id,),
    )
    return [
        Monitor(
            id=row["monitor_id"],
            key=key_of(row),
            type=row["type"],
            value=row["value"],
            severity=row["severity"],
            in_transaction=bool(row["in_transaction"]),
            origin=row["origin"],
        )
        for row in rows
    ]
