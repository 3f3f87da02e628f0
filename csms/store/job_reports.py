"""What a poll of a job shows: its items beside the stations they are about, in one statement."""

from __future__ import annotations

from typing import NamedTuple

from csms.store.database import ReadTx


class ReportRow(NamedTuple):
    """One item, lean: a poll writes ten thousand of them."""

    key: str
    state: str
    window_open: int
    code: str | None
    message: str | None
    retryable: int
    attempts: int
    response: str | None
    """JSON as stored."""
    response_status: str | None
    executed_at: int | None
    """Microseconds UTC."""
    station_uuid: str | None
    identity: str | None
    name: str | None
    location_id: int | None


_COLUMNS = (
    "SELECT key, state, window_open, code, message, retryable, attempts_used, response,"
    " response_status, executed_at, stations.uuid, identity, name, location_id"
    # Deleted stations stay joined: what was done to them stays done.
    " FROM job_items LEFT JOIN stations ON stations.id = target WHERE job_id = ?"
)


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


def list_rows(tx: ReadTx, job_id: int) -> list[ReportRow]:
    """Every item of the job, in order."""
    return [ReportRow._make(row) for row in tx.tuples(f"{_COLUMNS} ORDER BY seq", (job_id,))]


def list_failed_rows(tx: ReadTx, job_id: int) -> list[ReportRow]:
    """The items that ended in anything but success, in order."""
    rows = tx.tuples(
        # The condition of the index job_items_failed, word for word.
        f"{_COLUMNS} AND state <> 'held' AND state <> 'ready' AND state <> 'wait_online'"
        " AND state <> 'in_flight' AND state <> 'succeeded'"
        " ORDER BY seq",
        (job_id,),
    )
    return [ReportRow._make(row) for row in rows]
