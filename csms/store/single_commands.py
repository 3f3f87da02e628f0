"""Jobs of one hidden item that send a command: what a person sees as a command."""

from __future__ import annotations

from csms.domain.jobs import Job, JobItem
from csms.store import job_items, jobs
from csms.store.database import ReadTx

_ARE_COMMANDS = "jobs.kind = 'command' AND jobs.hidden = 1 AND jobs.total = 1"


def list_page(
    tx: ReadTx,
    *,
    limit: int,
    before_id: int | None = None,
    principal: str | None = None,
    station_id: int | None = None,
    is_open: bool | None = None,
) -> list[tuple[Job, JobItem]]:
    """Commands, newest first; `principal` narrows to what one caller sent."""
    # CROSS JOIN: in this order, so that a page costs what it shows.
    tables, where = "jobs", _ARE_COMMANDS
    params: list[str | int] = []
    if station_id is not None:
        tables = "job_items CROSS JOIN jobs ON jobs.id = job_items.job_id"
        where += " AND job_items.seq = 0 AND job_items.target = ?"
        params.append(station_id)
    if is_open is not None:
        where += f" AND jobs.finished_at IS {'NULL' if is_open else 'NOT NULL'}"
    column = "jobs.id" if station_id is None else "job_items.job_id"
    if before_id is not None:
        where += f" AND {column} < ?"
        params.append(before_id)
    if principal is not None:
        where += " AND jobs.principal = ?"
        params.append(principal)
    rows = tx.all(
        f"SELECT jobs.id FROM {tables} WHERE {where} ORDER BY {column} DESC LIMIT ?",  # noqa: S608
        (*params, limit),
    )
    return [(jobs.get(tx, row["id"]), job_items.get(tx, row["id"], 0)) for row in rows]


def is_one(job: Job) -> bool:
    """Whether the job is what a person sees as a command."""
    return job.kind == "command" and job.hidden and job.counters.total == 1
