"""Table `notices`: what stations tell that asks for nothing but to be kept."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.notices import Notice
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Tx


def insert(tx: Tx, station_id: int, notice: Notice) -> bool:
    """Keep it; False when the same one is there already."""
    changed = tx.run(
        "INSERT OR IGNORE INTO notices (station_id, action, reference, status, reported_at,"
        " received_at, raw, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            notice.action,
            notice.reference,
            notice.status,
            micros(notice.reported_at),
            tx.now,
            notice.raw,
            hashlib.sha256(notice.raw.encode()).digest(),
        ),
    )
    return changed > 0


def list_of_station(
    tx: ReadTx, station_id: int, *, action: str | None = None, limit: int = 100
) -> list[Notice]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM notices WHERE station_id = ? AND (? IS NULL OR action = ?)"
        " ORDER BY id DESC LIMIT ?",
        (station_id, action, action, limit),
    )
    return [
        Notice(
            row["action"],
            row["reference"],
            row["status"],
            instant(row["reported_at"]),
            row["raw"],
        )
        for row in rows
    ]


class StoredNotice(NamedTuple):
    """A row."""

    id: int
    received_at: datetime
    notice: Notice


def list_page(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    action: str | None = None,
    reference: str | None = None,
) -> list[StoredNotice]:
    """A part of them, newest first."""
    rows = tx.all(
        "SELECT * FROM notices WHERE station_id = ?1 AND id < ifnull(?2, 1 << 62)"
        " AND (?3 IS NULL OR action = ?3) AND (?4 IS NULL OR reference = ?4)"
        " ORDER BY id DESC LIMIT ?5",
        (station_id, before_id, action, reference, limit),
    )
    return [
        StoredNotice(
            row["id"],
            from_micros(row["received_at"]),
            Notice(
                row["action"],
                row["reference"],
                row["status"],
                instant(row["reported_at"]),
                row["raw"],
            ),
        )
        for row in rows
    ]


def find_received_at(
    tx: ReadTx, station_id: int, *, action: str, reference: str, since: int
) -> int | None:
    """When the first one about the reference came, from then on; microseconds UTC."""
    at: int | None = tx.value(
        "SELECT received_at FROM notices WHERE station_id = ? AND action = ? AND reference = ?"
        " AND received_at >= ? ORDER BY id LIMIT 1",
        (station_id, action, reference, since),
    )
    return at
