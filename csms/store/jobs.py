"""Table `jobs`: what was ordered, where it stands, and counters kept by increment."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from csms.clock import from_micros, to_micros
from csms.domain.jobs import (
    CLAIMING_JOB_STATES,
    COUNTER_OF,
    FINAL_JOB_STATES,
    AbortAction,
    Counters,
    Gate,
    ItemState,
    Job,
    JobError,
    JobState,
    Lane,
    OfflinePolicy,
    PauseReason,
    Policy,
    Submission,
    Wave,
)
from csms.errors import NotFound
from csms.store.columns import from_json, instant, micros, to_json
from csms.store.database import ReadTx, Row, Tx

_MADE = "jobs made"


def insert(tx: Tx, submission: Submission) -> Job:
    """A new job in state accepted, its counters counting the items as submitted."""
    finals = [item.state for item in submission.items if item.state in COUNTER_OF]
    counts = dict.fromkeys(COUNTER_OF.values(), 0)
    for state in finals:
        counts[COUNTER_OF[state]] += 1
    is_early = submission.not_before is not None and to_micros(submission.not_before) > tx.now
    row_id = tx.insert(
        "INSERT INTO jobs (uuid, kind, dialect, lane, state, hidden, principal, reach,"
        " location_id, params, policy, workflow_run_id, generation, total, open, settles,"
        " errored, skipped, not_before, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            str(uuids.uuid4()),
            submission.kind,
            submission.dialect,
            submission.lane.value,
            (JobState.SCHEDULED if is_early else JobState.ACCEPTED).value,
            submission.hidden,
            submission.principal,
            None if submission.reach is None else to_json(sorted(submission.reach)),
            submission.location_id,
            to_json(submission.params),
            to_json(asdict(submission.policy)),
            new_run_id(),
            submission.generation,
            len(submission.items),
            len(submission.items) - len(finals),
            len(finals),
            counts["errored"],
            counts["skipped"],
            micros(submission.not_before),
            tx.now,
            tx.now,
        ),
    )
    tx.memo.setdefault(_MADE, []).append(row_id)
    return get(tx, row_id)


def made(tx: Tx) -> list[int]:
    """The jobs that this unit of work has inserted; of a hidden one no event tells."""
    found: list[int] = tx.memo.get(_MADE, [])
    return found


def new_run_id() -> str:
    """A fresh workflow run id; each resume or retry has its own."""
    return f"wfr_{uuids.uuid4().hex[:20]}"


def get(tx: ReadTx, job_id: int) -> Job:
    """The job with this row id; raises NotFound."""
    row = tx.one("SELECT * FROM jobs WHERE id = ?", (job_id,))
    if row is None:
        raise NotFound("Job not found")
    return _job(row)


def state_of(tx: ReadTx, job_id: int) -> JobState:
    """Where the job stands now."""
    return JobState(tx.value("SELECT state FROM jobs WHERE id = ?", (job_id,)))


def list_claiming(tx: ReadTx, job_ids: Iterable[int]) -> set[int]:
    """Those of the jobs that start items now."""
    rows = tx.all(
        "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND state IN"
        " (SELECT value FROM json_each(?))",
        (to_json(list(job_ids)), to_json(sorted(CLAIMING_JOB_STATES))),
    )
    return {row["id"] for row in rows}


def find_by_uuid(tx: ReadTx, uuid: str) -> Job | None:
    """The job with this public id."""
    row = tx.one("SELECT * FROM jobs WHERE uuid = ?", (uuid,))
    return None if row is None else _job(row)


def list_live(tx: ReadTx) -> list[Job]:
    """Every job that is not finished, oldest first."""
    return [_job(row) for row in tx.all("SELECT * FROM jobs WHERE finished_at IS NULL ORDER BY id")]


def list_live_for(tx: ReadTx, station_id: int) -> list[Job]:
    """Those of them that are not done with the station."""
    rows = tx.all(
        "SELECT jobs.* FROM jobs JOIN job_items ON job_items.job_id = jobs.id"
        " AND job_items.target = ? WHERE jobs.finished_at IS NULL"
        " AND job_items.state IN ('held', 'ready', 'wait_online', 'in_flight') ORDER BY jobs.id",
        (station_id,),
    )
    return [_job(row) for row in rows]


def list_page(
    tx: ReadTx,
    *,
    limit: int,
    after_id: int | None = None,
    kind: str | None = None,
    dialect: str | None = None,
    states: Sequence[JobState] | None = None,
    principal: str | None = None,
    hidden: bool = False,
    offset: int = 0,
    oldest_first: bool = False,
) -> list[Job]:
    """Jobs, newest first; `principal` narrows to what one caller submitted."""
    where, params = _filter(
        kind=kind, dialect=dialect, states=states, principal=principal, hidden=hidden
    )
    if after_id is not None:
        where += f" AND id {'>' if oldest_first else '<'} ?"
        params = (*params, after_id)
    way = "ASC" if oldest_first else "DESC"
    rows = tx.all(
        f"SELECT * FROM jobs WHERE {where} ORDER BY id {way} LIMIT ? OFFSET ?",  # noqa: S608
        (*params, limit, offset),
    )
    return [_job(row) for row in rows]


def count(
    tx: ReadTx,
    *,
    kind: str | None = None,
    dialect: str | None = None,
    states: Sequence[JobState] | None = None,
    principal: str | None = None,
    hidden: bool = False,
) -> int:
    """How many jobs `list_page` would go through."""
    where, params = _filter(
        kind=kind, dialect=dialect, states=states, principal=principal, hidden=hidden
    )
    number: int = tx.value(f"SELECT count(*) FROM jobs WHERE {where}", params)  # noqa: S608
    return number


def open_items(tx: ReadTx) -> int:
    """Items of live jobs that are not final: the length of the queue."""
    number: int = tx.value("SELECT ifnull(sum(open), 0) FROM jobs WHERE finished_at IS NULL")
    return number


def change_state(
    tx: Tx,
    job_id: int,
    *,
    from_states: Iterable[JobState],
    to_state: JobState,
    pause_reason: PauseReason | None = None,
) -> bool:
    """Guarded change; stamps started_at and finished_at. False: somebody else was first."""
    known = [state.value for state in from_states]
    marks = ",".join("?" * len(known))
    final = to_state in FINAL_JOB_STATES
    return bool(
        tx.run(
            "UPDATE jobs SET state = ?, updated_at = ?, pause_reason = ?,"  # noqa: S608
            " started_at = CASE WHEN ? THEN ifnull(started_at, ?) ELSE started_at END,"
            " finished_at = CASE WHEN ? THEN ? ELSE NULL END"
            f" WHERE id = ? AND state IN ({marks})",
            (
                to_state.value,
                tx.now,
                None if pause_reason is None else pause_reason.value,
                to_state is JobState.RUNNING,
                tx.now,
                final,
                tx.now,
                job_id,
                *known,
            ),
        )
    )


def set_error(tx: Tx, job_id: int, error: JobError | None) -> None:
    """Why the job fails as a whole; the first cause stays."""
    tx.run(
        "UPDATE jobs SET error = ? WHERE id = ? AND (error IS NULL OR ? IS NULL)",
        (
            None if error is None else to_json(asdict(error)),
            job_id,
            None if error is None else error.code,
        ),
    )


def count_final(tx: Tx, job_id: int, state: ItemState, number: int = 1) -> Row:
    """`number` open items reached the final `state`; returns state, open and the failure counts."""
    column = COUNTER_OF[state]
    row = tx.one(
        f"UPDATE jobs SET open = open - ?, settles = settles + ?, {column} = {column} + ?,"  # noqa: S608
        " updated_at = ? WHERE id = ?"
        " RETURNING state, open, held, errored + unknown - forgiven_failed AS failed,"
        " settles - forgiven_settles AS settled",
        (number, number, number, tx.now, job_id),
    )
    assert row is not None
    return row


def count_reopened(tx: Tx, job_id: int, state: ItemState, number: int) -> None:
    """`number` items left the final `state` by an explicit retry."""
    column = COUNTER_OF[state]
    tx.run(
        f"UPDATE jobs SET open = open + ?, {column} = {column} - ?, updated_at = ? WHERE id = ?",  # noqa: S608
        (number, number, tx.now, job_id),
    )


def set_waves(tx: Tx, job_id: int, *, begins: Sequence[int], held: int) -> None:
    """Which items are in which wave; the first one is open."""
    tx.run(
        "UPDATE jobs SET wave = 1, wave_begins = ?, held = ? WHERE id = ?",
        (to_json(list(begins)), held, job_id),
    )


def count_released(tx: Tx, job_id: int, number: int) -> None:
    """The next wave is open, and `number` items with it."""
    tx.run("UPDATE jobs SET wave = wave + 1, held = held - ? WHERE id = ?", (number, job_id))


def hold_none(tx: Tx, job_id: int) -> None:
    """No item waits for a wave any more."""
    tx.run("UPDATE jobs SET held = 0 WHERE id = ?", (job_id,))


def forgive(tx: Tx, job_id: int) -> None:
    """What failed until now does not count for the abort threshold."""
    tx.run(
        "UPDATE jobs SET forgiven_failed = errored + unknown, forgiven_settles = settles"
        " WHERE id = ?",
        (job_id,),
    )


def begin_generation(tx: Tx, job_id: int) -> None:
    """An explicit retry: a new generation and a new run of the same job."""
    tx.run(
        "UPDATE jobs SET generation = generation + 1, workflow_run_id = ?, error = NULL,"
        " state = ?, finished_at = NULL, forgiven_failed = errored + unknown,"
        " forgiven_settles = settles, updated_at = ? WHERE id = ?",
        (new_run_id(), JobState.RUNNING.value, tx.now, job_id),
    )


def renew_runs(tx: Tx) -> None:
    """Each live job goes on under a new run id after a restart."""
    for row in tx.all("SELECT id FROM jobs WHERE finished_at IS NULL"):
        renew_run(tx, row["id"])


def renew_run(tx: Tx, job_id: int) -> None:
    """The job goes on under a new run id."""
    tx.run("UPDATE jobs SET workflow_run_id = ? WHERE id = ?", (new_run_id(), job_id))


def set_counters(tx: Tx, job_id: int, counters: Counters) -> None:
    """Overwrite the counters with what the rows say; for the check at start."""
    names = asdict(counters)
    assignments = ", ".join(f"{name} = ?" for name in names)
    tx.run(f"UPDATE jobs SET {assignments} WHERE id = ?", (*names.values(), job_id))  # noqa: S608


def delete(tx: Tx, job_id: int) -> None:
    """Forget a job with its items and their attempts."""
    tx.run("DELETE FROM jobs WHERE id = ?", (job_id,))


def delete_finished(tx: Tx, *, before: int, limit: int) -> int:
    """Forget jobs that ended before an instant, at most `limit`; their items go with them."""
    return tx.run(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < ? LIMIT ?)",
        (before, limit),
    )


def _filter(
    *,
    kind: str | None,
    dialect: str | None,
    states: Sequence[JobState] | None,
    principal: str | None,
    hidden: bool,
) -> tuple[str, tuple[Any, ...]]:
    where = "1" if hidden else "hidden = 0"
    params: tuple[Any, ...] = ()
    for column, value in (("kind", kind), ("dialect", dialect), ("principal", principal)):
        if value is not None:
            where += f" AND {column} = ?"
            params = (*params, value)
    if states is not None:
        where += " AND state IN (SELECT value FROM json_each(?))"
        params = (*params, to_json(states))
    return where, params


def _policy(text: str) -> Policy:
    values = from_json(text)
    action = values["abort_action"]
    return replace(
        Policy(**values),
        offline=OfflinePolicy(values["offline"]),
        abort_action=None if action is None else AbortAction(action),
        waves=tuple(Wave(**wave) for wave in values["waves"]),
        gate=Gate(values["gate"]),
    )


def _job(row: Row) -> Job:
    error = from_json(row["error"])
    reach = from_json(row["reach"])
    return Job(
        id=row["id"],
        uuid=row["uuid"],
        kind=row["kind"],
        dialect=row["dialect"],
        lane=Lane(row["lane"]),
        state=JobState(row["state"]),
        hidden=bool(row["hidden"]),
        principal=row["principal"],
        reach=None if reach is None else frozenset(reach),
        location_id=row["location_id"],
        params=from_json(row["params"]),
        policy=_policy(row["policy"]),
        workflow_run_id=row["workflow_run_id"],
        generation=row["generation"],
        counters=Counters(
            total=row["total"],
            open=row["open"],
            held=row["held"],
            succeeded=row["succeeded"],
            rejected=row["rejected"],
            errored=row["errored"],
            unknown=row["unknown"],
            offline=row["offline"],
            expired=row["expired"],
            cancelled=row["cancelled"],
            skipped=row["skipped"],
        ),
        error=None if error is None else JobError(**error),
        pause_reason=None if row["pause_reason"] is None else PauseReason(row["pause_reason"]),
        wave=row["wave"],
        wave_begins=tuple(from_json(row["wave_begins"])),
        not_before=instant(row["not_before"]),
        created_at=from_micros(row["created_at"]),
        started_at=instant(row["started_at"]),
        finished_at=instant(row["finished_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
