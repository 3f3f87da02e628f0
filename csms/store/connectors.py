"""Tables `connectors` (last known state) and `status_notifications` (its history)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.stations import Connector, ConnectorStatus, StatusReport
from csms.store.columns import instant, micros, to_json
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


def unchanged_since(tx: ReadTx, station_id: int) -> dict[tuple[int, int], datetime]:
    """When each connector's present status was first told, by EVSE and connector."""
    rows = tx.all(
        "SELECT now.evse_id, now.connector_id, min(told.received_at)"
        " FROM connectors AS now JOIN status_notifications AS told USING"
        " (station_id, evse_id, connector_id)"
        " WHERE now.station_id = ? AND told.id > ifnull((SELECT max(id) FROM status_notifications"
        " AS other WHERE other.station_id = now.station_id AND other.evse_id = now.evse_id"
        " AND other.connector_id = now.connector_id"
        " AND other.reported_status <> now.reported_status), 0)"
        " GROUP BY now.evse_id, now.connector_id",
        (station_id,),
    )
    return {(row[0], row[1]): from_micros(row[2]) for row in rows}


class StatusNotification(NamedTuple):
    """A row of the history."""

    id: int
    evse_id: int
    connector_id: int
    status: ConnectorStatus
    reported_status: str
    error_code: str | None
    reported_at: datetime | None
    received_at: datetime


def list_history(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    evse_id: int | None = None,
    status: ConnectorStatus | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[StatusNotification]:
    """What a station told of its connectors, newest first."""
    rows = tx.all(
        "SELECT * FROM status_notifications WHERE station_id = ?1 AND id < ifnull(?2, 1 << 62)"
        " AND (?3 IS NULL OR evse_id = ?3) AND (?4 IS NULL OR received_at >= ?4)"
        " AND (?5 IS NULL OR received_at < ?5) AND (?6 IS NULL OR status = ?6)"
        " ORDER BY id DESC LIMIT ?7",
        (
            station_id,
            before_id,
            evse_id,
            micros(since),
            micros(until),
            status and status.value,
            limit,
        ),
    )
    return [
        StatusNotification(
            row["id"],
            row["evse_id"],
            row["connector_id"],
            ConnectorStatus(row["status"]),
            row["reported_status"],
            row["error_code"],
            instant(row["reported_at"]),
            from_micros(row["received_at"]),
        )
        for row in rows
    ]


def list_of_station(tx: ReadTx, station_id: int) -> list[Connector]:
    """Every connector that was ever reported, the whole station (EVSE 0) first."""
    return list_of_stations(tx, [station_id]).get(station_id, [])


def list_of_stations(tx: ReadTx, station_ids: Iterable[int]) -> dict[int, list[Connector]]:
    """The same of many; without those that never reported any."""
    rows = tx.all(
        "SELECT * FROM connectors WHERE station_id IN (SELECT value FROM json_each(?))"
        " ORDER BY station_id, evse_id, connector_id",
        (to_json(list(station_ids)),),
    )
    found: dict[int, list[Connector]] = {}
    for row in rows:
        found.setdefault(row["station_id"], []).append(_connector(row))
    return found


def list_at(tx: ReadTx, location_id: int, *, limit: int, offset: int = 0) -> list[Connector]:
    """A part of the connectors of the live stations at a location."""
    rows = tx.all(
        f"SELECT connectors.* {_AT_LOCATION}"
        " ORDER BY station_id, evse_id, connector_id LIMIT ? OFFSET ?",
        (location_id, limit, offset),
    )
    return [_connector(row) for row in rows]


def count_at(tx: ReadTx, location_id: int) -> int:
    """How many `list_at` would go through."""
    number: int = tx.value(f"SELECT count(*) {_AT_LOCATION}", (location_id,))
    return number


_AT_LOCATION = (
    "FROM connectors JOIN stations ON stations.id = connectors.station_id"
    " WHERE stations.location_id = ? AND stations.deleted_at IS NULL AND evse_id <> 0"
)


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
