"""Table `monitoring_events`: what the monitors of stations saw, in order of arrival."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.device_model import MonitoringEvent, VariableKey
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx


def insert(tx: Tx, station_id: int, event: MonitoringEvent) -> bool:
    """Record one; False when it is there already, because the station did not get our answer."""
    reported_at = micros(event.reported_at)
    # Event ids may begin anew with a boot; without a clock, two events look alike that are not.
    if (
        event.event_id is not None
        and reported_at is not None
        and tx.one(
            "SELECT 1 FROM monitoring_events"
            " WHERE station_id = ? AND event_id = ? AND reported_at = ? AND raw = ?",
            (station_id, event.event_id, reported_at, event.raw),
        )
    ):
        return False
    key = event.key
    tx.run(
        "INSERT INTO monitoring_events (station_id, event_id, component, component_instance,"
        " evse_id, connector_id, variable, variable_instance, monitor_id, severity, trigger,"
        " origin, actual_value, cleared, cause, station_transaction_id, tech_code, tech_info,"
        " reported_at, received_at, raw)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            event.event_id,
            key and key.component,
            key and key.component_instance,
            key and key.evse_id,
            key and key.connector_id,
            key and key.variable,
            key and key.variable_instance,
            event.monitor_id,
            event.severity,
            event.trigger,
            event.origin,
            event.actual_value,
            event.cleared,
            event.cause,
            event.station_transaction_id,
            event.tech_code,
            event.tech_info,
            reported_at,
            tx.now,
            event.raw,
        ),
    )
    return True


def list_of_station(tx: ReadTx, station_id: int, *, limit: int) -> list[MonitoringEvent]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM monitoring_events WHERE station_id = ? ORDER BY id DESC LIMIT ?",
        (station_id, limit),
    )
    return [_event(row) for row in rows]


class StoredMonitoringEvent(NamedTuple):
    """A row."""

    id: int
    received_at: datetime
    event: MonitoringEvent


def list_page(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    component: str | None = None,
    variable: str | None = None,
    severity: int | None = None,
) -> list[StoredMonitoringEvent]:
    """A part of them, newest first; of that severity or worse, whose number is lower."""
    rows = tx.all(
        "SELECT * FROM monitoring_events WHERE station_id = ?1 AND id < ifnull(?2, 1 << 62)"
        " AND (?3 IS NULL OR component = ?3 COLLATE NOCASE)"
        " AND (?4 IS NULL OR variable = ?4 COLLATE NOCASE)"
        " AND (?5 IS NULL OR severity <= ?5) ORDER BY id DESC LIMIT ?6",
        (station_id, before_id, component, variable, severity, limit),
    )
    return [
        StoredMonitoringEvent(row["id"], from_micros(row["received_at"]), _event(row))
        for row in rows
    ]


def _event(row: Row) -> MonitoringEvent:
    return MonitoringEvent(
        event_id=row["event_id"],
        key=_key(row),
        monitor_id=row["monitor_id"],
        severity=row["severity"],
        trigger=row["trigger"],
        origin=row["origin"],
        actual_value=row["actual_value"],
        cleared=bool(row["cleared"]),
        cause=row["cause"],
        station_transaction_id=row["station_transaction_id"],
        tech_code=row["tech_code"],
        tech_info=row["tech_info"],
        reported_at=instant(row["reported_at"]),
        raw=row["raw"],
    )


def _key(row: Row) -> VariableKey | None:
    if row["component"] is None:
        return None
    return VariableKey(
        component=row["component"],
        variable=row["variable"],
        component_instance=row["component_instance"],
        variable_instance=row["variable_instance"],
        evse_id=row["evse_id"],
        connector_id=row["connector_id"],
    )
