"""Table `stations`: one row per charging station, deleted softly."""

from __future__ import annotations

import sqlite3
import uuid as uuids
from collections.abc import Iterable, Sequence
from typing import Any

from csms.clock import from_micros
from csms.domain.identity import identity_key
from csms.domain.stations import BootReport, NewStation, Registration, Station
from csms.domain.versions import OcppVersion
from csms.errors import DuplicateIdentity, NotFound
from csms.store import columns
from csms.store.columns import instant
from csms.store.database import ReadTx, Row, Tx

_CHANGEABLE = frozenset(
    {
        "name",
        "location_id",
        "brand_slug",
        "model_slug",
        "connector_type",
        "connectors",
        "ws_url",
        "ocpp_version",
        "serial_number",
        "strict",
        "security_profile",
        "registration",
        "updated_at",
    }
)
# SQLite takes 32,766 variables in one statement; a chunk of ids stays far below it.
ID_CHUNK = 5000


def insert(tx: Tx, new: NewStation) -> Station:
    """A new station; raises DuplicateIdentity while another live one has the identity."""
    try:
        row = tx.one(
            "INSERT INTO stations (uuid, identity, identity_key, name, location_id, brand_slug,"
            " model_slug, connector_type, connectors, ws_url, ocpp_version, serial_number, virtual,"
            " security_profile, registration, created_job_id, created_seq, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
            (
                str(uuids.uuid4()),
                new.identity,
                identity_key(new.identity),
                new.name,
                new.location_id,
                new.brand_slug,
                new.model_slug,
                new.connector_type,
                new.connectors,
                new.ws_url,
                new.ocpp_version.value if new.ocpp_version else None,
                new.serial_number,
                new.virtual,
                new.security_profile,
                new.registration.value,
                new.created_job_id,
                new.created_seq,
                tx.now,
                tx.now,
            ),
        )
    except sqlite3.IntegrityError as error:
        if "identity_key" not in str(error):
            raise
        raise DuplicateIdentity("Duplicate charger identity") from error
    return _required(_optional(row))


def get(tx: ReadTx, station_id: int) -> Station:
    """The live station with this row id; raises NotFound."""
    return _required(find(tx, station_id))


def find(tx: ReadTx, station_id: int) -> Station | None:
    """The live station with this row id."""
    return _optional(
        tx.one("SELECT * FROM stations WHERE id = ? AND deleted_at IS NULL", (station_id,))
    )


def places(tx: ReadTx, station_ids: Sequence[int]) -> dict[int, int | None]:
    """The locations of those of the stations that are live; None: at none."""
    rows = tx.all(
        "SELECT id, location_id FROM stations WHERE id IN (SELECT value FROM json_each(?))"
        " AND deleted_at IS NULL",
        (columns.to_json(station_ids),),
    )
    return {row[0]: row[1] for row in rows}


def get_by_uuid(tx: ReadTx, uuid: str) -> Station:
    """The live station with this public id; raises NotFound."""
    return _required(find_by_uuid(tx, uuid))


def find_by_uuid(tx: ReadTx, uuid: str) -> Station | None:
    """The live station with this public id."""
    return _optional(
        tx.one("SELECT * FROM stations WHERE uuid = ? AND deleted_at IS NULL", (uuid,))
    )


def find_by_identity(tx: ReadTx, identity: str) -> Station | None:
    """The live station with this identity, whatever its ASCII case."""
    return _optional(
        tx.one(
            "SELECT * FROM stations WHERE identity_key = ? AND deleted_at IS NULL",
            (identity_key(identity),),
        )
    )


def is_name_of_another(tx: ReadTx, station: Station, name: str) -> bool:
    """Whether another live station has this identity or serial number, whatever its ASCII case."""
    return (
        tx.value(
            "SELECT 1 FROM stations WHERE id != ? AND deleted_at IS NULL"
            " AND (identity_key = ? OR lower(trim(serial_number)) = lower(?)) LIMIT 1",
            (station.id, identity_key(name), name),
        )
        is not None
    )


def find_many(tx: ReadTx, station_ids: Sequence[int]) -> dict[int, Station]:
    """Live stations by row id; absent ones are left out."""
    found: dict[int, Station] = {}
    for chunk in _chunks(station_ids):
        rows = tx.all(
            f"SELECT * FROM stations WHERE id IN ({_marks(chunk)}) AND deleted_at IS NULL",  # noqa: S608
            chunk,
        )
        found.update((row["id"], _station(row)) for row in rows)
    return found


def resolve_uuids(tx: ReadTx, uuids_: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    """Public id → (row id, location id) of live stations, in chunks; absent ones are left out."""
    found: dict[str, tuple[int, int | None]] = {}
    for chunk in _chunks(uuids_):
        rows = tx.all(
            f"SELECT uuid, id, location_id FROM stations"  # noqa: S608
            f" WHERE uuid IN ({_marks(chunk)}) AND deleted_at IS NULL",
            chunk,
        )
        found.update((row["uuid"], (row["id"], row["location_id"])) for row in rows)
    return found


def taken_identities(tx: ReadTx, identities: Iterable[str]) -> set[str]:
    """Which of these identity keys live stations have."""
    keys = [identity_key(identity) for identity in identities]
    taken: set[str] = set()
    for chunk in _chunks(keys):
        rows = tx.all(
            f"SELECT identity_key FROM stations"  # noqa: S608
            f" WHERE identity_key IN ({_marks(chunk)}) AND deleted_at IS NULL",
            chunk,
        )
        taken.update(row["identity_key"] for row in rows)
    return taken


def list_page(
    tx: ReadTx,
    *,
    limit: int,
    offset: int = 0,
    after_id: int = 0,
    location_ids: frozenset[int] | None = None,
    ids: Sequence[int] | None = None,
) -> list[Station]:
    """Live stations in order of creation; `location_ids` is the caller's reach or a filter."""
    where, params = _filter(location_ids, ids)
    rows = tx.all(
        f"SELECT * FROM stations WHERE {where} AND id > ? ORDER BY id LIMIT ? OFFSET ?",  # noqa: S608
        (*params, after_id, limit, offset),
    )
    return [_station(row) for row in rows]


def count(
    tx: ReadTx,
    *,
    location_ids: frozenset[int] | None = None,
    ids: Sequence[int] | None = None,
) -> int:
    """How many live stations `list_page` would go through."""
    where, params = _filter(location_ids, ids)
    number: int = tx.value(f"SELECT count(*) FROM stations WHERE {where}", params)  # noqa: S608
    return number


def list_ids_at(tx: ReadTx, location_id: int) -> list[int]:
    """Row ids of the live stations at a location."""
    rows = tx.all(
        "SELECT id FROM stations WHERE location_id = ? AND deleted_at IS NULL ORDER BY id",
        (location_id,),
    )
    return [row["id"] for row in rows]


def has_open_transaction(tx: ReadTx, station_id: int) -> bool:
    """Whether a transaction of this station has not ended."""
    return (
        tx.value(
            "SELECT 1 FROM transactions WHERE station_id = ? AND end_received_at IS NULL LIMIT 1",
            (station_id,),
        )
        is not None
    )


def has_open_transaction_at(tx: ReadTx, location_id: int) -> bool:
    """Whether a transaction of any live station at this location has not ended."""
    return (
        tx.value(
            "SELECT 1 FROM transactions JOIN stations ON stations.id = transactions.station_id"
            " WHERE end_received_at IS NULL AND deleted_at IS NULL AND location_id = ? LIMIT 1",
            (location_id,),
        )
        is not None
    )


def list_connected_before(tx: ReadTx, epoch: int) -> list[int]:
    """Row ids of stations that were connected when an earlier life of the process ended."""
    rows = tx.all(
        "SELECT id FROM stations WHERE connected_epoch < ? AND deleted_at IS NULL", (epoch,)
    )
    return [row["id"] for row in rows]


def list_virtual(tx: ReadTx) -> list[Station]:
    """Every live virtual station; they are redialled after a restart."""
    return [
        _station(row)
        for row in tx.all("SELECT * FROM stations WHERE virtual = 1 AND deleted_at IS NULL")
    ]


def count_virtual(tx: ReadTx) -> int:
    """How many live virtual stations there are."""
    number: int = tx.value("SELECT count(*) FROM stations WHERE virtual = 1 AND deleted_at IS NULL")
    return number


def update(tx: Tx, station_id: int, **changes: Any) -> Station:
    """Change named columns of a live station; raises NotFound."""
    if columns.update(tx, "stations", station_id, {**changes, "updated_at": tx.now}, _CHANGEABLE):
        return get(tx, station_id)
    raise NotFound("Charger not found")


def soft_delete(tx: Tx, station_id: int) -> None:
    """Take the station out of every list and free its identity; its history stays."""
    tx.run("UPDATE stations SET deleted_at = ? WHERE id = ?", (tx.now, station_id))


def mark_connected(tx: Tx, station_id: int, epoch: int, version: OcppVersion) -> None:
    """The station has a socket in this life of the process."""
    tx.run(
        "UPDATE stations SET connected_epoch = ?, connected_version = ?, last_connected_at = ?"
        " WHERE id = ?",
        (epoch, version.value, tx.now, station_id),
    )


def mark_disconnected(tx: Tx, station_id: int, epoch: int) -> None:
    """We saw its last socket close; a mark of another life is left alone."""
    tx.run(
        "UPDATE stations SET connected_epoch = NULL, last_disconnected_at = ?"
        " WHERE id = ? AND connected_epoch = ?",
        (tx.now, station_id, epoch),
    )


def flush_heartbeats(tx: Tx, seen: Iterable[tuple[int, int]]) -> None:
    """Store the newest heartbeat of many stations: (station id, microseconds)."""
    tx.many(
        "UPDATE stations SET last_heartbeat_at = ? WHERE id = ?",
        [(at, station_id) for station_id, at in seen],
    )


def raise_security_profile(tx: Tx, station_id: int, profile: int) -> bool:
    """It may not connect with less from now on; False when that was so already."""
    sql = "UPDATE stations SET security_profile = ?1 WHERE id = ?2 AND security_profile < ?1"
    return tx.run(sql, (profile, station_id)) == 1


def record_boot(tx: Tx, station_id: int, report: BootReport) -> None:
    """Keep what the newest BootNotification says of the station.

    A serial number that it leaves out stays: it may be the name in its certificate.
    """
    tx.run(
        "UPDATE stations SET vendor = ?, model = ?, serial_number = ifnull(?, serial_number),"
        " firmware_version = ?, boot_raw = ?, booted_at = ? WHERE id = ?",
        (
            report.vendor,
            report.model,
            report.serial_number,
            report.firmware_version,
            report.raw,
            tx.now,
            station_id,
        ),
    )


def _filter(
    location_ids: frozenset[int] | None, ids: Sequence[int] | None
) -> tuple[str, tuple[Any, ...]]:
    where = "deleted_at IS NULL"
    params: tuple[Any, ...] = ()
    if location_ids is not None:
        where += f" AND location_id IN ({_marks(location_ids)})"
        params += tuple(location_ids)
    if ids is not None:
        where += f" AND id IN ({_marks(ids)})"
        params += tuple(ids)
    return where, params


def _marks(values: Sequence[Any] | frozenset[Any]) -> str:
    return ",".join("?" * len(values))


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + ID_CHUNK] for start in range(0, len(values), ID_CHUNK))


def _required(station: Station | None) -> Station:
    if station is None:
        raise NotFound("Charger not found")
    return station


def _optional(row: Row | None) -> Station | None:
    return None if row is None else _station(row)


def _version(text: str | None) -> OcppVersion | None:
    return None if text is None else OcppVersion(text)


def _station(row: Row) -> Station:
    return Station(
        id=row["id"],
        uuid=row["uuid"],
        identity=row["identity"],
        name=row["name"],
        location_id=row["location_id"],
        brand_slug=row["brand_slug"],
        model_slug=row["model_slug"],
        connector_type=row["connector_type"],
        connectors=row["connectors"],
        ws_url=row["ws_url"],
        ocpp_version=_version(row["ocpp_version"]),
        virtual=bool(row["virtual"]),
        strict=None if row["strict"] is None else bool(row["strict"]),
        security_profile=row["security_profile"],
        vendor=row["vendor"],
        model=row["model"],
        serial_number=row["serial_number"],
        firmware_version=row["firmware_version"],
        booted_at=instant(row["booted_at"]),
        registration=Registration(row["registration"]),
        connected_epoch=row["connected_epoch"],
        connected_version=_version(row["connected_version"]),
        last_connected_at=instant(row["last_connected_at"]),
        last_disconnected_at=instant(row["last_disconnected_at"]),
        last_heartbeat_at=instant(row["last_heartbeat_at"]),
        created_job_id=row["created_job_id"],
        created_seq=row["created_seq"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
