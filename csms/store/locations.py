"""Table `locations`, deleted softly."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Collection, Iterable
from typing import Any

from csms.clock import from_micros
from csms.domain.locations import Location
from csms.errors import NotFound
from csms.store import columns
from csms.store.database import ReadTx, Row, Tx

_CHANGEABLE = frozenset(
    {
        "slug",
        "name",
        "address",
        "street",
        "house_number",
        "house_number_addition",
        "postal_code",
        "city",
        "country",
        "latitude",
        "longitude",
        "timezone",
        "owner_name",
        "public",
        "status",
        "updated_at",
    }
)


def insert(tx: Tx, *, name: str, slug: str, **optional: Any) -> Location:
    """A new location; `optional` are further columns of the table."""
    row_id = tx.insert(
        "INSERT INTO locations (uuid, slug, name, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
        (str(uuids.uuid4()), slug, name, tx.now, tx.now),
    )
    columns.update(tx, "locations", row_id, optional, _CHANGEABLE)
    return get(tx, row_id)


def get(tx: ReadTx, location_id: int) -> Location:
    """The live location with this row id; raises NotFound."""
    return _required(
        tx.one("SELECT * FROM locations WHERE id = ? AND deleted_at IS NULL", (location_id,))
    )


def find(tx: ReadTx, location_id: int) -> Location | None:
    """The live location with this row id."""
    row = tx.one("SELECT * FROM locations WHERE id = ? AND deleted_at IS NULL", (location_id,))
    return None if row is None else _location(row)


def find_by_uuid(tx: ReadTx, uuid: str) -> Location | None:
    """The live location with this public id."""
    row = tx.one("SELECT * FROM locations WHERE uuid = ? AND deleted_at IS NULL", (uuid,))
    return None if row is None else _location(row)


def uuid_of(tx: ReadTx, location_id: int) -> str | None:
    """The public id of a location, deleted or not."""
    return uuids_of(tx, [location_id]).get(location_id)


def uuids_of(tx: ReadTx, location_ids: Iterable[int]) -> dict[int, str]:
    """The public ids of locations, deleted or not."""
    sql = "SELECT id, uuid FROM locations WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return {row["id"]: row["uuid"] for row in tx.all(sql, (columns.to_json(list(location_ids)),))}


def is_live(tx: ReadTx, location_id: int) -> bool:
    """Whether the location exists and is not deleted."""
    return (
        tx.value("SELECT 1 FROM locations WHERE id = ? AND deleted_at IS NULL", (location_id,))
        is not None
    )


def find_many(tx: ReadTx, location_ids: Collection[int]) -> dict[int, Location]:
    """Live locations by row id; absent ones are left out."""
    rows = tx.all(
        f"SELECT * FROM locations WHERE id IN ({','.join('?' * len(location_ids))})"  # noqa: S608
        " AND deleted_at IS NULL",
        tuple(location_ids),
    )
    return {row["id"]: _location(row) for row in rows}


def list_page(
    tx: ReadTx,
    *,
    limit: int,
    offset: int = 0,
    after_id: int = 0,
    reach: frozenset[int] | None = None,
) -> list[Location]:
    """Live locations in order of creation, within the caller's reach."""
    where, params = _filter(reach)
    rows = tx.all(
        f"SELECT * FROM locations WHERE {where} AND id > ? ORDER BY id LIMIT ? OFFSET ?",  # noqa: S608
        (*params, after_id, limit, offset),
    )
    return [_location(row) for row in rows]


def count(tx: ReadTx, *, reach: frozenset[int] | None = None) -> int:
    """How many live locations the caller reaches."""
    where, params = _filter(reach)
    number: int = tx.value(f"SELECT count(*) FROM locations WHERE {where}", params)  # noqa: S608
    return number


def update(tx: Tx, location_id: int, **changes: Any) -> Location:
    """Change named columns of a live location; raises NotFound."""
    columns.update(tx, "locations", location_id, {**changes, "updated_at": tx.now}, _CHANGEABLE)
    return get(tx, location_id)


def soft_delete(tx: Tx, location_id: int) -> None:
    """Take the location out of every list; its history stays."""
    tx.run("UPDATE locations SET deleted_at = ? WHERE id = ?", (tx.now, location_id))


def _filter(reach: frozenset[int] | None) -> tuple[str, tuple[Any, ...]]:
    if reach is None:
        return "deleted_at IS NULL", ()
    return f"deleted_at IS NULL AND id IN ({','.join('?' * len(reach))})", tuple(reach)


def _required(row: Row | None) -> Location:
    if row is None:
        raise NotFound("Location not found")
    return _location(row)


def _location(row: Row) -> Location:
    return Location(
        id=row["id"],
        uuid=row["uuid"],
        slug=row["slug"],
        name=row["name"],
        address=row["address"],
        street=row["street"],
        house_number=row["house_number"],
        house_number_addition=row["house_number_addition"],
        postal_code=row["postal_code"],
        city=row["city"],
        country=row["country"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        timezone=row["timezone"],
        owner_name=row["owner_name"],
        public=bool(row["public"]),
        status=row["status"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
