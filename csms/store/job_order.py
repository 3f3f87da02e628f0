"""Table `job_items`: which items may run when, by waves and by the locations of their stations."""

from __future__ import annotations

from collections.abc import Iterable

from csms.domain.jobs import JobItem
from csms.store.columns import to_json
from csms.store.database import ReadTx, Tx


def list_ready_seqs(tx: ReadTx, job_id: int) -> list[int]:
    """The numbers of the runnable items, due or not, in order."""
    rows = tx.all(
        "SELECT seq FROM job_items WHERE job_id = ? AND state = 'ready' ORDER BY seq", (job_id,)
    )
    return [row["seq"] for row in rows]


def hold(tx: Tx, job_id: int, *, from_seq: int) -> int:
    """Items of later waves → held, when their job is accepted or retried; how many."""
    return tx.run(
        "UPDATE job_items SET state = 'held' WHERE job_id = ? AND seq >= ? AND state = 'ready'",
        (job_id, from_seq),
    )


def release(tx: Tx, job_id: int, *, from_seq: int, to_seq: int | None) -> int:
    """Held items of one wave, up to where the next one begins → ready; how many."""
    return tx.run(
        "UPDATE job_items SET state = 'ready' WHERE job_id = ? AND seq >= ? AND seq < ?"
        " AND state = 'held'",
        (job_id, from_seq, 2**62 if to_seq is None else to_seq),
    )


def mix_locations(tx: Tx, job_id: int) -> None:
    """Runnable items take turns by location: the second of each comes after the first of all."""
    tx.run(
        "UPDATE job_items SET due_at = due_at + turns.earlier FROM ("
        " SELECT i.seq, row_number() OVER (PARTITION BY s.location_id ORDER BY i.seq) - 1"
        " AS earlier FROM job_items i JOIN stations s ON s.id = i.target"
        " WHERE i.job_id = ? AND i.state IN ('ready', 'held')"
        " AND s.location_id NOT NULL) AS turns"
        " WHERE job_items.job_id = ? AND job_items.seq = turns.seq",
        (job_id, job_id),
    )


def find_locations(tx: ReadTx, items: Iterable[JobItem]) -> dict[int, int]:
    """Where their stations are, by the station's row id; one without a location is left out."""
    rows = tx.all(
        "SELECT id, location_id FROM stations WHERE location_id NOT NULL"
        " AND id IN (SELECT value FROM json_each(?))",
        (to_json([item.target for item in items if item.target is not None]),),
    )
    return {row["id"]: row["location_id"] for row in rows}
