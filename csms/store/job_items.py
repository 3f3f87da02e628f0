"""Tables `job_items` and `job_attempts`: every item, and every attempt at it.

Every change of a live item is one guarded statement; a row count of 0 means somebody else won.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from csms.clock import from_micros
from csms.domain.jobs import Counters, ItemState, JobItem, NewItem
from csms.errors import NotFound
from csms.store.columns import from_json, instant, to_json
from csms.store.database import ReadTx, Row, Tx

# What fences off a writer that knows an older state of things.
_AS_READ = "job_id = ? AND seq = ? AND state = ? AND attempt = ? AND epoch IS ? AND step IS ?"
_WAITING = ("held", "ready", "wait_online")


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
    row = tx.one("SELECT * FROM job_items WHERE job_id = ? AND seq = ?", (job_id, seq))
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
) -> list[JobItem]:
    """Items in order; `limit` -1 means all."""
    where = ""
    params: tuple[str, ...] = ()
    if states is not None:
        where = f" AND state IN ({','.join('?' * len(states))})"
        params = tuple(state.value for state in states)
    rows = tx.all(
        f"SELECT * FROM job_items WHERE job_id = ? AND seq > ?{where} ORDER BY seq LIMIT ?",  # noqa: S608
        (job_id, after_seq, *params, limit),
    )
    return [_item(row) for row in rows]


def list_ready(tx: ReadTx, job_id: int, *, now: int, limit: int) -> list[JobItem]:
    """Runnable items, longest due first."""
    rows = tx.all(
        "SELECT * FROM job_items WHERE job_id = ? AND state = 'ready' AND due_at <= ?"
        " ORDER BY due_at, seq LIMIT ?",
        (job_id, now, limit),
    )
    return [_item(row) for row in rows]


def list_waits_over(tx: ReadTx, job_id: int, *, now: int, limit: int) -> list[JobItem]:
    """Items whose wait for their station must be judged now."""
    rows = tx.all(
        "SELECT * FROM job_items WHERE job_id = ? AND state = 'wait_online' AND due_at <= ?"
        " LIMIT ?",
        (job_id, now, limit),
    )
    return [_item(row) for row in rows]


def list_windows_over(tx: ReadTx, job_id: int, *, now: int, limit: int) -> list[JobItem]:
    """Unknown items whose evidence window closes now."""
    rows = tx.all(
        "SELECT * FROM job_items WHERE job_id = ? AND window_open = 1 AND due_at <= ? LIMIT ?",
        (job_id, now, limit),
    )
    return [_item(row) for row in rows]


def list_open_windows(tx: ReadTx, job_id: int) -> list[JobItem]:
    """Unknown items that evidence can still settle."""
    rows = tx.all("SELECT * FROM job_items WHERE job_id = ? AND window_open = 1", (job_id,))
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
    rows = tx.all(
        "SELECT * FROM job_items WHERE state = 'in_flight' AND epoch < ?", (before_epoch,)
    )
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
        f"SELECT * FROM job_items WHERE job_id = ? AND target NOT NULL"  # noqa: S608
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


def change(
    tx: Tx, item: JobItem, *, to_state: ItemState, epoch: int | None = None, **values: Any
) -> bool:
    """`item` as it was read → `to_state`, with further columns. False: it moved meanwhile."""
    assignments = "".join([f", {name} = ?" for name in values])
    return bool(
        tx.run(
            f"UPDATE job_items SET state = ?, epoch = ?{assignments}"  # noqa: S608 - names are ours
            f" WHERE {_AS_READ}",
            (to_state.value, epoch, *values.values(), *_as_read(item)),
        )
    )


def stands(tx: ReadTx, item: JobItem) -> bool:
    """Whether `item` is still as it was read, so that `change` would change it."""
    return tx.value(f"SELECT 1 FROM job_items WHERE {_AS_READ}", _as_read(item)) is not None  # noqa: S608


def cancel_waiting(tx: Tx, job_id: int, *, code: str, message: str) -> int:
    """Everything not in flight and not final → cancelled, in one statement."""
    return tx.run(
        "UPDATE job_items SET state = 'cancelled', code = ?, message = ?, executed_at = ?"
        " WHERE job_id = ? AND state IN ('held', 'ready', 'wait_online')",
        (code, message, tx.now, job_id),
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


def insert_attempt(
    tx: Tx,
    item: JobItem,
    *,
    generation: int,
    epoch: int,
    message_id: str | None,
    connection_generation: int | None,
) -> None:
    """The intent: from here on the attempt may have had an effect."""
    tx.run(
        "INSERT INTO job_attempts (job_id, seq, job_generation, attempt, step, epoch, message_id,"
        " connection_generation, intent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item.job_id,
            item.seq,
            generation,
            item.attempt,
            item.step,
            epoch,
            message_id,
            connection_generation,
            tx.now,
        ),
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
    return (item.job_id, item.seq, item.state.value, item.attempt, item.epoch, item.step)


def _item(row: Row) -> JobItem:
    return JobItem(
        job_id=row["job_id"],
        seq=row["seq"],
        key=row["key"],
        target=row["target"],
        state=ItemState(row["state"]),
        step=row["step"],
        attempt=row["attempt"],
        attempts_used=row["attempts_used"],
        interruptions=row["interruptions"],
        epoch=row["epoch"],
        data=from_json(row["data"]),
        due_at=from_micros(row["due_at"]),
        deadline_at=instant(row["deadline_at"]),
        window_open=bool(row["window_open"]),
        code=row["code"],
        message=row["message"],
        retryable=bool(row["retryable"]),
        response=from_json(row["response"]),
        response_status=row["response_status"],
        executed_at=instant(row["executed_at"]),
    )
