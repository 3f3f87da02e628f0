"""Table `firmware_images`: what operators uploaded for stations."""

from __future__ import annotations

from typing import Any

from csms.clock import from_micros
from csms.domain.file_transfers import FirmwareImage, StoredFile
from csms.errors import NotFound
from csms.store import columns
from csms.store.database import ReadTx, Row, Tx

_CHANGEABLE = frozenset({"version", "vendor", "model", "note", "signing_certificate", "signature"})


def insert(tx: Tx, file: StoredFile, *, name: str, created_by: str, **about: Any) -> FirmwareImage:
    """Its file is complete."""
    row_id = tx.insert(
        "INSERT INTO firmware_images (uuid, name, size_bytes, sha256, created_by, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (file.uuid, name, file.size_bytes, file.sha256, created_by, tx.now),
    )
    return update(tx, row_id, **about)


def update(tx: Tx, image_id: int, **changes: Any) -> FirmwareImage:
    """Change what is said about it; its content never changes."""
    columns.update(tx, "firmware_images", image_id, changes, _CHANGEABLE)
    return get(tx, image_id)


def get(tx: ReadTx, image_id: int) -> FirmwareImage:
    """Raises NotFound."""
    row = tx.one("SELECT * FROM firmware_images WHERE id = ?", (image_id,))
    if row is None:
        raise NotFound("Firmware image not found")
    return _image(row)


def get_by_uuid(tx: ReadTx, uuid: str) -> FirmwareImage:
    """Raises NotFound."""
    found = find_by_uuid(tx, uuid)
    if found is None:
        raise NotFound("Firmware image not found")
    return found


def find_by_uuid(tx: ReadTx, uuid: str) -> FirmwareImage | None:
    """By its public id."""
    row = tx.one("SELECT * FROM firmware_images WHERE uuid = ?", (uuid,))
    return None if row is None else _image(row)


def find_many(tx: ReadTx, image_ids: set[int]) -> dict[int, FirmwareImage]:
    """Those that are still there."""
    rows = tx.all(
        "SELECT * FROM firmware_images WHERE id IN (SELECT value FROM json_each(?))",
        (columns.to_json(sorted(image_ids)),),
    )
    return {row["id"]: _image(row) for row in rows}


def list_page(tx: ReadTx, *, limit: int, before_id: int | None) -> list[FirmwareImage]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM firmware_images WHERE id < ? ORDER BY id DESC LIMIT ?",
        (1 << 62 if before_id is None else before_id, limit),
    )
    return [_image(row) for row in rows]


def list_files(tx: ReadTx) -> set[str]:
    """The names on disk of all of them."""
    return {row[0] for row in tx.all("SELECT uuid FROM firmware_images")}


def is_wanted(tx: Tx, image_id: int) -> bool:
    """Whether a station may still fetch it."""
    row = tx.one(
        "SELECT 1 FROM file_transfers WHERE image_id = ? AND state IN ('requested', 'running')"
        " AND closed_at IS NULL AND expires_at > ? LIMIT 1",
        (image_id, tx.now),
    )
    return row is not None


def delete(tx: Tx, image_id: int) -> None:
    """Forget it; the file goes after the commit."""
    tx.run("DELETE FROM firmware_images WHERE id = ?", (image_id,))


def _image(row: Row) -> FirmwareImage:
    return FirmwareImage(
        id=row["id"],
        file=StoredFile(row["uuid"], row["size_bytes"], row["sha256"]),
        name=row["name"],
        version=row["version"],
        vendor=row["vendor"],
        model=row["model"],
        note=row["note"],
        signing_certificate=row["signing_certificate"],
        signature=row["signature"],
        created_by=row["created_by"],
        created_at=from_micros(row["created_at"]),
    )
