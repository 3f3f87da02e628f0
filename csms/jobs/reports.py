"""What the dialects' polls are made of: a job and its items as one consistent snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import Enum
from typing import Generic

from csms.clock import to_micros
from csms.domain.jobs import IdempotencyKey, Job, JobItem
from csms.domain.stations import Station
from csms.errors import NotFound
from csms.store import idempotency, job_items, job_reports, jobs
from csms.store.database import Database, ReadTx
from csms.store.job_reports import CREATE, RUN, Columns, CreateRow, R, RunRow

__all__ = [
    "CREATE",
    "RUN",
    "Columns",
    "CreateRow",
    "R",
    "Report",
    "Rows",
    "RunRow",
    "maker_of",
    "replayed",
    "report",
]


class Rows(str, Enum):
    """Which items a report holds."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Report(Generic[R]):
    """A job, the items that were asked for, and what moves right now."""

    job: Job
    rows: list[R]
    in_flight: int
    retrying: int
    version: str = ""
    """Another one whenever anything of this is."""
    is_known: bool = False
    """The caller has this version; it comes without rows."""


def _nothing_is_known(version: str) -> bool:
    return False


async def report(
    db: Database,
    seen: Job,
    choose: Callable[[Job], Rows],
    columns: Columns[R],
    *,
    is_known: Callable[[str], bool] = _nothing_is_known,
) -> Report[R]:
    """A job the caller may see, as it is now, with the rows that `choose` wants of it."""

    def look(tx: ReadTx) -> Report[R]:
        job = jobs.get(tx, seen.id)
        in_flight, retrying = (0, 0)
        if job.finished_at is None:
            in_flight, retrying = job_items.count_in_progress(tx, job.id)
        version = f"{job.uuid}/{_version(job)}/{job_reports.version(tx, job.id)}"
        if is_known(version):
            return Report(job, [], in_flight, retrying, version, is_known=True)
        return Report(job, _rows(tx, job, choose(job), columns), in_flight, retrying, version)

    return await db.read(look)


async def replayed(db: Database, key: IdempotencyKey | None, now: datetime) -> Job | None:
    """The job that the same request made before; raises Invalid when its body was another one.

    Asked before the request is judged: what was accepted once stays accepted.
    """
    if key is None:
        return None
    return await db.read(lambda tx: _replayed(tx, key, to_micros(now)))


async def maker_of(db: Database, station: Station) -> tuple[Job, JobItem] | None:
    """The job and the item that made a station, while they are kept."""

    def look(tx: ReadTx) -> tuple[Job, JobItem] | None:
        if station.created_job_id is None or station.created_seq is None:
            return None
        try:
            job = jobs.get(tx, station.created_job_id)
            return job, job_items.get(tx, job.id, station.created_seq)
        except NotFound:
            return None

    return await db.read(look)


def _replayed(tx: ReadTx, key: IdempotencyKey, now: int) -> Job | None:
    resource = idempotency.find(tx, key, now=now)
    return None if resource is None else jobs.find_by_uuid(tx, resource.removeprefix("job:"))


def _version(job: Job) -> str:
    counted = "/".join(str(number) for number in astuple(job.counters))
    return f"{job.state.value}/{job.generation}/{to_micros(job.updated_at)}/{counted}"


def _rows(tx: ReadTx, job: Job, which: Rows, columns: Columns[R]) -> list[R]:
    if which is Rows.ALL:
        return job_reports.list_rows(tx, job.id, columns)
    if which is Rows.FAILED:
        return job_reports.list_failed_rows(tx, job.id, columns)
    return []
