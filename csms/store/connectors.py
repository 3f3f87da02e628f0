"""Tables `connectors` (last known state) and `status_notifications` (its history)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.stations import Connector, ConnectorStatus, StatusReport
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx


def insert_history(tx: Tx, station_id: int, report: StatusReport) -> None:
    """Record what the station said, as it said it."""
    tx.run(
        "INSERT INTO status_notifications (station_id, evse_id, connector_id, status,"
        " reported_status, error_code, reported_at, received_at, raw)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            report.evse_id,
            report.connector_id,
            report.status.value,
            report.reported_status,
            report.error_code,
            micros(report.reported_at),
            tx.now,
            report.raw,
        ),
    )


def upsert(tx: Tx, station_id: int, report: StatusReport) -> bool:
    """Make the report the last known state; returns whether that changed anything but times."""
    before = tx.one(
        "SELECT status, reported_status, error_code, info, vendor_error_code FROM connectors"
        " WHERE station_id = ? AND evse_id = ? AND connector_id = ?",
        (station_id, report.evse_id, report.connector_id),
    )
    after = (
        report.status.value,
        report.reported_status,
        report.error_code,
        report.info,
        report.vendor_error_code,
    )
    tx.run(
        "INSERT OR REPLACE INTO connectors (station_id, evse_id, connector_id, status,"
        " reported_status, error_code, info, vendor_error_code, vendor_id, reported_at,"
        " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            report.evse_id,
            report.connector_id,
            *after,
            report.vendor_id,
            micros(report.reported_at),
            tx.now,
        ),
    )
    return before is None or tuple(before) != after


class Freed(NamedTuple):
    """Since when a connector is free: the first report that says so, with nothing else since."""

    reported_at: datetime | None
    received_at: datetime
    raw: str


def find_freed(
    tx: ReadTx, station_id: int, evse_id: int, connector_id: int, *, since: datetime
) -> Freed | None:
    """The report that freed a connector after an instant, when it is free now."""
    row = tx.one(
        "WITH told AS (SELECT * FROM status_notifications WHERE station_id = ? AND evse_id = ?"
        " AND connector_id = ? AND received_at >= ?)"
        " SELECT reported_at, received_at, raw FROM told WHERE status = 'Available'"
        " AND id > (SELECT ifnull(max(id), 0) FROM told WHERE status <> 'Available')"
        " ORDER BY id LIMIT 1",
        (station_id, evse_id, connector_id, micros(since)),
    )
    return None if row is None else Freed(instant(row[0]), from_micros(row[1]), row[2])


def list_of_station(tx: ReadTx, station_id: int) -> list[Connector]:
    """Every connector that was ever reported, the whole station (EVSE 0) first."""
    rows = tx.all(
        "SELECT * FROM connectors WHERE station_id = ? ORDER BY evse_id, connector_id",
        (station_id,),
    )
    return [_connector(row) for row in rows]


def _connector(row: Row) -> Connector:
    return Connector(
        station_id=row["station_id"],
        evse_id=row["evse_id"],
        connector_id=row["connector_id"],
        status=ConnectorStatus(row["status"]),
        reported_status=row["reported_status"],
        error_code=row["error_code"],
        info=row["info"],
        vendor_id=row["vendor_id"],
        vendor_error_code=row["vendor_error_code"],
        reported_at=instant(row["reported_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
