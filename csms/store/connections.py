"""Table `connections`: when each station was connected, one row for each of its sockets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.identity import identity_key
from csms.domain.versions import OcppVersion
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A row."""

    id: int
    version: OcppVersion
    address: str
    connected_at: datetime
    disconnected_at: datetime | None
    close_code: int | None
    unobserved_until: datetime | None
    """The server did not run from the end of the connection until then."""


def insert(
    tx: Tx,
    station_id: int,
    *,
    epoch: int,
    generation: int,
    version: OcppVersion,
    address: str,
) -> None:
    """The station has a socket now; an older one that it has not closed is over."""
    tx.run(
        "UPDATE connections SET disconnected_at = ? WHERE station_id = ?"
        " AND disconnected_at IS NULL",
        (tx.now, station_id),
    )
    tx.run(
        "INSERT INTO connections (station_id, epoch, generation, version, address, connected_at)"
        " SELECT id, ?, ?, ?, ?, ? FROM stations WHERE id = ?",
        (epoch, generation, version.value, address, tx.now, station_id),
    )


def update_closed(
    tx: Tx, station_id: int, *, epoch: int, generation: int, close_code: int | None
) -> None:
    """We saw this socket close."""
    tx.run(
        "UPDATE connections SET disconnected_at = ?, close_code = ? WHERE station_id = ?"
        " AND epoch = ? AND generation = ? AND disconnected_at IS NULL",
        (tx.now, close_code, station_id, epoch, generation),
    )


def update_unobserved(tx: Tx) -> int:
    """End what an earlier life of the process left open, when that life last wrote something.

    For the start, before anything else is written.
    """
    return tx.run(
        "UPDATE connections SET unobserved_until = ?1, disconnected_at = min(?1, max(connected_at,"
        " ifnull((SELECT at FROM events ORDER BY id DESC LIMIT 1), 0),"
        " ifnull((SELECT max(last_heartbeat_at) FROM stations), 0),"
        " ifnull((SELECT started_at FROM ocpp_messages ORDER BY id DESC LIMIT 1), 0)))"
        " WHERE disconnected_at IS NULL",
        (tx.now,),
    )


def find_last_address(tx: ReadTx, identity: str) -> str | None:
    """Where a station came from the last time; None: it was never here."""
    address: str | None = tx.value(
        "SELECT address FROM connections WHERE station_id ="
        " (SELECT id FROM stations WHERE identity_key = ?) ORDER BY id DESC LIMIT 1",
        (identity_key(identity),),
    )
    return address


def list_page(
    tx: ReadTx, station_id: int, *, limit: int, before_id: int | None = None
) -> list[StoredConnection]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM connections WHERE station_id = ? AND id < ifnull(?, 1 << 62)"
        " ORDER BY id DESC LIMIT ?",
        (station_id, before_id, limit),
    )
    return [_connection(row) for row in rows]


def list_within(
    tx: ReadTx, station_id: int, since: datetime, until: datetime
) -> list[StoredConnection]:
    """Those that were there at some time between, oldest first, and the last one before."""
    rows = tx.all(
        "SELECT * FROM connections WHERE station_id = ?1 AND connected_at < ?3"
        " AND id >= ifnull((SELECT max(id) FROM connections WHERE station_id = ?1"
        " AND connected_at < ?2), 0) ORDER BY id",
        (station_id, micros(since), micros(until)),
    )
    return [_connection(row) for row in rows]


def first_known_at(tx: ReadTx, station_id: int) -> datetime | None:
    """When the oldest connection that is still kept began."""
    at: int | None = tx.value(
        "SELECT connected_at FROM connections WHERE station_id = ? ORDER BY id LIMIT 1",
        (station_id,),
    )
    return instant(at)


def _connection(row: Row) -> StoredConnection:
    return StoredConnection(
        id=row["id"],
        version=OcppVersion(row["version"]),
        address=row["address"],
        connected_at=from_micros(row["connected_at"]),
        disconnected_at=instant(row["disconnected_at"]),
        close_code=row["close_code"],
        unobserved_until=instant(row["unobserved_until"]),
    )
