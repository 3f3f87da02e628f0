"""Table `config_assignments`: which station is to get a config template, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable

from csms.clock import from_micros
from csms.domain.config_templates import Assignment, Progress
from csms.store.columns import to_json
from csms.store.database import ReadTx, Row, Tx

# A job that is cancelled is over without a word.
_IS_TOLD = "EXISTS (SELECT 1 FROM jobs j WHERE j.id = a.job_id AND j.finished_at IS NULL)"
_ASSIGNED = (
    "SELECT a.*, t.uuid AS template_uuid, t.name AS template_name,"  # noqa: S608 - a constant
    f" CASE WHEN a.progress = 'running' AND NOT {_IS_TOLD} THEN 'pending' ELSE a.progress END"
    " AS shown"
    " FROM config_assignments a JOIN templates t ON t.id = a.template_id"
)


def count_waiting(tx: ReadTx, template_id: int) -> int:
    """How many stations are still to get it."""
    number: int = tx.value(
        "SELECT count(*) FROM config_assignments a JOIN stations s ON s.id = a.station_id"
        " WHERE template_id = ? AND progress IN ('pending', 'running') AND s.deleted_at IS NULL",
        (template_id,),
    )
    return number


def upsert(tx: Tx, station_id: int, template_id: int) -> None:
    """After its next accepted boot, whatever was before."""
    tx.run(
        "INSERT OR REPLACE INTO config_assignments (station_id, template_id, progress, rounds,"
        " booted, job_id, changed_at) VALUES (?, ?, 'pending', 0, 0, NULL, ?)",
        (station_id, template_id, tx.now),
    )


def delete(tx: Tx, station_id: int) -> None:
    """It gets none."""
    tx.run("DELETE FROM config_assignments WHERE station_id = ?", (station_id,))


def find(tx: ReadTx, station_id: int) -> Assignment | None:
    """What a station was given, if anything."""
    return list_of_stations(tx, [station_id]).get(station_id)


def list_of_stations(tx: ReadTx, station_ids: Iterable[int]) -> dict[int, Assignment]:
    """What these were given; without those that were given nothing."""
    rows = tx.all(
        f"{_ASSIGNED} WHERE station_id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (to_json(list(station_ids)),),
    )
    return {row["station_id"]: _assignment(row) for row in rows}


def list_due(tx: ReadTx, *, after_station_id: int, limit: int) -> list[Assignment]:
    """Of stations that have booted, and that no job tells; in order of the stations."""
    rows = tx.all(
        f"{_ASSIGNED} JOIN stations s ON s.id = a.station_id"
        " WHERE a.booted = 1 AND a.progress IN ('pending', 'running') AND s.deleted_at IS NULL"
        f" AND NOT {_IS_TOLD} AND a.station_id > ? ORDER BY a.station_id LIMIT ?",
        (after_station_id, limit),
    )
    return [_assignment(row) for row in rows]


def update_booted(tx: Tx, station_id: int) -> bool:
    """The station was accepted; whether there is anything to tell it."""
    sql = (
        "UPDATE config_assignments SET booted = 1"
        " WHERE station_id = ? AND progress IN ('pending', 'running')"
    )
    return tx.run(sql, (station_id,)) > 0


def update_running(tx: Tx, station_id: int, job_id: int) -> None:
    """A job tells it now."""
    tx.run(
        "UPDATE config_assignments SET progress = 'running', booted = 0, job_id = ?,"
        " changed_at = ? WHERE station_id = ?",
        (job_id, tx.now, station_id),
    )


def update_progress(tx: Tx, station_id: int, progress: Progress, *, rounds: int) -> None:
    """A round is over."""
    tx.run(
        "UPDATE config_assignments SET progress = ?, rounds = ?, changed_at = ?"
        " WHERE station_id = ?",
        (progress.value, rounds, tx.now, station_id),
    )


def _assignment(row: Row) -> Assignment:
    return Assignment(
        station_id=row["station_id"],
        template_id=row["template_id"],
        template_uuid=row["template_uuid"],
        template_name=row["template_name"],
        progress=Progress(row["shown"]),
        rounds=row["rounds"],
        booted=bool(row["booted"]),
        job_id=row["job_id"],
        changed_at=from_micros(row["changed_at"]),
    )
