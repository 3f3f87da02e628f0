"""Tables `job_items` and `job_attempts`: every item, and every attempt at it.

Every change of a live item is one guarded statement; a row count of 0 means somebody else won.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from csms.clock import from_micros
from csms.domain.jobs import Counters, ItemState, JobItem, NewItem
from csms.errors import NotFound
from csms.store.columns import from_json, instant, to_json
from csms.store.database import ReadTx, Row, Tx

# What fences off a writer that knows an older state of things.
_AS_READ = (
    "job_id = ? AND state = ? AND attempt = ? AND epoch IS ? AND step IS ?"
    " AND seq IN (SELECT value FROM json_each(?))"
)
_WAITING = ("held", "ready", "wait_online")
_STATES = {state.value: state for state in ItemState}
_SELECT = f"SELECT {', '.join(JobItem._fields)} FROM job_items"  # noqa: S608 - names are ours


class Move(NamedTuple):
    """An item as it was read, and the columns that change."""

    item: JobItem
    values: dict[str, Any]


def insert_many(
    tx: Tx, job_id: int, items: Iterable[NewItem], *, due_at: int, deadline_at: int | None
) -> None:
    """The job's items, numbered from 0 in order."""
    tx.many(
        "INSERT INTO job_items (job_id, seq, key, target, state, step, data, due_at, deadline_at,"
        " code, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                job_id,
                seq,
                item.key,
                item.target,
                item.state.value,
                item.step,
                to_json(item.data),
                due_at,
                deadline_at,
                item.code,
                item.message,
            )
            for seq, item in enumerate(items)
        ),
    )


def get(tx: ReadTx, job_id: int, seq: int) -> JobItem:
    """One item; raises NotFound."""
    row = tx.one(f"{_SELECT} WHERE job_id = ? AND seq = ?", (job_id, seq))
    if row is None:
        raise NotFound("Item not found")
    return _item(row)


def list_page(
    tx: ReadTx,
    job_id: int,
    *,
    after_seq: int = -1,
    limit: int = -1,
    states: Sequence[ItemState] | None = None,
    code: str | None = None,
) -> list[JobItem]:
    """Items in order; `limit` -1 means all."""
    where = ""
    params: tuple[str, ...] = ()
    if states is not None:
        where = f" AND state IN ({','.join('?' * len(states))})"
        params = tuple(state.value for state in states)
    if code is not None:
        where += " AND code = ?"
        params = (*params, code)
    rows = tx.all(
        f"{_SELECT} WHERE job_id = ? AND seq > ?{where} ORDER BY seq LIMIT ?",
        (job_id, after_seq, *params, limit),
    )
    return [_item(row) for row in rows]


def list_ready(tx: ReadTx, job_id: int, *, now: int, limit: int) -> list[JobItem]:
    """Runnable items, longest due first."""
    rows = tx.all(
        f"{_SELECT} WHERE job_id = ? AND state = 'ready' AND due_at <= ?"
        " ORDER BY due_at, seq LIMIT ?",
        (job_id, now, limit),
    )
    return [_item(row) for row in rows]


def list_waits_over(tx: ReadTx, job_id: int, *, now: int, limit: int) -> list[JobItem]:
    """Items whose wait for their station must be judged now."""
    rows = tx.all(
        f"{_SELECT} WHERE job_id = ? AND state = 'wait_online' AND due_at <= ? LIMIT ?",
        (job_id, now, limit),
    )
    return [_item(row) for row in rows]


def list_windows_over(tx: ReadTx, job_id: int, *, now: int, limit: int) -> list[JobItem]:
    """Unknown items whose evidence window closes now."""
    rows = tx.all(
        f"{_SELECT} WHERE job_id = ? AND window_open = 1 AND due_at <= ? LIMIT ?",
        (job_id, now, limit),
    )
    return [_item(row) for row in rows]


def list_open_windows(tx: ReadTx, job_id: int) -> list[JobItem]:
    """Unknown items that evidence can still settle."""
    rows = tx.all(f"{_SELECT} WHERE job_id = ? AND window_open = 1", (job_id,))
    return [_item(row) for row in rows]


def next_due(tx: ReadTx, job_id: int, *, after: int) -> int | None:
    """When the job's next item becomes due, microseconds."""
    dues = [
        tx.value(
            f"SELECT min(due_at) FROM job_items WHERE job_id = ? AND due_at > ? AND {condition}",  # noqa: S608
            (job_id, after),
        )
        for condition in ("state = 'ready'", "state = 'wait_online'", "window_open = 1")
    ]
    return min((due for due in dues if due is not None), default=None)


def list_in_flight(tx: ReadTx, *, before_epoch: int) -> list[JobItem]:
    """What was in flight when an earlier life ended."""
    rows = tx.all(f"{_SELECT} WHERE state = 'in_flight' AND epoch < ?", (before_epoch,))
    return [_item(row) for row in rows]


def list_waiting_targets(tx: ReadTx) -> list[int]:
    """Stations that an item waits for."""
    return [
        row["target"]
        for row in tx.all(
            "SELECT DISTINCT target FROM job_items WHERE state = 'wait_online' AND target NOT NULL"
        )
    ]


def list_registered(tx: ReadTx, job_id: int, *, states: Sequence[ItemState]) -> list[JobItem]:
    """Items in one of `states` that already have a station."""
    rows = tx.all(
        f"{_SELECT} WHERE job_id = ? AND target NOT NULL"
        f" AND state IN ({','.join('?' * len(states))})",
        (job_id, *(state.value for state in states)),
    )
    return [_item(row) for row in rows]


def wake_waiting(tx: Tx, target: int) -> list[int]:
    """The station came or went: its waiting items are judged again. Returns the jobs' ids."""
    jobs = [
        row["job_id"]
        for row in tx.all(
            "SELECT job_id FROM job_items WHERE target = ? AND state = 'wait_online'", (target,)
        )
    ]
    if jobs:
        tx.run(
            "UPDATE job_items SET state = 'ready', due_at = ? WHERE target = ?"
            " AND state = 'wait_online'",
            (tx.now, target),
        )
    return jobs


def change_all(tx: Tx, moves: Iterable[Move]) -> set[tuple[int, int]]:
    """Items as they were read → as they become; returns the ids of those that had not moved."""
    # A statement for all that say the same: the writer's thread gives the interpreter away at each
    # one, and a command to a thousand stations would wait for a thousand of them.
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for item, values in moves:
        alike[_as_read(item), tuple(values.items())].append(item.seq)
    moved = set()
    for (as_read, values), seqs in alike.items():
        assignments = ", ".join([f"{name} = ?" for name, _ in values])
        rows = tx.all(
            f"UPDATE job_items SET {assignments} WHERE {_AS_READ} RETURNING job_id, seq",  # noqa: S608 - names are ours
            (*[value for _, value in values], *as_read, to_json(seqs)),
        )
        moved.update([(job_id, seq) for job_id, seq in rows])
    return moved


def change(tx: Tx, move: Move) -> bool:
    """`change_all` for one. False: it moved meanwhile."""
    return bool(change_all(tx, [move]))


def standing(tx: ReadTx, items: Iterable[JobItem]) -> set[tuple[int, int]]:
    """The ids of those that are still as they were read, so that a change would find them."""
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for item in items:
        alike[_as_read(item)].append(item.seq)
    return {
        (job_id, seq)
        for as_read, seqs in alike.items()
        for job_id, seq in tx.all(
            f"SELECT job_id, seq FROM job_items WHERE {_AS_READ}",  # noqa: S608
            (*as_read, to_json(seqs)),
        )
    }


def cancel_waiting(tx: Tx, job_id: int, *, code: str, message: str) -> int:
    """Everything not in flight and not final → cancelled, in one statement."""
    return tx.run(
        "UPDATE job_items SET state = 'cancelled', code = ?, message = ?, executed_at = ?"
        " WHERE job_id = ? AND state IN ('held', 'ready', 'wait_online')",
        (code, message, tx.now, job_id),
    )


def fail_begun(tx: Tx, job_id: int, *, code: str, message: str) -> int:
    """What waits and was tried, or done in part → error: cancelled would say that nothing was."""
    return tx.run(
        "UPDATE job_items SET state = 'error', executed_at = ?, retryable = 1,"
        " code = CASE WHEN step NOT NULL THEN 'partly_done' ELSE ? END,"
        " message = ? || CASE WHEN step NOT NULL THEN ', and a part was done before'"
        " ELSE ', and an earlier attempt was not answered' END"
        " WHERE job_id = ? AND state IN ('ready', 'wait_online')"
        " AND (step NOT NULL OR attempts_used > 0 OR interruptions > 0)",
        (tx.now, code, message, job_id),
    )


def reopen(
    tx: Tx, job_id: int, state: ItemState, *, deadline_at: int | None, step: str | None
) -> int:
    """Final items in `state` → ready, as if never tried; returns how many."""
    # What the item says of its last attempt is about to go; the attempt keeps it.
    tx.run(
        "UPDATE job_attempts SET ended_at = ?, outcome = ?, detail = (SELECT i.message"
        " FROM job_items i WHERE i.job_id = job_attempts.job_id AND i.seq = job_attempts.seq)"
        " WHERE job_id = ? AND ended_at IS NULL AND EXISTS (SELECT 1 FROM job_items i"
        " WHERE i.job_id = job_attempts.job_id AND i.seq = job_attempts.seq"
        " AND i.attempt = job_attempts.attempt AND i.state = ?)",
        (tx.now, state.value, job_id, state.value),
    )
    return tx.run(
        "UPDATE job_items SET state = 'ready', step = ?, attempts_used = 0, interruptions = 0,"
        " interrupted_settles = NULL, due_at = ?, deadline_at = ?, code = NULL, message = NULL,"
        " retryable = 0, response = NULL, response_status = NULL, executed_at = NULL, epoch = NULL"
        " WHERE job_id = ? AND state = ? AND window_open = 0",
        (step, tx.now, deadline_at, job_id, state.value),
    )


def update_data(tx: Tx, item: JobItem, data: dict[str, Any]) -> None:
    """What the item's next step goes on from."""
    tx.run(
        "UPDATE job_items SET data = ? WHERE job_id = ? AND seq = ?",
        (to_json(data), item.job_id, item.seq),
    )


def settles_at_interruption(tx: ReadTx, item: JobItem) -> tuple[int, int | None]:
    """(how often items of the job settled so far, the same when this item was last interrupted)."""
    row = tx.one(
        "SELECT j.settles, i.interrupted_settles FROM job_items i JOIN jobs j ON j.id = i.job_id"
        " WHERE i.job_id = ? AND i.seq = ?",
        (item.job_id, item.seq),
    )
    assert row is not None
    return row["settles"], row["interrupted_settles"]


def list_jobs_with_open_windows(tx: ReadTx) -> list[int]:
    """Ids of the jobs that have an unknown item which evidence can still settle."""
    rows = tx.all("SELECT DISTINCT job_id FROM job_items WHERE window_open = 1")
    return [row["job_id"] for row in rows]


def extend_windows(tx: Tx, job_id: int, *, until: int) -> None:
    """Every open evidence window of the job closes at `until` at the earliest."""
    tx.run(
        "UPDATE job_items SET due_at = max(due_at, ?) WHERE job_id = ? AND window_open = 1",
        (until, job_id),
    )


def detach_station(tx: Tx, job_id: int, seq: int) -> None:
    """The item's station is gone again."""
    tx.run("UPDATE job_items SET target = NULL WHERE job_id = ? AND seq = ?", (job_id, seq))


def count_rows(tx: ReadTx, job_id: int) -> Counters:
    """What the rows say, to compare with the counters."""
    rows = tx.all(
        "SELECT state, window_open, count(*) AS number FROM job_items WHERE job_id = ?"
        " GROUP BY state, window_open",
        (job_id,),
    )
    return _counters({(row["state"], row["window_open"]): row["number"] for row in rows})


def count_live_rows(tx: ReadTx) -> dict[int, Counters]:
    """The same for every job that is not finished."""
    rows = tx.all(
        "SELECT job_id, state, window_open, count(*) AS number FROM job_items"
        " WHERE job_id IN (SELECT id FROM jobs WHERE finished_at IS NULL)"
        " GROUP BY job_id, state, window_open"
    )
    counts: defaultdict[int, dict[tuple[str, int], int]] = defaultdict(dict)
    for row in rows:
        counts[row["job_id"]][row["state"], row["window_open"]] = row["number"]
    return {job_id: _counters(numbers) for job_id, numbers in counts.items()}


def _counters(counts: Mapping[tuple[str, int], int]) -> Counters:
    live = sum(counts.get((state, 0), 0) for state in (*_WAITING, "in_flight"))
    return Counters(
        total=sum(counts.values()),
        open=live + counts.get(("unknown", 1), 0),
        held=counts.get(("held", 0), 0),
        succeeded=counts.get(("succeeded", 0), 0),
        rejected=counts.get(("rejected", 0), 0),
        errored=counts.get(("error", 0), 0),
        unknown=counts.get(("unknown", 0), 0),
        offline=counts.get(("offline", 0), 0),
        expired=counts.get(("expired", 0), 0),
        cancelled=counts.get(("cancelled", 0), 0),
        skipped=counts.get(("skipped_forbidden", 0), 0),
    )


def count_in_progress(tx: ReadTx, job_id: int) -> tuple[int, int]:
    """(in flight, waiting for a retry) of one job."""
    row = tx.one(
        "SELECT ifnull(sum(state = 'in_flight'), 0) AS flying,"
        " ifnull(sum(state = 'ready' AND attempts_used > 0), 0) AS retrying"
        " FROM job_items WHERE job_id = ?"
        " AND state IN ('in_flight', 'ready')",
        (job_id,),
    )
    assert row is not None
    return row["flying"], row["retrying"]


# ---- attempts --------------------------------------------------------------------------------


class NewAttempt(NamedTuple):
    """One attempt, in the order of the columns."""

    job_id: int
    seq: int
    job_generation: int
    attempt: int
    step: str | None
    epoch: int
    message_id: str | None
    connection_generation: int | None
    version: str | None


def insert_attempts(tx: Tx, attempts: Sequence[NewAttempt]) -> None:
    """The intents: from here on the attempts may have had an effect."""
    tx.run(
        "INSERT INTO job_attempts (job_id, seq, job_generation, attempt, step, epoch, message_id,"
        " connection_generation, version, intent_at) SELECT value ->> 0, value ->> 1,"
        " value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,"
        " value ->> 8, ? FROM json_each(?)",
        (tx.now, to_json([tuple(attempt) for attempt in attempts])),
    )


def end_attempt(tx: Tx, item: JobItem, *, outcome: str, detail: str | None = None) -> None:
    """How the newest attempt ended, as far as we know."""
    tx.run(
        "UPDATE job_attempts SET ended_at = ?, outcome = ?, detail = ?"
        " WHERE job_id = ? AND seq = ? AND attempt = ? AND ended_at IS NULL",
        (tx.now, outcome, detail, item.job_id, item.seq, item.attempt),
    )


def find_attempt(tx: ReadTx, message_id: str) -> Row | None:
    """The attempt a message id belongs to."""
    return tx.one("SELECT * FROM job_attempts WHERE message_id = ?", (message_id,))


def last_attempt(tx: ReadTx, item: JobItem) -> Row | None:
    """The newest attempt at an item."""
    return tx.one(
        "SELECT * FROM job_attempts WHERE job_id = ? AND seq = ? AND attempt = ?",
        (item.job_id, item.seq, item.attempt),
    )


def first_uncertain(tx: ReadTx, item: JobItem, *, before: int) -> Row | None:
    """The earliest attempt at this step, in any generation, that may have run for all we know."""
    return tx.one(
        "SELECT * FROM job_attempts WHERE job_id = ? AND seq = ? AND attempt < ? AND step IS ?"
        " AND outcome IN ('ambiguous', 'interrupted', 'unknown') ORDER BY attempt LIMIT 1",
        (item.job_id, item.seq, before, item.step),
    )


def record_late(tx: Tx, message_id: str, response: Any) -> None:
    """An answer that came when nobody waited any more."""
    tx.run(
        "UPDATE job_attempts SET late_response = ?, late_at = ? WHERE message_id = ?",
        (to_json(response), tx.now, message_id),
    )


def delete_attempts(tx: Tx, *, before: int) -> int:
    """Forget the attempts of one job that ended before an instant; returns how many."""
    job_id = tx.value(
        "SELECT id FROM jobs WHERE finished_at < ?"
        " AND EXISTS (SELECT 1 FROM job_attempts WHERE job_id = jobs.id) LIMIT 1",
        (before,),
    )
    return tx.run("DELETE FROM job_attempts WHERE job_id = ?", (job_id,))


def _as_read(item: JobItem) -> tuple[Any, ...]:
    return item.job_id, item.state.value, item.attempt, item.epoch, item.step


def _item(row: Row) -> JobItem:
    (
        job_id,
        seq,
        key,
        target,
        state,
        step,
        attempt,
        attempts_used,
        interruptions,
        epoch,
        data,
        due_at,
        deadline_at,
        window_open,
        code,
        message,
        retryable,
        response,
        response_status,
        executed_at,
    ) = row
    return JobItem(
        job_id,
        seq,
        key,
        target,
        _STATES[state],
        step,
        attempt,
        attempts_used,
        interruptions,
        epoch,
        from_json(data),
        from_micros(due_at),
        instant(deadline_at),
        bool(window_open),
        code,
        message,
        bool(retryable),
        from_json(response),
        response_status,
        instant(executed_at),
    )
