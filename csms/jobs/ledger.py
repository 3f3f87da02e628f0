"""The ledger: every change of an item, as functions over one transaction.

`intend` before anything leaves the process, `settle` with what came of it. Every change is one
guarded statement (state, attempt, epoch), so of two writers the later one finds nothing to do.
The last item's result and the job's end share a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from csms.clock import from_micros, to_micros
from csms.domain.jobs import (
    LEGAL_ITEM_CHANGES,
    ItemState,
    Job,
    JobItem,
    JobState,
)
from csms.domain.permissions import SYSTEM
from csms.events import Event
from csms.jobs import lifecycle, retry
from csms.jobs.lifecycle import Aftermath
from csms.jobs.port import Ambiguous, Done, Intent, ItemRunner, NextStep, NotSent, Result, Retry
from csms.store import job_items, jobs
from csms.store.columns import to_json
from csms.store.database import Row, Tx
from csms.store.job_items import Move

# Above this an event per item would be the larger part of the work and of the table.
ITEM_EVENTS_UP_TO = 100
_OPEN_TO_AN_ANSWER = (ItemState.READY, ItemState.WAIT_ONLINE, ItemState.IN_FLIGHT)


class Claim(NamedTuple):
    """An item about to be attempted, and what to journal first."""

    job: Job
    item: JobItem
    intent: Intent


class Ended(NamedTuple):
    """An attempt that ended, and how."""

    job: Job
    item: JobItem
    result: Result
    kind: ItemRunner


class Over(NamedTuple):
    """An item that is over."""

    job: Job
    item: JobItem
    done: Done
    kind: ItemRunner


class Change(NamedTuple):
    """A committed change of an item: as it is now, and what became of its job with it."""

    item: JobItem
    job: Aftermath = Aftermath()

    @property
    def ended_job(self) -> bool:
        """Whether it was the last of its job."""
        return self.job.ended_generation is not None


# ---- one attempt -----------------------------------------------------------------------------


def intend_all(tx: Tx, claims: Sequence[Claim], *, epoch: int) -> list[Change | None]:
    """From ready to in_flight with their attempt rows; None for an item that moved meanwhile."""
    moves = [
        _move(
            claim.item,
            ItemState.IN_FLIGHT,
            epoch=epoch,
            attempt=claim.item.attempt + 1,
        )
        for claim in claims
    ]
    moved = job_items.change_all(tx, moves)
    job_items.insert_attempts(
        tx,
        [
            job_items.NewAttempt(
                job.id,
                item.seq,
                job.generation,
                item.attempt + 1,
                item.step,
                epoch,
                intent.message_id,
                intent.connection_generation,
                None if intent.version is None else intent.version.value,
            )
            for job, item, intent in claims
            if item.id in moved
        ],
    )
    return [
        Change(item._replace(state=ItemState.IN_FLIGHT, attempt=item.attempt + 1, epoch=epoch))
        if item.id in moved
        else None
        for _, item, _ in claims
    ]


def settle_all(tx: Tx, ended: Sequence[Ended], *, random: Random) -> list[Change | None]:
    """Journal how many attempts ended, each job counted once."""
    finished = iter(
        finish_all(
            tx,
            [
                Over(one.job, one.item, one.result, one.kind)
                for one in ended
                if isinstance(one.result, Done)
            ],
        )
    )
    return [
        next(finished)
        if isinstance(one.result, Done)
        else settle(tx, one.job, one.item, one.result, kind=one.kind, random=random)
        for one in ended
    ]


def settle(
    tx: Tx, job: Job, item: JobItem, result: Result, *, kind: ItemRunner, random: Random
) -> Change | None:
    """Journal how an attempt ended; None when somebody else settled the item first."""
    if isinstance(result, Done):
        return finish(tx, job, item, result, kind=kind)
    if isinstance(result, Ambiguous) and result.effect and job_items.standing(tx, [item]):
        result.effect(tx)
    if isinstance(result, Ambiguous) and not kind.repeatable(job, item):
        return open_window(tx, job, item, result)
    stopping = jobs.state_of(tx, job.id) is JobState.CANCELLING
    if isinstance(result, NextStep | NotSent):
        change = _next_step(tx, item, result) if isinstance(result, NextStep) else _back(tx, item)
        return change if change is None or not stopping else _stop_item(tx, item, kind=kind)
    used = item.attempts_used + 1
    at = None
    if not stopping:
        wait_s = result.wait_s if isinstance(result, Retry) else 0.0
        at = retry.next_attempt_at(job.policy, used, from_micros(tx.now), random, wait_s=wait_s)
    if isinstance(result, Ambiguous):
        # Also when it was the last: an explicit retry is read by it.
        job_items.end_attempt(tx, item, outcome="ambiguous", detail=result.message)
    elif at is not None:
        job_items.end_attempt(tx, item, outcome="retry", detail=result.message)
    if at is None:
        return _give_up(tx, job, item, result, kind=kind)
    return _ready(
        tx,
        item,
        due_at=to_micros(at),
        attempts_used=used,
        code=result.code,
        message=result.message,
    )


def finish(tx: Tx, job: Job, item: JobItem, done: Done, *, kind: ItemRunner) -> Change | None:
    """A final state with its effect, the counters, the event and perhaps the job's end."""
    return finish_all(tx, [Over(job, item, done, kind)])[0]


def finish_all(tx: Tx, over: Sequence[Over]) -> list[Change | None]:
    """`finish` for many; None for an item that somebody else settled first."""
    # Nothing is made or removed in the name of an item that has moved.
    standing = job_items.standing(tx, [one.item for one in over if _goes_beyond_the_item(one.done)])
    finishes = [
        _finish(tx, one)
        for one in over
        if one.item.id in standing or not _goes_beyond_the_item(one.done)
    ]
    moved = job_items.change_all(tx, [move for move, _ in finishes])
    settled = {item.id: item for _, item in finishes if item.id in moved}
    tally = _Tally()
    for one in over:
        if one.item.id in moved:
            tally.add(one.job, one.done.state, one.kind)
            if one.job.counters.total <= ITEM_EVENTS_UP_TO:
                _tell_item(tx, one.job, one.item, one.done)
    ends = tally.count(tx)
    changes = []
    for one in reversed(over):  # a job ends with its last item
        item = settled.get(one.item.id)
        changes.append(None if item is None else Change(item, ends.pop(item.job_id, Aftermath())))
    return changes[::-1]


def _goes_beyond_the_item(done: Done) -> bool:
    return done.effect is not None or done.state is not ItemState.SUCCEEDED


def _finish(tx: Tx, one: Over) -> tuple[Move, JobItem]:
    """Carry the result's effect out; how the item changes, and what it will be."""
    job, item, done, kind = one
    target = item.target
    if done.effect is not None:
        made = done.effect(tx)
        target = made if made is not None else target
    if done.state is not ItemState.SUCCEEDED:
        target = kind.discard(tx, job, item)
    used = item.attempts_used + (1 if item.state is ItemState.IN_FLIGHT else 0)
    # The attempt gets no end of its own: the item says how its last one ended.
    move = _move(
        item,
        done.state,
        # A column that is set is an index that is written, even when its value stays.
        **({} if target == item.target else {"target": target}),
        **({"window_open": 0} if item.window_open else {}),
        attempts_used=used,
        code=done.code,
        message=None if done.message is None else done.message[:2000],
        retryable=done.retryable,
        response=None if done.response is None else to_json(done.response),
        response_status=done.response_status,
        executed_at=tx.now,
    )
    return move, item._replace(
        state=done.state,
        target=target,
        attempts_used=used,
        window_open=False,
        code=done.code,
        message=done.message,
        retryable=done.retryable,
        response=done.response,
        response_status=done.response_status,
        executed_at=from_micros(tx.now),
    )


def open_window(tx: Tx, job: Job, item: JobItem, result: Ambiguous) -> Change | None:
    """It may have happened: wait for evidence, and never send it again by itself."""
    until = tx.now + int(job.policy.evidence_window_s * 1e6)
    moved = _change(
        tx,
        item,
        ItemState.UNKNOWN,
        due_at=until,
        window_open=1,
        attempts_used=item.attempts_used + 1,
        code="outcome_unknown",
        message=result.message,
    )
    if not moved:
        return None
    job_items.end_attempt(tx, item, outcome="unknown", detail=result.message)
    return Change(
        item._replace(
            state=ItemState.UNKNOWN,
            epoch=None,
            window_open=True,
            due_at=from_micros(until),
            attempts_used=item.attempts_used + 1,
        )
    )


def close_window(tx: Tx, job: Job, item: JobItem, *, kind: ItemRunner) -> Change | None:
    """The evidence window is over: take what evidence there is, else unknown for good."""
    attempt = job_items.last_attempt(tx, item)
    found = None if attempt is None else kind.evidence(tx, job, item, attempt)
    if found is not None:
        return finish(tx, job, item, found, kind=kind)
    if not job_items.change(tx, Move(item, {"window_open": 0, "executed_at": tx.now})):
        return None
    counted = jobs.count_final(tx, job.id, ItemState.UNKNOWN)
    unknown = Done(ItemState.UNKNOWN, "outcome_unknown", item.message)
    if job.counters.total <= ITEM_EVENTS_UP_TO:
        _tell_item(tx, job, item, unknown)
    closed = item._replace(window_open=False, executed_at=from_micros(tx.now))
    return Change(closed, lifecycle.after_count(tx, job, counted, kind))


def look_for_evidence(tx: Tx, job: Job, item: JobItem, *, kind: ItemRunner) -> Change | None:
    """Settle an unknown item if rows committed since its intent show what happened."""
    attempt = job_items.last_attempt(tx, item)
    found = None if attempt is None else kind.evidence(tx, job, item, attempt)
    return None if found is None else finish(tx, job, item, found, kind=kind)


def late_answer(tx: Tx, job: Job, attempt: Row, done: Done, *, kind: ItemRunner) -> Change | None:
    """An answer after the wait: settles the item while it is open, else it is recorded.

    What the kind says has happened all the same is carried out then too.
    """
    item = job_items.get(tx, attempt["job_id"], attempt["seq"])
    # In flight: the wait is over, but its end is still on its way to the ledger.
    waiting_for_it = item.attempt == attempt["attempt"] and (
        item.window_open or item.state in _OPEN_TO_AN_ANSWER
    )
    job_items.record_late(tx, attempt["message_id"], done.response)
    if waiting_for_it:
        return finish(tx, job, item, done, kind=kind)
    if kind.late_effects and done.effect is not None:
        done.effect(tx)
    return None


# ---- waiting for stations --------------------------------------------------------------------


def wait_online(tx: Tx, item: JobItem, *, until: int) -> Change | None:
    """From ready to wait_online, to be judged again at `until` at the latest."""
    if not _change(tx, item, ItemState.WAIT_ONLINE, due_at=until):
        return None
    return Change(item._replace(state=ItemState.WAIT_ONLINE, due_at=from_micros(until)))


def judge_again(tx: Tx, item: JobItem) -> Change | None:
    """From wait_online to ready."""
    return _ready(tx, item, due_at=tx.now)


# ---- below -----------------------------------------------------------------------------------


def _give_up(
    tx: Tx, job: Job, item: JobItem, result: Retry | Ambiguous, *, kind: ItemRunner
) -> Change | None:
    """There is no further attempt: done if rows show that one of them worked, else failed."""
    uncertain = job_items.first_uncertain(tx, item, before=item.attempt + 1)
    shown = None if uncertain is None else kind.evidence(tx, job, item, uncertain)
    failed = Done(ItemState.ERROR, result.code, result.message, retryable=True)
    return finish(tx, job, item, shown or failed, kind=kind)


def _back(tx: Tx, item: JobItem) -> Change | None:
    job_items.end_attempt(tx, item, outcome="not_sent")
    return _ready(tx, item, due_at=tx.now)


def _stop_item(tx: Tx, item: JobItem, *, kind: ItemRunner) -> Change:
    """The item came back ready to a job that is stopping: cancelled as the others were."""
    job = jobs.get(tx, item.job_id)
    ended = lifecycle.cancel_waiting(tx, job, kind=kind)
    return Change(job_items.get(tx, item.job_id, item.seq), Aftermath(ended))


def _next_step(tx: Tx, item: JobItem, result: NextStep) -> Change | None:
    if result.effect is not None and not job_items.standing(tx, [item]):
        return None
    made = None if result.effect is None else result.effect(tx)
    if item.state is ItemState.IN_FLIGHT:
        job_items.end_attempt(tx, item, outcome="succeeded")
    change = _ready(
        tx,
        item,
        due_at=tx.now,
        step=result.step,
        target=item.target if made is None else made,
        attempts_used=0,
        code=None,
        message=None,
    )
    if change is None or result.effect is None:
        return change
    return Change(job_items.get(tx, item.job_id, item.seq))  # the effect may have changed its data


def _ready(tx: Tx, item: JobItem, *, due_at: int, **values: Any) -> Change | None:
    changed = item._replace(
        state=ItemState.READY,
        epoch=None,
        due_at=from_micros(due_at),
        **values,
    )
    moved = _change(tx, item, ItemState.READY, due_at=due_at, **values)
    return Change(changed) if moved else None


def _change(
    tx: Tx, item: JobItem, to_state: ItemState, *, epoch: int | None = None, **values: Any
) -> bool:
    return job_items.change(tx, _move(item, to_state, epoch=epoch, **values))


def _move(item: JobItem, to_state: ItemState, *, epoch: int | None = None, **values: Any) -> Move:
    if to_state not in LEGAL_ITEM_CHANGES[item.state]:
        raise AssertionError(f"illegal change {item.state.value} → {to_state.value}")
    return Move(item, {"state": to_state.value, "epoch": epoch, **values})


class _Tally:
    """Final states not counted yet: each job's row is written once for all of them."""

    def __init__(self) -> None:
        self._final: dict[tuple[int, ItemState], int] = {}
        self._jobs: dict[int, tuple[Job, ItemRunner]] = {}

    def add(self, job: Job, state: ItemState, kind: ItemRunner) -> None:
        """One more item of the job is final."""
        key = job.id, state
        self._final[key] = self._final.get(key, 0) + 1
        self._jobs[job.id] = job, kind

    def count(self, tx: Tx) -> dict[int, Aftermath]:
        """Write the counters; what became of each job by it."""
        counted = {
            job_id: jobs.count_final(tx, job_id, state, number)
            for (job_id, state), number in self._final.items()
        }
        return {
            job_id: lifecycle.after_count(tx, self._jobs[job_id][0], row, self._jobs[job_id][1])
            for job_id, row in counted.items()
        }


def _tell_item(tx: Tx, job: Job, item: JobItem, done: Done) -> None:
    if job.hidden and job.principal == SYSTEM.id:  # to tell of the telling would never end
        return
    tx.emit(
        Event(
            "item.settled",
            {
                "job": job.uuid,
                "seq": item.seq,
                "key": item.key,
                "state": done.state.value,
                "code": done.code,
                "response_status": done.response_status,
            },
            job_id=job.id,
            station_id=item.target,
            location_id=job.location_id,
        )
    )
