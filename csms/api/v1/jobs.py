"""Jobs natively: list, show, items, cancel, retry."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api import cursors
from csms.api.models import Page, Strict
from csms.api.routing import Call, Reply
from csms.api.v1.job_shapes import ItemShape, JobShape
from csms.api.v1.shapes import cursor_page
from csms.domain.jobs import FINAL_JOB_STATES, ItemState, Job
from csms.jobs import views


class JobsQuery(Page):
    """Which jobs to list."""

    kind: str | None = Field(default=None, max_length=50)
    hidden: bool = Field(default=False, description="Single commands are jobs too.")


class ItemsQuery(Page):
    """Which items to list."""

    state: list[ItemState] | None = Field(default=None, description="May be repeated.")


class Retry(Strict):
    """Which failed items to run again; left out, all that failed for sure."""

    states: list[ItemState] | None = Field(default=None, min_length=1)
    include_unknown: bool = Field(
        default=False,
        description="Also what may have run: a one-shot command can then reach a station twice.",
    )


async def list_jobs(call: Call[None, JobsQuery]) -> Reply:
    """Newest first."""
    query = call.query
    found, _ = await views.list_jobs(
        call.deps.db,
        call.principal,
        limit=query.limit + 1,
        before_id=cursors.read(query.cursor),
        kind=query.kind,
        hidden=query.hidden,
    )
    shown = found[: query.limit]
    more = cursors.write(shown[-1].id) if len(found) > len(shown) else None
    return Reply(cursor_page([JobShape.of(job) for job in shown], more))


async def show(call: Call[None, None]) -> Reply:
    """One job."""
    return Reply(JobShape.of(await _find(call)))


async def list_items(call: Call[None, ItemsQuery]) -> Reply:
    """In the order of submission."""
    query = call.query
    job = await _find(call)
    after_seq = cursors.read(query.cursor)
    rows = await views.list_items(
        call.deps.db,
        job,
        after_seq=-1 if after_seq is None else after_seq,
        limit=query.limit + 1,
        states=query.state,
        now=call.deps.clock.micros(),
    )
    shown = rows[: query.limit]
    more = cursors.write(shown[-1].item.seq) if len(rows) > len(shown) else None
    return Reply(cursor_page([ItemShape.of(row) for row in shown], more))


async def cancel(call: Call[None, None]) -> Reply:
    """202: what is in flight finishes, the rest is cancelled; 200 when it was over already."""
    job = await _find(call)
    if job.state in FINAL_JOB_STATES:
        return Reply(JobShape.of(job))
    return Reply(JobShape.of(await call.deps.engine.cancel(job)), status=202)


async def retry(call: Call[Retry | None, None]) -> Reply:
    """The same job, a new run: finished items stay as they are."""
    wanted = call.body or Retry()
    job = await _find(call)
    again = await call.deps.engine.retry(
        job,
        states=None if wanted.states is None else frozenset(wanted.states),
        include_unknown=wanted.include_unknown,
    )
    return Reply(JobShape.of(again), status=202)


async def _find(call: Call[Any, Any]) -> Job:
    return await views.get_job(call.deps.db, call.path["job_id"], call.principal)
