"""Jobs and their items as the native API shows them."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.api.v1.shapes import TOTAL, CountersShape, ErrorShape, Instant
from csms.domain.effects import Effect
from csms.domain.jobs import ItemState, Job, JobState, PauseReason
from csms.jobs.views import ItemRow


class JobErrorShape(ErrorShape):
    """Why the job as a whole failed."""

    step: str | None = None
    param: str | None = None


class JobShape(Shape):
    """A bulk order over many items."""

    id: str
    kind: str
    command: str | None = Field(description="What is sent: our command, or the raw action.")
    state: JobState
    pause_reason: PauseReason | None
    wave: int = Field(description="Which one is open, from 1.")
    waves: int
    dialect: str = Field(description="Which API it was submitted through.")
    created_by: str = Field(description="The id of the token that submitted it.")
    workflow_run_id: str = Field(description="New at each resume and each retry.")
    generation: int = Field(description="1, and one more for every retry.")
    counters: CountersShape
    items_per_s: float | None = Field(
        description="How many were settled a second since it started; null before, after a retry"
        " and at its end."
    )
    eta_s: int | None = Field(description="How long the rest takes at that rate.")
    error: JobErrorShape | None
    not_before: Instant | None
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    updated_at: Instant

    @classmethod
    def of(cls, job: Job) -> JobShape:
        """The job as it is shown."""
        rate = _items_per_s(job)
        return cls(
            id=job.uuid,
            kind=job.kind,
            command=job.params.get("command") or job.params.get("action"),
            state=job.state,
            pause_reason=job.pause_reason,
            wave=job.wave,
            waves=len(job.wave_begins) + 1,
            dialect=job.dialect,
            created_by=job.principal,
            workflow_run_id=job.workflow_run_id,
            generation=job.generation,
            counters=CountersShape(**asdict(job.counters)),
            items_per_s=None if rate is None else round(rate, 3),
            eta_s=None if rate is None else math.ceil(job.counters.open / rate),
            error=_job_error(job),
            not_before=times.micros(job.not_before),
            created_at=times.micros(job.created_at),
            started_at=times.micros(job.started_at),
            finished_at=times.micros(job.finished_at),
            updated_at=times.micros(job.updated_at),
        )


class JobPage(Shape):
    """Jobs, newest first."""

    items: list[JobShape]
    next_cursor: str | None
    total: int | None = TOTAL


class ItemShape(Shape):
    """One item of a job: a station to make, or one command to one station."""

    seq: int
    key: str = Field(description="The identity, or the station's id as submitted.")
    station_id: str | None
    identity: str | None
    state: ItemState
    evidence_window_open: bool = Field(
        description="State unknown may still be settled by an answer or by evidence."
    )
    step: str | None
    attempts: int
    next_attempt_at: Instant | None
    deadline_at: Instant | None
    error: ErrorShape | None
    response: dict[str, Any] | None
    response_status: str | None
    executed_at: Instant | None
    effect: Effect | None = Field(
        description="Of an accepted start, stop or reset: whether the transaction or the boot that"
        " it asks for was `seen`, is `awaited`, or did not come in time: `not_seen`. Of a station's"
        " maximum profile: whether it keeps to it. Null for other items, and 7 days after the"
        " attempt."
    )

    @classmethod
    def of(cls, row: ItemRow) -> ItemShape:
        """The item as it is shown."""
        item, station = row.item, row.station
        waiting = item.state in {ItemState.READY, ItemState.WAIT_ONLINE}
        return cls(
            seq=item.seq,
            key=item.key,
            station_id=station.uuid if station else None,
            identity=station.identity if station else None,
            state=item.state,
            evidence_window_open=item.window_open,
            step=item.step,
            attempts=item.attempt,
            next_attempt_at=times.micros(item.due_at) if waiting else None,
            deadline_at=times.micros(item.deadline_at),
            error=None
            if item.code is None
            else ErrorShape(code=item.code, message=item.message, retryable=item.retryable),
            response=item.response,
            response_status=item.response_status,
            executed_at=times.micros(item.executed_at),
            effect=row.effect,
        )


class ItemPage(Shape):
    """Items in the order of submission."""

    items: list[ItemShape]
    next_cursor: str | None


def _items_per_s(job: Job) -> float | None:
    if job.started_at is None or job.finished_at is not None or job.generation > 1:
        return None
    settled = job.counters.total - job.counters.open - job.counters.skipped
    # Counted by the job's own clock: what is shown changes only when something happened.
    elapsed_s = (job.updated_at - job.started_at).total_seconds()
    return settled / elapsed_s if settled > 0 and elapsed_s > 0 else None


def _job_error(job: Job) -> JobErrorShape | None:
    if job.error is None:
        return None
    return JobErrorShape(
        code=job.error.code,
        message=job.error.message,
        retryable=job.error.retryable,
        step=job.error.step,
        param=job.error.param,
    )
