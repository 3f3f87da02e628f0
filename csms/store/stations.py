"""Table `stations`: one row per charging station, deleted softly."""

from __future__ import annotations

import sqlite3
import uuid as uuids
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from csms.clock import from_micros
from csms.domain.identity import identity_key, name_key
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
        "blocked_at",
        "tags",
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
            " security_profile, registration, created_job_id, created_seq, tags, created_at,"
            " updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
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
                columns.to_json(new.tags),
                tx.now,
                tx.now,
            ),
        )
    except sqlite3.IntegrityError as error:
        if "identity_key" not in str(error):
            raise
        raise DuplicateIdentity("Duplicate station identity") from error
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


def is_name_of_another(tx: ReadTx, station: Station | None, name: str) -> bool:
    """Whether a live station other than this one has such an identity or serial number.

    Names are compared as `name_key` writes them: that is what opens a door.
    """
    # A plain OR would go through every station.
    found = tx.value(
        "SELECT 1 FROM stations"
        " WHERE identity_key = ?2 AND deleted_at IS NULL AND id != ?1 UNION ALL"
        " SELECT 1 FROM stations"
        " WHERE lower(trim(serial_number)) = ?2 AND deleted_at IS NULL AND id != ?1 LIMIT 1",
        (0 if station is None else station.id, name_key(name)),
    )
    return found is not None


def is_serial_number_of_another(tx: ReadTx, identity: str) -> bool:
    """Whether a live station with another identity has it as its serial number."""
    found = tx.value(
        "SELECT 1 FROM stations WHERE lower(trim(serial_number)) = ?1 AND identity_key != ?2"
        " AND deleted_at IS NULL LIMIT 1",
        (name_key(identity), identity_key(identity)),
    )
    return found is not None


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
    """Which of these identity keys live stations have, or have as a serial number."""
    keys = [identity_key(identity) for identity in identities]
    taken: set[str] = set()
    for chunk in _chunks(keys):
        rows = tx.all(
            f"SELECT identity_key FROM stations"  # noqa: S608
            f" WHERE identity_key IN ({_marks(chunk)}) AND deleted_at IS NULL",
            chunk,
        )
        taken.update(row["identity_key"] for row in rows)
        names = {key: name_key(key) for key in chunk}
        rows = tx.all(
            f"SELECT lower(trim(serial_number)) AS name FROM stations"  # noqa: S608
            f" WHERE lower(trim(serial_number)) IN ({_marks(chunk)}) AND deleted_at IS NULL",
            list(names.values()),
        )
        numbers = {row["name"] for row in rows}
        taken.update(key for key, name in names.items() if name in numbers)
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


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations to look for; None does not narrow."""

    location_ids: frozenset[int] | None = None
    status: str | None = None
    """Of one of its connectors, or of itself."""
    online: bool | None = None
    virtual: bool | None = None
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    version: str | None = None
    """That it speaks, or was pinned to before it came."""
    tag: str | None = None
    text: str | None = None
    """Somewhere in its identity, name or serial number, whatever the ASCII case."""
    last_seen_before: datetime | None = None
    """Offline, and not heard of since; also who was never heard of."""


class Place(NamedTuple):
    """Where a station is in an order: the text that it is ordered by, and its row id."""

    text: str
    id: int


@dataclass(frozen=True, slots=True)
class StationOrder:
    """An order that nothing but a change by a person moves a station in."""

    key: str
    """SQL, never null."""
    text_of: Callable[[Station], str] | None = None
    """What the key is; None: the order is by row id alone."""
    descending: bool = False

    def place(self, station: Station) -> Place:
        """Of a station in this order."""
        return Place("" if self.text_of is None else self.text_of(station), station.id)


BY_CREATION = StationOrder("id")
BY_IDENTITY = StationOrder("identity_key", lambda station: identity_key(station.identity))
BY_NAME = StationOrder("ifnull(name, '') COLLATE NOCASE", lambda station: station.name or "")

_IS_ONLINE = "ifnull(connected_epoch = (SELECT epoch FROM engine), 0)"
_TEXTS = "identity || char(10) || ifnull(name, '') || char(10) || ifnull(serial_number, '')"
_LAST_SEEN = (
    "max(ifnull(last_heartbeat_at, 0), ifnull(last_connected_at, 0),"
    " ifnull(last_disconnected_at, 0), ifnull(booted_at, 0))"
)


def search(
    tx: ReadTx,
    wanted: StationFilter,
    *,
    limit: int,
    order: StationOrder = BY_CREATION,
    after: Place | None = None,
) -> list[Station]:
    """Live stations in an order; `after` is the last one of the page before."""
    terms, params = _terms(wanted)
    if after is not None:
        beyond = "<" if order.descending else ">"
        by_id = order.text_of is None
        terms.append(f"id {beyond} ?" if by_id else f"({order.key}, id) {beyond} (?, ?)")
        params += after[by_id:]
    way = "DESC" if order.descending else "ASC"
    rows = tx.all(
        f"SELECT * FROM stations WHERE {' AND '.join(terms)}"  # noqa: S608
        f" ORDER BY {order.key} {way}, id {way} LIMIT ?",
        (*params, limit),
    )
    return [_station(row) for row in rows]


def count_found(tx: ReadTx, wanted: StationFilter) -> int:
    """How many `search` would go through."""
    terms, params = _terms(wanted)
    sql = f"SELECT count(*) FROM stations WHERE {' AND '.join(terms)}"  # noqa: S608
    number: int = tx.value(sql, params)
    return number


def _terms(wanted: StationFilter) -> tuple[list[str], list[Any]]:
    terms, params = ["deleted_at IS NULL"], list[Any]()
    for term, value in (
        (f"{_IS_ONLINE} = ?", wanted.online),
        ("virtual = ?", wanted.virtual),
        ("vendor = ?", wanted.vendor),
        ("model = ?", wanted.model),
        ("firmware_version = ?", wanted.firmware_version),
        ("ifnull(connected_version, ocpp_version) = ?", wanted.version),
        (
            "EXISTS (SELECT 1 FROM connectors WHERE station_id = stations.id AND status = ?)",
            wanted.status,
        ),
        (f"{_IS_ONLINE} = 0 AND {_LAST_SEEN} < ?", columns.micros(wanted.last_seen_before)),
        ("EXISTS (SELECT 1 FROM json_each(stations.tags) WHERE value = ?)", wanted.tag),
        (f"instr(lower({_TEXTS}), lower(?))", wanted.text),
    ):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.location_ids is not None:
        # Spelled out: of a single location, the index has them in order.
        terms.append(f"location_id IN ({_marks(wanted.location_ids)})")
        params += wanted.location_ids
    return terms, params


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


def count_at(tx: ReadTx, location_ids: Collection[int]) -> dict[int, int]:
    """How many live stations stand at each of these locations."""
    rows = tx.all(
        "SELECT location_id, count(*) FROM stations WHERE deleted_at IS NULL"
        " AND location_id IN (SELECT value FROM json_each(?)) GROUP BY location_id",
        (columns.to_json(list(location_ids)),),
    )
    return dict.fromkeys(location_ids, 0) | {row[0]: row[1] for row in rows}


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
    if "tags" in changes:
        changes["tags"] = columns.to_json(changes["tags"])
    if columns.update(tx, "stations", station_id, {**changes, "updated_at": tx.now}, _CHANGEABLE):
        return get(tx, station_id)
    raise NotFound("Station not found")


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


def last_boot(tx: ReadTx, station_id: int) -> str | None:
    """What its newest BootNotification said, in its words."""
    words: str | None = tx.value("SELECT boot_raw FROM stations WHERE id = ?", (station_id,))
    return words


def record_boot(tx: Tx, station_id: int, report: BootReport) -> None:
    """Keep what the newest BootNotification says of the station.

    Without a serial number the recorded one stays: it may be the name in its certificate.
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
        raise NotFound("Station not found")
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
        blocked_at=instant(row["blocked_at"]),
        connected_epoch=row["connected_epoch"],
        connected_version=_version(row["connected_version"]),
        last_connected_at=instant(row["last_connected_at"]),
        last_disconnected_at=instant(row["last_disconnected_at"]),
        last_heartbeat_at=instant(row["last_heartbeat_at"]),
        created_job_id=row["created_job_id"],
        created_seq=row["created_seq"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
        tags=() if row["tags"] == "[]" else tuple(columns.from_json(row["tags"])),
    )
