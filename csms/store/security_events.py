"""Table `security_events`: what stations report about their security, in order of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.security_events import SecurityEvent
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx


@dataclass(frozen=True, slots=True)
class StoredSecurityEvent:
    """A row."""

    id: int
    type: str
    tech_info: str | None
    critical: bool
    reported_at: datetime | None
    received_at: datetime


def insert(tx: Tx, station_id: int, event: SecurityEvent) -> bool:
    """Record one; False when it is there already, because the station did not get our answer."""
    reported_at = micros(event.reported_at)
    # Without a clock, two events look alike that are not the same.
    if reported_at is not None and tx.one(
        "SELECT 1 FROM security_events"
        " WHERE station_id = ? AND type = ? AND reported_at = ? AND raw = ?",
        (station_id, event.type, reported_at, event.raw),
    ):
        return False
    tx.run(
        "INSERT INTO security_events (station_id, type, tech_info, critical, reported_at,"
        " received_at, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            event.type,
            event.tech_info,
            event.critical,
            reported_at,
            tx.now,
            event.raw,
        ),
    )
    return True


def list_of_station(tx: ReadTx, station_id: int, *, limit: int) -> list[StoredSecurityEvent]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM security_events WHERE station_id = ? ORDER BY id DESC LIMIT ?",
        (station_id, limit),
    )
    return [_event(row) for row in rows]


def list_page(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    type_: str | None = None,
    critical: bool | None = None,
) -> list[StoredSecurityEvent]:
    """A part of them, newest first."""
    rows = tx.all(
        "SELECT * FROM security_events WHERE station_id = ?1 AND id < ifnull(?2, 1 << 62)"
        " AND (?3 IS NULL OR type = ?3) AND (?4 IS NULL OR critical = ?4)"
        " ORDER BY id DESC LIMIT ?5",
        (station_id, before_id, type_, critical, limit),
    )
    return [_event(row) for row in rows]


def _event(row: Row) -> StoredSecurityEvent:
    return StoredSecurityEvent(
        id=row["id"],
        type=row["type"],
        tech_info=row["tech_info"],
        critical=bool(row["critical"]),
        reported_at=instant(row["reported_at"]),
        received_at=from_micros(row["received_at"]),
    )
