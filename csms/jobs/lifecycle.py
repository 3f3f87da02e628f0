"""A job as a whole: accepted, started, its waves, paused, resumed, stopped, tried again, ended.

Functions over one transaction, like the ledger's, which tells `after_count` of every item that
became final.
"""

from __future__ import annotations

from typing import NamedTuple

from csms.clock import to_micros
from csms.domain.jobs import (
    CLAIMING_JOB_STATES,
    FINAL_ITEM_STATES,
    FINAL_JOB_STATES,
    LEGAL_ITEM_CHANGES,
    LEGAL_JOB_CHANGES,
    AbortAction,
    Gate,
    IdempotencyKey,
    ItemState,
    Job,
    JobError,
    JobState,
    NewItem,
    PauseReason,
    Submission,
)
from csms.domain.permissions import Principal
from csms.errors import Conflict, Invalid
from csms.events import Event
from csms.jobs import retry, waves
from csms.jobs.port import ItemRunner
from csms.store import idempotency, job_items, job_order, jobs
from csms.store.database import Row, Tx

RESTARTABLE = frozenset(
    {ItemState.ERROR, ItemState.OFFLINE, ItemState.EXPIRED, ItemState.CANCELLED}
)
"""What a retry takes when nothing else is said."""
_RETRYABLE = {state for state in FINAL_ITEM_STATES if ItemState.READY in LEGAL_ITEM_CHANGES[state]}
_STOPPABLE = CLAIMING_JOB_STATES | {JobState.PAUSED}


class Aftermath(NamedTuple):
    """What items that became final did to their job."""

    ended_generation: int | None = None
    """Which generation of the job ended: a retry in the same commit has begun the next."""
    moved: bool = False
    """It was paused, or its next wave is open."""


# ---- beginning -------------------------------------------------------------------------------


def accept(tx: Tx, submission: Submission, key: IdempotencyKey | None) -> tuple[Job, bool]:
    """Job and items on disk, or the job the same key made before. Returns (job, replayed)."""
    if key is not None:
        resource = idempotency.find(tx, key, now=tx.now)
        if resource is not None:
            known = jobs.find_by_uuid(tx, resource.removeprefix("job:"))
            if known is not None:
                return known, True
    job = jobs.insert(tx, submission)
    start_at = tx.now if job.not_before is None else to_micros(job.not_before)
    expires = submission.policy.expires_in_s
    job_items.insert_many(
        tx,
        job.id,
        submission.items,
        due_at=start_at,
        deadline_at=None if expires is None else start_at + int(expires * 1e6),
    )
    _put_in_order(tx, job)
    if key is not None:
        idempotency.insert(tx, key, f"job:{job.uuid}")
    _announce(tx, job, "job.accepted", total=job.counters.total)
    if job.counters.open == 0:
        end(tx, job)
    return jobs.get(tx, job.id), False


def start(tx: Tx, job: Job) -> None:
    """The first claim: accepted → running."""
    if _move(tx, job, {JobState.ACCEPTED, JobState.SCHEDULED}, JobState.RUNNING):
        _announce(tx, job, "job.started")


# ---- in between ------------------------------------------------------------------------------


def pause(tx: Tx, job: Job, reason: PauseReason) -> Job:
    """Nothing new starts until somebody resumes it; what is in flight finishes.

    Raises Conflict once it is stopping or over.
    """
    if _move(tx, job, CLAIMING_JOB_STATES, JobState.PAUSED, reason):
        _announce(tx, job, "job.paused", reason=reason.value)
    return _still(tx, job)


def resume(tx: Tx, job: Job) -> Job:
    """A paused job goes on, with its next wave if that is what it waited for.

    Raises Conflict once it is stopping or over; one that runs is left as it is.
    """
    paused = _still(tx, job)
    if paused.state is not JobState.PAUSED:
        return paused
    is_early = paused.not_before is not None and to_micros(paused.not_before) > tx.now
    begins_later = is_early and paused.started_at is None
    to_state = JobState.SCHEDULED if begins_later else JobState.RUNNING
    _move(tx, paused, {JobState.PAUSED}, to_state)
    jobs.renew_run(tx, job.id)
    if paused.pause_reason is PauseReason.ABORT_THRESHOLD:
        jobs.forgive(tx, job.id)
    _announce(tx, job, "job.resumed")
    if to_state is JobState.RUNNING and paused.started_at is None:
        _announce(tx, job, "job.started")
    if paused.counters.held and paused.counters.held == paused.counters.open:
        _open_wave(tx, paused)
    return jobs.get(tx, job.id)


def after_count(tx: Tx, job: Job, counted: Row, kind: ItemRunner) -> Aftermath:
    """Items of the job were counted as final: perhaps it stops, pauses, goes on, or ends."""
    if counted["open"] == 0:
        return Aftermath(end(tx, job))
    state = JobState(counted["state"])
    if state is JobState.CANCELLING:
        return Aftermath()
    if retry.crosses_threshold(job.policy, failed=counted["failed"], settled=counted["settled"]):
        if _pauses_at_threshold(job):
            return _pause_by_itself(tx, job, state, PauseReason.ABORT_THRESHOLD)
        message = f"{counted['failed']} of {counted['settled']} items failed"
        error = JobError("abort_threshold", message, retryable=True)
        failed = fail(tx, job, error, kind=kind)
        return Aftermath(failed.generation if failed.finished_at is not None else None)
    if counted["held"] != counted["open"] or state is JobState.PAUSED:
        return Aftermath()
    if job.policy.gate is Gate.PAUSE:
        return _pause_by_itself(tx, job, state, PauseReason.WAVE)
    _open_wave(tx, jobs.get(tx, job.id))
    return Aftermath(moved=True)


# ---- stopping --------------------------------------------------------------------------------


def cancel(tx: Tx, job: Job, *, kind: ItemRunner) -> Job:
    """Nothing new starts; what is in flight finishes. A finished job stays as it is."""
    if _move(tx, job, _STOPPABLE, JobState.CANCELLING):
        cancel_waiting(tx, jobs.get(tx, job.id), kind=kind)
    return jobs.get(tx, job.id)


def fail(tx: Tx, job: Job, error: JobError, *, kind: ItemRunner) -> Job:
    """As cancel, but the job ends failed with its cause."""
    if _move(tx, job, _STOPPABLE, JobState.CANCELLING):
        jobs.set_error(tx, job.id, error)
        cancel_waiting(tx, jobs.get(tx, job.id), kind=kind)
    return jobs.get(tx, job.id)


def cancel_waiting(tx: Tx, job: Job, *, kind: ItemRunner) -> int | None:
    """Whatever of a stopping job waits is cancelled; the generation that ended with it."""
    cause = job.error or JobError("cancelled", "cancelled")
    waiting = (ItemState.HELD, ItemState.READY, ItemState.WAIT_ONLINE)
    if kind.first_step is not None:  # a kind of many steps may have made something already
        for item in job_items.list_registered(tx, job.id, states=waiting):
            kind.discard(tx, job, item)
            job_items.detach_station(tx, job.id, item.seq)
    else:
        begun = job_items.fail_begun(tx, job.id, code=cause.code, message=cause.message)
        if begun:
            jobs.count_final(tx, job.id, ItemState.ERROR, begun)
    number = job_items.cancel_waiting(tx, job.id, code=cause.code, message=cause.message)
    jobs.hold_none(tx, job.id)
    if number:
        jobs.count_final(tx, job.id, ItemState.CANCELLED, number)
    return end(tx, job)


def end(tx: Tx, job: Job) -> int | None:
    """Close the job once no item is open; the generation that ended, None when it did not."""
    fresh = jobs.get(tx, job.id)
    if fresh.counters.open or fresh.finished_at is not None:
        return None
    state = JobState.DONE
    if fresh.state is JobState.CANCELLING:
        state = JobState.CANCELLED if fresh.error is None else JobState.FAILED
    if not _move(tx, job, {fresh.state}, state):
        return None
    _announce(tx, fresh, f"job.{state.value}", state=state.value)
    return fresh.generation


# ---- again -----------------------------------------------------------------------------------


def restart(tx: Tx, job: Job, *, states: frozenset[ItemState], kind: ItemRunner) -> Job:
    """Failed items become ready again under a new generation; finished ones are not touched.

    Raises Conflict when there is none.
    """
    _check_retry(job, states)
    expires = job.policy.expires_in_s
    deadline_at = None if expires is None else tx.now + int(expires * 1e6)
    reopened = 0
    for state in states:
        number = job_items.reopen(tx, job.id, state, deadline_at=deadline_at, step=kind.first_step)
        if number:
            jobs.count_reopened(tx, job.id, state, number)
        reopened += number
    if not reopened:
        raise _nothing_to_retry()
    _check_move(job.state, JobState.RUNNING)
    jobs.begin_generation(tx, job.id)
    _put_in_order(tx, job)
    _announce(tx, job, "job.started", retried=reopened)
    return jobs.get(tx, job.id)


def anew(
    tx: Tx, job: Job, *, states: frozenset[ItemState], kind: ItemRunner, caller: Principal
) -> Submission:
    """A job of the caller's own with the failed items of a finished one, which stays as it is.

    Raises Conflict when there is none.
    """
    _check_retry(job, states)
    items = job_items.list_page(tx, job.id, states=sorted(states))
    if not items:
        raise _nothing_to_retry()
    return Submission(
        kind=job.kind,
        dialect=job.dialect,
        principal=caller.id,
        reach=caller.location_ids,
        location_id=job.location_id,
        params=job.params,
        items=[NewItem(item.key, item.target, item.data, kind.first_step) for item in items],
        lane=job.lane,
        hidden=job.hidden,
        policy=job.policy,
        generation=job.generation + 1,
    )


def delete(tx: Tx, job: Job) -> None:
    """Forget a job that is over, with its items. Raises Conflict while it runs."""
    if job.finished_at is None:
        raise Conflict("the job is still running", code="job_running")
    jobs.delete(tx, job.id)
    _announce(tx, job, "job.deleted")


# ---- below -----------------------------------------------------------------------------------


def _move(
    tx: Tx,
    job: Job,
    from_states: frozenset[JobState] | set[JobState],
    to_state: JobState,
    reason: PauseReason | None = None,
) -> bool:
    for state in from_states:
        _check_move(state, to_state)
    return jobs.change_state(
        tx, job.id, from_states=from_states, to_state=to_state, pause_reason=reason
    )


def _check_move(from_state: JobState, to_state: JobState) -> None:
    if to_state not in LEGAL_JOB_CHANGES[from_state]:
        raise AssertionError(f"illegal change {from_state.value} → {to_state.value}")


def _still(tx: Tx, job: Job) -> Job:
    fresh = jobs.get(tx, job.id)
    if fresh.state is JobState.CANCELLING:
        raise Conflict("the job is being cancelled", code="job_cancelling")
    if fresh.state in FINAL_JOB_STATES:
        raise Conflict("the job is over", code="job_over")
    return fresh


def _check_retry(job: Job, states: frozenset[ItemState]) -> None:
    if job.finished_at is None:
        raise Conflict("the job is still running", code="job_running")
    if states - _RETRYABLE:
        raise Invalid("succeeded and skipped items cannot be retried", loc=("states",))


def _nothing_to_retry() -> Conflict:
    return Conflict("no item of the job is to be tried again", code="nothing_to_retry")


def _put_in_order(tx: Tx, job: Job) -> None:
    """Ready items of a new generation: by turns of locations, and all but the first wave held."""
    if job.policy.per_location_parallel is not None:
        job_order.mix_locations(tx, job.id)
    if not job.policy.waves:
        return
    begins = waves.begins(job.policy.waves, job_order.list_ready_seqs(tx, job.id))
    held = job_order.hold(tx, job.id, from_seq=begins[0]) if begins else 0
    jobs.set_waves(tx, job.id, begins=begins, held=held)


def _open_wave(tx: Tx, job: Job) -> None:
    begins = (*job.wave_begins, None)
    from_seq, to_seq = begins[job.wave - 1 : job.wave + 1]
    assert from_seq is not None
    number = job_order.release(tx, job.id, from_seq=from_seq, to_seq=to_seq)
    jobs.count_released(tx, job.id, number)
    _announce(tx, job, "job.wave_opened", wave=job.wave + 1, items=number)


def _pauses_at_threshold(job: Job) -> bool:
    # The clients of the dialects know no pause, and nobody would resume it.
    otherwise = AbortAction.PAUSE if job.dialect == "native" else AbortAction.FAIL
    return (job.policy.abort_action or otherwise) is AbortAction.PAUSE


def _pause_by_itself(tx: Tx, job: Job, state: JobState, reason: PauseReason) -> Aftermath:
    if state is not JobState.PAUSED:
        pause(tx, job, reason)
    return Aftermath(moved=True)


def _announce(tx: Tx, job: Job, what: str, **data: object) -> None:
    if not job.hidden:
        tx.emit(
            Event(
                what,
                {"job": job.uuid, "kind": job.kind, **data},
                job_id=job.id,
                location_id=job.location_id,
            )
        )
