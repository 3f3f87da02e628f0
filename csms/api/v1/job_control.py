"""What can be done to a job: pause, resume, cancel, try again, forget."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field

from csms.api.auth import require
from csms.api.models import Query, Strict
from csms.api.routing import Call, Reply
from csms.api.v1.job_requests import SCOPES
from csms.api.v1.job_shapes import JobShape
from csms.domain.jobs import FINAL_JOB_STATES, ItemState, Job
from csms.errors import Conflict
from csms.jobs import views


class Again(str, Enum):
    """Which job a retry becomes; left out, the same one."""

    NEW = "new"


class RetryQuery(Query):
    """How to try again."""

    as_: Again | None = Field(
        default=None,
        alias="as",
        description="`new`: by a job of your own, and this one stays as it is.",
    )


class Retry(Strict):
    """Which failed items to run again; left out, all that failed for sure."""

    states: list[ItemState] | None = Field(default=None, min_length=1)
    include_unknown: bool = Field(
        default=False,
        description="Also what may have run: a one-shot command can then reach a station twice.",
    )


async def pause(call: Call[None, None]) -> Reply:
    """Nothing more starts, what is in flight finishes; a paused job stays as it is."""
    return Reply(JobShape.of(await call.deps.engine.pause(await _find(call))))


async def resume(call: Call[None, None]) -> Reply:
    """A paused job goes on; one that runs stays as it is."""
    return Reply(JobShape.of(await call.deps.engine.resume(await _find(call))))


async def cancel(call: Call[None, None]) -> Reply:
    """202: what is in flight finishes, the rest is cancelled; 200 when it was over already."""
    job = await _find(call)
    if job.state in FINAL_JOB_STATES:
        return Reply(JobShape.of(job))
    return Reply(JobShape.of(await call.deps.engine.cancel(job)), status=202)


async def retry(call: Call[Retry | None, RetryQuery]) -> Reply:
    """The same job, a new run: finished items stay as they are. Or a new job with the rest."""
    wanted = call.body or Retry()
    job = await _find(call)
    states = None if wanted.states is None else frozenset(wanted.states)
    engine = call.deps.engine
    if call.query.as_ is None:
        job = await engine.retry(job, states=states, include_unknown=wanted.include_unknown)
        return Reply(JobShape.of(job), status=202)
    if job.kind not in SCOPES:
        raise Conflict("such a job can only be run again itself", code="not_submittable")
    require(call.principal, SCOPES[job.kind])
    again = await engine.retry_anew(
        job,
        caller=call.principal,
        states=states,
        include_unknown=wanted.include_unknown,
        idempotency=call.idempotency,
    )
    headers = {"Location": f"/api/v1/jobs/{again.job.uuid}"}
    if again.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Reply(JobShape.of(again.job), status=202, headers=headers)


async def delete(call: Call[None, None]) -> Reply:
    """The job, its items and their attempts are forgotten; the stations it made stay."""
    await call.deps.engine.delete(await _find(call))
    return Reply(status=204)


async def _find(call: Call[Any, Any]) -> Job:
    return await views.get_job(call.deps.db, call.path["job_id"], call.principal)
