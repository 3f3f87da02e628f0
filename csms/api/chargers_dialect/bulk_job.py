"""The poll of a bulk create: one job and its items as `created` and `failed`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from enum import Enum
from typing import Any

from csms.api.models import Shape
from csms.api.polls import poll
from csms.api.routing import Call, Reply
from csms.api.times import seconds
from csms.api.wording import of_chargers
from csms.domain.jobs import (
    FINAL_JOB_STATES,
    LIVE_ITEM_STATES,
    ItemState,
    Job,
    JobError,
    JobState,
)
from csms.jobs import views
from csms.jobs.kinds import station_create
from csms.jobs.reports import CREATE, CreateRow, Report, Rows

JOB_TYPE = "bulk_charger_create"
# Readers keep messages in columns of a bounded size.
LONGEST_MESSAGE = 2000


class ChargerProvisioningStatus(str, Enum):
    """Where a provisioning stands; READY and FAILED are final."""

    PENDING = "PENDING"
    PROVISIONING = "PROVISIONING"
    READY = "READY"
    FAILED = "FAILED"


class ProvisioningErrorDetail(Shape):
    """Why a job as a whole failed."""

    code: str
    message: str
    step: str | None = None
    param: str | None = None
    doc_url: str | None = None
    retryable: bool = False


class CreatedCharger(Shape):
    """A charger that exists now."""

    charger_id: str
    identity: str


class FailedCharger(Shape):
    """A charger that was not created, and why."""

    error: str
    identity: str
    code: str
    retryable: bool
    attempts: int


class BulkCreateResults(Shape):
    """What became of every requested charger."""

    created: list[CreatedCharger]
    created_count: int
    failed: list[FailedCharger]
    failed_count: int


class BulkCreateProgress(Shape):
    """Counts while it runs."""

    total: int
    completed: int
    created: int
    failed: int
    in_flight: int
    retrying: int


class BulkCreateStatus(Shape):
    """The poll's answer."""

    job_id: str
    job_type: str
    status: ChargerProvisioningStatus
    workflow_run_id: str
    error: ProvisioningErrorDetail | None
    results: BulkCreateResults | None
    provisioned_at: str | None
    progress: BulkCreateProgress


async def show(call: Call[None, None]) -> Reply:
    """GET /ocpp/locations/{location_id}/chargers/jobs/{job_id}."""
    job = await views.get_job(
        call.deps.db,
        call.path["job_id"],
        call.principal,
        kind=station_create.KIND,
        # The location may be gone by now; its jobs still say what became of them.
        location_uuid=call.path["location_id"],
    )
    return await poll(call, job, _wanted, CREATE, status_body)


def provisioning_status(state: JobState) -> ChargerProvisioningStatus:
    """The dialect's word for a job's state."""
    if state in {JobState.ACCEPTED, JobState.SCHEDULED}:
        return ChargerProvisioningStatus.PENDING
    if state is JobState.DONE:
        return ChargerProvisioningStatus.READY
    if state in FINAL_JOB_STATES:
        return ChargerProvisioningStatus.FAILED
    return ChargerProvisioningStatus.PROVISIONING


def status_body(report: Report[CreateRow]) -> dict[str, Any]:
    """The poll's answer; `results` from the end on, on FAILED as far as it got."""
    job = report.job
    counters = job.counters
    status = provisioning_status(job.state)
    completed = counters.total - counters.open
    ready = status is ChargerProvisioningStatus.READY
    return {
        "job_id": job.uuid,
        "job_type": JOB_TYPE,
        "status": status.value,
        "workflow_run_id": job.workflow_run_id,
        "error": _error(job) if status is ChargerProvisioningStatus.FAILED else None,
        "results": _results(report.rows) if job.state in FINAL_JOB_STATES else None,
        "provisioned_at": seconds(job.finished_at) if ready else None,
        "progress": {
            "total": counters.total,
            "completed": completed,
            "created": counters.succeeded,
            "failed": completed - counters.succeeded,
            "in_flight": report.in_flight,
            "retrying": report.retrying,
        },
    }


def trimmed(message: str) -> str:
    """At most LONGEST_MESSAGE characters; strings are cut between characters, never inside."""
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"


def _wanted(job: Job) -> Rows:
    return Rows.ALL if job.state in FINAL_JOB_STATES else Rows.NONE


def _error(job: Job) -> dict[str, Any]:
    error = job.error
    if error is None:
        code = "cancelled" if job.state is JobState.CANCELLED else "unknown_error"
        error = JobError(code, f"The job was {job.state.value}", retryable=True)
    return {**asdict(error), "message": trimmed(of_chargers(error.message))}


def _results(rows: Iterable[CreateRow]) -> dict[str, Any]:
    created: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for row in rows:
        key, state, _, _, _, _, station = row
        if state == ItemState.SUCCEEDED.value:
            created.append({"charger_id": station, "identity": key})
        elif state not in _IN_PROGRESS:
            failed.append(_failure(row))
    return {
        "created": created,
        "created_count": len(created),
        "failed": failed,
        "failed_count": len(failed),
    }


_IN_PROGRESS = frozenset(state.value for state in LIVE_ITEM_STATES)


def _failure(row: CreateRow) -> dict[str, Any]:
    key, state, code, message, retryable, attempts, _ = row
    code = "outcome_unknown" if state == ItemState.UNKNOWN.value else code or state
    return {
        "error": trimmed(of_chargers(message or code)),
        "identity": key,
        "code": code,
        "retryable": bool(retryable),
        "attempts": attempts,
    }
