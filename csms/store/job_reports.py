"""What a poll of a job shows: its items beside the stations they are about, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from csms.store.database import ReadTx

# Plain tuples of just what is shown, because a poll has ten thousand: every column costs 1 ms, to
# make them NamedTuples 3.
RunRow = tuple[
    str,  # key
    str,  # state
    int,  # window open
    str | None,  # message
    int,  # attempts
    str | None,  # response: JSON as stored
    str | None,  # response status
    int | None,  # executed at: microseconds UTC
    str | None,  # uuid of the station
    str | None,  # its identity
    str | None,  # its name
    int | None,  # row id of its location
]
CreateRow = tuple[
    str,  # key
    str,  # state
    str | None,  # code
    str | None,  # message
    int,  # retryable
    int,  # attempts
    str | None,  # uuid of the station
]
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Columns(Generic[R]):
    """Which columns of `job_items` beside `stations` make such a row."""

    sql: str


RUN: Columns[RunRow] = Columns(
    "key, state, window_open, message, attempts_used, response, response_status, executed_at,"
    " stations.uuid, identity, name, location_id"
)
CREATE: Columns[CreateRow] = Columns(
    "key, state, code, message, retryable, attempts_used, stations.uuid"
)
# Deleted stations stay joined: what was done to them stays done.
_FROM = " FROM job_items LEFT JOIN stations ON stations.id = target WHERE job_id = ?"


def version(tx: ReadTx, job_id: int) -> str:
    """Another text whenever a row of `list_rows` is another; a fifth of the work of reading them.

    Within a generation of a job items only move on: a change of one changes a sum here, or one of
    the job's own counters, which are not counted again.
    """
    row = tx.one(
        "SELECT sum(state = 'wait_online'), sum(state = 'in_flight'), sum(window_open),"
        " sum(attempt), sum(attempts_used), sum(length(response)), sum(executed_at % 1000000007),"
        " count(stations.id), max(stations.updated_at)"
        " FROM job_items LEFT JOIN stations ON stations.id = target WHERE job_id = ?",
        (job_id,),
    )
    return "/".join("" if value is None else str(value) for value in row or ())


def list_rows(tx: ReadTx, job_id: int, columns: Columns[R]) -> list[R]:
    """Every item of the job, in order."""
    rows: list[R] = tx.tuples(f"SELECT {columns.sql}{_FROM} ORDER BY seq", (job_id,))
    return rows


def list_failed_rows(tx: ReadTx, job_id: int, columns: Columns[R]) -> list[R]:
    """The items that ended in anything but success, in order."""
    rows: list[R] = tx.tuples(
        f"SELECT {columns.sql}{_FROM}"
        # The condition of the index job_items_failed, word for word.
        " AND state <> 'held' AND state <> 'ready' AND state <> 'wait_online'"
        " AND state <> 'in_flight' AND state <> 'succeeded'"
        " ORDER BY seq",
        (job_id,),
    )
    return rows
