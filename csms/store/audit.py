"""Tables `audit_entries`, `audit_targets`: who wrote what through the API; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from csms.clock import from_micros, to_micros
from csms.domain.identity import BY_IDENTITY, identity_key
from csms.domain.permissions import Principal, Role
from csms.events import Event
from csms.store import audit_chain, columns, jobs, seek, stations
from csms.store.database import ReadTx, Row, Tx

CHUNK = 1000
MOST_TARGETS = 2000
# Written out, for the index of the failed ones.
_FAILED = {True: "e.status >= 400", False: "e.status < 400"}
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked for what, from where."""

    principal: Principal | None
    address: str | None
    request_id: str | None
    method: str
    route: str
    path: str


@dataclass(frozen=True, slots=True)
class Named:
    """What a request names in its path or its body, by public ids; nobody checked them yet."""

    station: str | None = None
    """Or `identity:<x>`."""
    location: str | None = None
    job: str | None = None


NOTHING = Named()


class _Source(NamedTuple):
    """Where entries are found, in the order of the column that has their ids."""

    tables: str
    id: str
    station: str


_OWN = _Source("audit_entries AS e", "e.id", "e.station_id")
_OF_SEVERAL = _Source(
    "audit_targets AS t CROSS JOIN audit_entries AS e ON e.id = t.entry_id",
    "t.entry_id",
    "t.station_id",
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A request that changed something, tried to, or was refused."""

    id: int
    at: datetime
    principal: Principal | None
    """The token as it was then, as far as it is told."""
    address: str | None
    request_id: str | None
    method: str
    route: str
    path: str
    events: tuple[str, ...]
    station_uuid: str | None
    location_uuid: str | None
    job_uuid: str | None
    status: int | None
    code: str | None
    created_id: str | None
    count: int
    stations: int
    """How many it was for."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None: any."""

    principal: str | None = None
    station_ids: tuple[int, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    failed: bool | None = None
    """Whether the answer was an error."""


def insert(tx: Tx, request: Request, named: Named = NOTHING, *, count: int = 1) -> int:
    """A new entry without a result; returns its id.

    It is about what the request names, else about what the unit of work did.
    """
    station_id, location_id, job_uuid = _about(tx, named)
    caller = request.principal
    entry_id = tx.insert(
        "INSERT INTO audit_entries (at, principal, name, role, address, request_id, method, route,"
        " path, events, station_id, location_id, job_uuid, count)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            tx.now,
            None if caller is None else caller.id,
            None if caller is None else caller.name,
            None if caller is None else caller.role.value,
            request.address,
            request.request_id,
            request.method,
            request.route,
            request.path,
            columns.to_json(list(dict.fromkeys(event.type for event in tx.events))),
            station_id,
            location_id,
            job_uuid,
            count,
        ),
    )
    if station_id is None:
        _insert_targets(tx, entry_id)
    audit_chain.append_entry(tx, entry_id)
    return entry_id


def _insert_targets(tx: Tx, entry_id: int) -> None:
    """The stations of the jobs that the unit of work made, and of what it did itself."""
    ids = {event.station_id for event in tx.events if event.station_id is not None}
    tx.many(
        "INSERT INTO audit_targets (entry_id, station_id) VALUES (?, ?)",
        [(entry_id, station_id) for station_id in sorted(ids)],
    )
    for job_id in jobs.made(tx):
        tx.run(
            "INSERT OR IGNORE INTO audit_targets (entry_id, station_id)"
            " SELECT ?, target FROM job_items WHERE job_id = ? AND target IS NOT NULL",
            (entry_id, job_id),
        )


def update_result(
    tx: Tx, entry_id: int, *, status: int, code: str | None, created_id: str | None = None
) -> None:
    """Tell how the request was answered; the table takes it once."""
    tx.run(
        "UPDATE audit_entries SET status = ?, code = ?, created_id = ? WHERE id = ?",
        (status, code, created_id, entry_id),
    )
    audit_chain.append_result(tx, entry_id)


def list_page(
    tx: ReadTx, wanted: AuditFilter, *, before_id: int | None, limit: int
) -> list[AuditEntry]:
    """A page, the newest first."""
    conditions = ["1"] if wanted.failed is None else [_FAILED[wanted.failed]]
    params: list[object] = []
    for condition, value in (
        ("{id} < ?", before_id),
        ("{id} >= ?", _first_since(tx, wanted.since)),
        ("{id} <= ?", _first_since(tx, wanted.until)),
        ("e.at >= ?", columns.micros(wanted.since)),
        ("e.at < ?", columns.micros(wanted.until)),
        ("e.principal = ?", wanted.principal),
    ):
        if value is not None:
            conditions.append(condition)
            params.append(value)
    if wanted.station_ids is None:
        return [_entry(row) for row in _list_rows(tx, _OWN, conditions, [*params, limit])]
    conditions.append("{station} = ?")
    # Each in the order of its index: one query for both would read all that a station has.
    found = {
        row["id"]: row
        for station_id in wanted.station_ids
        for source in (_OWN, _OF_SEVERAL)
        for row in _list_rows(tx, source, conditions, [*params, station_id, limit])
    }
    return [_entry(found[entry_id]) for entry_id in sorted(found, reverse=True)[:limit]]


def _list_rows(
    tx: ReadTx, source: _Source, conditions: list[str], params: list[object]
) -> list[Row]:
    where = " AND ".join(conditions).format(id=source.id, station=source.station)
    # Stations and locations that are deleted keep their rows.
    return tx.all(
        "SELECT e.*, s.uuid AS station_uuid, l.uuid AS location_uuid,"  # noqa: S608
        " CASE WHEN e.station_id IS NULL THEN (SELECT count(*) FROM audit_targets"
        " WHERE entry_id = e.id) ELSE 1 END AS stations"
        f" FROM {source.tables} LEFT JOIN stations AS s ON s.id = e.station_id"
        " LEFT JOIN locations AS l ON l.id = e.location_id"
        f" WHERE {where} ORDER BY {source.id} DESC LIMIT ?",
        params,
    )


def station_ids(tx: ReadTx, text: str) -> list[int]:
    """Those with this public id or `identity:<x>`: the live one, else all that are deleted."""
    if not text.startswith(BY_IDENTITY):
        rows = tx.all("SELECT id FROM stations WHERE uuid = ?", (text,))
    elif (live := stations.find_by_identity(tx, text.removeprefix(BY_IDENTITY))) is not None:
        return [live.id]
    else:
        key = identity_key(text.removeprefix(BY_IDENTITY))
        rows = tx.all("SELECT id FROM stations WHERE identity_key = ? ORDER BY id DESC", (key,))
    return [row["id"] for row in rows]


def delete_old(tx: Tx, keep_for: timedelta) -> int:
    """Delete a chunk of what is older, once there is some that is a day older; returns how many.

    What was for many stations loses these first, a chunk at a time.
    """
    before = tx.now - keep_for // _MICROSECOND
    rows = tx.all("SELECT id, at FROM audit_entries ORDER BY id LIMIT 1")
    if not rows or rows[0]["at"] > before - _DAY // _MICROSECOND:
        return 0
    rows = tx.all("SELECT id, at FROM audit_entries ORDER BY id LIMIT ?", (CHUNK,))
    last = list(takewhile(lambda row: row["at"] < before, rows))[-1]["id"]
    more = tx.one(
        "SELECT entry_id, station_id FROM audit_targets WHERE entry_id <= ?"
        " ORDER BY entry_id, station_id LIMIT 1 OFFSET ?",
        (last, MOST_TARGETS),
    )
    if more is not None:
        sql = "DELETE FROM audit_targets WHERE (entry_id, station_id) < (?, ?)"
        return tx.run(sql, tuple(more))
    tx.run("DELETE FROM audit_targets WHERE entry_id <= ?", (last,))
    deleted = tx.run("DELETE FROM audit_entries WHERE id <= ?", (last,))
    audit_chain.append_dropped(tx, last)
    return deleted


def _about(tx: Tx, named: Named) -> tuple[int | None, int | None, str | None]:
    """The station, the location and the job."""
    events = tx.events
    job = _job(tx, named, events)
    station_id = _station_id(tx, named)
    if station_id is None:
        station_id = _only(event.station_id for event in events)
    if station_id is None and job is not None:
        station_id = job["station_id"]
    location_id = _location_id(tx, named)
    if location_id is None:
        location_id = _only(event.location_id for event in events)
    if location_id is None and job is not None:
        location_id = job["location_id"]
    if location_id is None and station_id is not None:
        location_id = tx.value("SELECT location_id FROM stations WHERE id = ?", (station_id,))
    return station_id, location_id, named.job if job is None else job["uuid"]


def _station_id(tx: ReadTx, named: Named) -> int | None:
    if named.station is None:
        return None
    found = station_ids(tx, named.station)
    return found[0] if found else None


def _location_id(tx: ReadTx, named: Named) -> int | None:
    if named.location is None:
        return None
    found: int | None = tx.value("SELECT id FROM locations WHERE uuid = ?", (named.location,))
    return found


def _job(tx: Tx, named: Named, events: Iterable[Event]) -> Row | None:
    """The job that is named, or else the only one there is, with its station if it has only one."""
    job_id = _only((*jobs.made(tx), *(event.job_id for event in events)))
    if named.job is not None:
        job_id = tx.value("SELECT id FROM jobs WHERE uuid = ?", (named.job,)) or job_id
    return tx.one(
        "SELECT j.uuid, j.location_id, CASE j.total WHEN 1 THEN i.target END AS station_id"
        " FROM jobs AS j LEFT JOIN job_items AS i ON i.job_id = j.id AND i.seq = 0"
        " WHERE j.id = ?",
        (job_id,),
    )


def _first_since(tx: ReadTx, at: datetime | None) -> int | None:
    return None if at is None else seek.first_since(tx, "audit_entries", "at", to_micros(at))


def _only(ids: Iterable[int | None]) -> int | None:
    found = {one for one in ids if one is not None}
    return found.pop() if len(found) == 1 else None


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        at=from_micros(row["at"]),
        principal=(
            None
            if row["principal"] is None
            else Principal(row["principal"], row["name"], Role(row["role"]))
        ),
        address=row["address"],
        request_id=row["request_id"],
        method=row["method"],
        route=row["route"],
        path=row["path"],
        events=tuple(columns.from_json(row["events"])),
        station_uuid=row["station_uuid"],
        location_uuid=row["location_uuid"],
        job_uuid=row["job_uuid"],
        status=row["status"],
        code=row["code"],
        created_id=row["created_id"],
        count=row["count"],
        stations=row["stations"],
    )
