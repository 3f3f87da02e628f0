"""Reading jobs as their submitters and operators see them, each from one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from csms.domain.effects import Effect
from csms.domain.jobs import ItemState, Job, JobItem, JobState
from csms.domain.permissions import Principal, Role
from csms.domain.stations import Station
from csms.errors import NotFound
from csms.jobs import effects
from csms.store import job_items, jobs, locations, stations, tokens
from csms.store.database import Database, ReadTx


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item and its station, as far as there is one now."""

    item: JobItem
    station: Station | None
    effect: Effect | None = None
    """Of an accepted order, where it was asked for."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job, its items, and how many of them run or wait for a retry."""

    job: Job
    rows: list[ItemRow]
    in_flight: int
    retrying: int


async def get_job(
    db: Database,
    uuid: str,
    principal: Principal,
    *,
    kind: str | None = None,
    dialect: str | None = None,
    location_uuid: str | None = None,
) -> Job:
    """The job; raises NotFound when absent, of another kind or place, or not visible."""
    return await db.read(
        lambda tx: find_visible(
            tx, uuid, principal, kind=kind, dialect=dialect, location_uuid=location_uuid
        )
    )


async def snapshot(
    db: Database,
    uuid: str,
    principal: Principal,
    *,
    kind: str | None = None,
    dialect: str | None = None,
    location_uuid: str | None = None,
    states: Sequence[ItemState] | None = None,
    with_items: bool = True,
) -> Snapshot:
    """The job with its items (all, or those in `states`), counters and rows of one instant."""

    def read(tx: ReadTx) -> Snapshot:
        job = find_visible(
            tx, uuid, principal, kind=kind, dialect=dialect, location_uuid=location_uuid
        )
        in_flight, retrying = job_items.count_in_progress(tx, job.id)
        items = job_items.list_page(tx, job.id, states=states) if with_items else []
        return Snapshot(job, _with_stations(tx, items), in_flight, retrying)

    return await db.read(read)


async def list_jobs(
    db: Database,
    principal: Principal,
    *,
    limit: int,
    after_id: int | None = None,
    offset: int = 0,
    oldest_first: bool = False,
    kind: str | None = None,
    dialect: str | None = None,
    states: Sequence[JobState] | None = None,
    created_by: str | None = None,
    hidden: bool = False,
) -> tuple[list[Job], int]:
    """Jobs the caller sees, newest first, and how many there are in all.

    Raises NotFound for a creator that there is not, or whose jobs the caller does not see.
    """
    if not sees_all_jobs(principal) and created_by not in {None, principal.id}:
        raise NotFound("Token not found")
    by = created_by if sees_all_jobs(principal) else principal.id

    def read(tx: ReadTx) -> tuple[list[Job], int]:
        tokens.check_principal(tx, created_by)
        found = jobs.list_page(
            tx,
            limit=limit,
            after_id=after_id,
            offset=offset,
            oldest_first=oldest_first,
            kind=kind,
            dialect=dialect,
            states=states,
            principal=by,
            hidden=hidden,
        )
        total = jobs.count(
            tx, kind=kind, dialect=dialect, states=states, principal=by, hidden=hidden
        )
        return found, total

    return await db.read(read)


async def list_items(
    db: Database,
    job: Job,
    *,
    after_seq: int = -1,
    limit: int = -1,
    states: Sequence[ItemState] | None = None,
    code: str | None = None,
    now: int,
) -> list[ItemRow]:
    """Items in order, with their stations and their effect as it is `now`."""

    def read(tx: ReadTx) -> list[ItemRow]:
        items = job_items.list_page(
            tx, job.id, after_seq=after_seq, limit=limit, states=states, code=code
        )
        return [
            replace(row, effect=effects.of_item(tx, job, row.item, now=now))
            for row in _with_stations(tx, items)
        ]

    return await db.read(read)


def _with_stations(tx: ReadTx, items: Sequence[JobItem]) -> list[ItemRow]:
    found = stations.find_many(tx, [item.target for item in items if item.target is not None])
    return [
        ItemRow(item, None if item.target is None else found.get(item.target)) for item in items
    ]


def find_visible(
    tx: ReadTx,
    uuid: str,
    principal: Principal,
    *,
    kind: str | None = None,
    dialect: str | None = None,
    location_uuid: str | None = None,
) -> Job:
    """The job; raises NotFound when absent, of another kind or place, or not visible."""
    job = jobs.find_by_uuid(tx, uuid)
    if (
        job is None
        or (kind is not None and job.kind != kind)
        or (dialect is not None and job.dialect != dialect)
        or not (sees_all_jobs(principal) or job.principal == principal.id)
        or (location_uuid is not None and not _is_at(tx, job, location_uuid))
    ):
        raise NotFound("Job not found")
    return job


def _is_at(tx: ReadTx, job: Job, location_uuid: str) -> bool:
    # A deleted location keeps its jobs: they must still be seen to fail.
    return job.location_id is not None and locations.uuid_of(tx, job.location_id) == location_uuid


def sees_all_jobs(principal: Principal) -> bool:
    """A job is seen by its creator and by unbound operators."""
    return principal.location_ids is None and principal.role is not Role.VIEWER
