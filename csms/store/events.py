"""Table `events`: what happened, to replay from. Ids follow the order of commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.clock import from_micros
from csms.store.columns import from_json
from csms.store.database import ReadTx, Row, Tx

KEPT_US = 7 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row with the public ids of what it is about, and who submitted its job."""

    id: int
    type: str
    at: datetime
    data: dict[str, Any]
    station_id: int | None
    station_uuid: str | None
    job_id: int | None
    job_uuid: str | None
    job_principal: str | None
    location_id: int | None
    location_uuid: str | None


def list_after(
    tx: ReadTx, after_id: int, *, limit: int, up_to: int | None = None, job_id: int | None = None
) -> list[StoredEvent]:
    """Events in order, of one job or of all."""
    where, params = "e.id > ?", [after_id]
    if up_to is not None:
        where += " AND e.id <= ?"
        params.append(up_to)
    if job_id is not None:
        where += " AND e.job_id = ?"
        params.append(job_id)
    rows = tx.all(
        "SELECT e.*, s.uuid AS station_uuid, j.uuid AS job_uuid, j.principal AS job_principal,"  # noqa: S608
        " l.uuid AS location_uuid FROM events e"
        " LEFT JOIN stations s ON s.id = e.station_id"
        " LEFT JOIN jobs j ON j.id = e.job_id"
        " LEFT JOIN locations l ON l.id = e.location_id"
        f" WHERE {where} ORDER BY e.id LIMIT ?",
        (*params, limit),
    )
    return [_event(row) for row in rows]


def newest_id(tx: ReadTx) -> int:
    """The id of the last event ever written, kept or not; 0 before the first."""
    number: int | None = tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    return number or 0


def oldest_id(tx: ReadTx) -> int | None:
    """The id of the oldest event that is kept."""
    number: int | None = tx.value("SELECT min(id) FROM events")
    return number


def delete_old(tx: Tx) -> int:
    """Forget events older than a week; returns how many."""
    return tx.run("DELETE FROM events WHERE at <= ?", (tx.now - KEPT_US,))


def _event(row: Row) -> StoredEvent:
    return StoredEvent(
        id=row["id"],
        type=row["type"],
        at=from_micros(row["at"]),
        data=from_json(row["data"]),
        station_id=row["station_id"],
        station_uuid=row["station_uuid"],
        job_id=row["job_id"],
        job_uuid=row["job_uuid"],
        job_principal=row["job_principal"],
        location_id=row["location_id"],
        location_uuid=row["location_uuid"],
    )
