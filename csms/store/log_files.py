"""Table `log_files`: what stations sent over their links."""

from __future__ import annotations

from typing import Any

from csms.clock import from_micros
from csms.domain.file_transfers import LogFile, StoredFile
from csms.errors import NotFound
from csms.store.columns import to_json
from csms.store.database import ReadTx, Row, Tx


def insert(
    tx: Tx,
    file: StoredFile,
    *,
    transfer_id: int,
    station_id: int,
    name: str,
    media_type: str | None,
    address: str | None,
) -> LogFile:
    """Its file is complete."""
    row_id = tx.insert(
        "INSERT INTO log_files (uuid, transfer_id, station_id, name, media_type, size_bytes,"
        " sha256, address, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            file.uuid,
            transfer_id,
            station_id,
            name,
            media_type,
            file.size_bytes,
            file.sha256,
            address,
            tx.now,
        ),
    )
    return _required(tx.one("SELECT * FROM log_files WHERE id = ?", (row_id,)))


def get_by_uuid(tx: ReadTx, uuid: str) -> LogFile:
    """Raises NotFound."""
    return _required(tx.one("SELECT * FROM log_files WHERE uuid = ?", (uuid,)))


def list_of_transfers(tx: ReadTx, transfer_ids: list[int]) -> dict[int, list[LogFile]]:
    """By transfer, in order of arrival."""
    rows = tx.all(
        "SELECT * FROM log_files WHERE transfer_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (to_json(transfer_ids),),
    )
    found: dict[int, list[LogFile]] = {}
    for row in rows:
        found.setdefault(row["transfer_id"], []).append(_log_file(row))
    return found


def list_page(
    tx: ReadTx,
    *,
    station_id: int | None,
    location_ids: frozenset[int] | None,
    limit: int,
    before_id: int | None,
) -> list[LogFile]:
    """Of live stations, newest first."""
    terms = ["s.deleted_at IS NULL", "f.id < ?"]
    params: list[Any] = [1 << 62 if before_id is None else before_id]
    if station_id is not None:
        terms.append("f.station_id = ?")
        params.append(station_id)
    if location_ids is not None:
        terms.append("s.location_id IN (SELECT value FROM json_each(?))")
        params.append(to_json(sorted(location_ids)))
    rows = tx.all(
        "SELECT f.* FROM log_files AS f JOIN stations AS s ON s.id = f.station_id"  # noqa: S608
        f" WHERE {' AND '.join(terms)} ORDER BY f.id DESC LIMIT ?",
        (*params, limit),
    )
    return [_log_file(row) for row in rows]


def list_files(tx: ReadTx) -> set[str]:
    """The names on disk of all of them."""
    return {row[0] for row in tx.all("SELECT uuid FROM log_files")}


def list_surplus(tx: ReadTx, *, before: int, keep_bytes: int, limit: int) -> list[LogFile]:
    """The oldest: those from before an instant, and those beyond so many bytes together."""
    rows = tx.all(
        "SELECT * FROM (SELECT *, sum(size_bytes) OVER (ORDER BY id DESC) AS so_far FROM log_files)"
        " WHERE received_at < ? OR so_far > ? ORDER BY id LIMIT ?",
        (before, keep_bytes, limit),
    )
    return [_log_file(row) for row in rows]


def delete(tx: Tx, log_file_id: int) -> None:
    """Forget it; the file goes after the commit."""
    tx.run("DELETE FROM log_files WHERE id = ?", (log_file_id,))


def _required(row: Row | None) -> LogFile:
    if row is None:
        raise NotFound("Log file not found")
    return _log_file(row)


def _log_file(row: Row) -> LogFile:
    return LogFile(
        id=row["id"],
        file=StoredFile(row["uuid"], row["size_bytes"], row["sha256"]),
        transfer_id=row["transfer_id"],
        station_id=row["station_id"],
        name=row["name"],
        media_type=row["media_type"],
        address=row["address"],
        received_at=from_micros(row["received_at"]),
    )
