"""Jobs natively: list, show, items."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from csms.api import cursors
from csms.api.models import CountedPage, OneOf, Page
from csms.api.routing import Call, Dialect, Reply
from csms.api.v1.job_requests import SCOPES
from csms.api.v1.job_results import ItemFilter
from csms.api.v1.job_shapes import ItemShape, JobShape
from csms.api.v1.shapes import cursor_page
from csms.domain.jobs import Job, JobState
from csms.jobs import views
from csms.jobs.kinds import webhook_delivery

KINDS = sorted((*SCOPES, webhook_delivery.KIND))


class JobsQuery(CountedPage):
    """Which jobs to list."""

    sort: Literal["-created_at", "created_at"] = "-created_at"
    kind: Annotated[str, OneOf(KINDS)] | None = None
    state: list[JobState] | None = Field(default=None, description="May be repeated.")
    dialect: Dialect | None = Field(default=None, description="Which API they came through.")
    created_by: str | None = Field(
        default=None, max_length=100, description="The id of the token that submitted them."
    )
    hidden: bool = Field(default=False, description="Single commands are jobs too.")


class ItemsQuery(Page, ItemFilter):
    """Which items to list."""


async def list_jobs(call: Call[None, JobsQuery]) -> Reply:
    """Newest first, unless asked for otherwise."""
    query = call.query
    found, total = await views.list_jobs(
        call.deps.db,
        call.principal,
        limit=query.limit + 1,
        after_id=cursors.read(query.cursor),
        oldest_first=query.sort == "created_at",
        kind=query.kind,
        states=query.state,
        dialect=query.dialect and query.dialect.value,
        created_by=query.created_by,
        hidden=query.hidden,
    )
    shown = found[: query.limit]
    more = cursors.write(shown[-1].id) if len(found) > len(shown) else None
    shapes = [JobShape.of(job) for job in shown]
    return Reply(cursor_page(shapes, more, total if query.count else None))


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
        code=query.code,
        now=call.deps.clock.micros(),
    )
    shown = rows[: query.limit]
    more = cursors.write(shown[-1].item.seq) if len(rows) > len(shown) else None
    return Reply(cursor_page([ItemShape.of(row) for row in shown], more))


async def _find(call: Call[Any, Any]) -> Job:
    return await views.get_job(call.deps.db, call.path["job_id"], call.principal)
