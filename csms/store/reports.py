"""Tables `reports` and `report_parts`: what stations report in parts, whole or not."""

from __future__ import annotations

from collections.abc import Sequence

from csms.clock import from_micros
from csms.domain.multipart import Part, Report, ReportKind
from csms.errors import NotFound
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx


def insert(
    tx: Tx,
    station_id: int,
    kind: ReportKind,
    request_id: int,
    *,
    requested_at: int | None = None,
    request: str | None = None,
) -> int:
    """A report of which nothing has come yet; returns its row id."""
    return tx.insert(
        "INSERT INTO reports (station_id, kind, request_id, requested_at, request,"
        " last_activity_at) VALUES (?, ?, ?, ?, ?, ?)",
        (station_id, kind.value, request_id, requested_at, request, tx.now),
    )


def get(tx: ReadTx, report_id: int) -> Report:
    """The report; raises NotFound."""
    row = tx.one("SELECT * FROM reports WHERE id = ?", (report_id,))
    if row is None:
        raise NotFound("Report not found")
    return _report(row)


def find_newest(
    tx: ReadTx, station_id: int, kind: ReportKind, request_id: int | None = None
) -> Report | None:
    """The newest report of a kind, or the newest for one request."""
    row = tx.one(
        "SELECT * FROM reports WHERE station_id = ? AND kind = ? AND (? IS NULL OR request_id = ?)"
        " ORDER BY id DESC LIMIT 1",
        (station_id, kind.value, request_id, request_id),
    )
    return None if row is None else _report(row)


def list_of_station(tx: ReadTx, station_id: int, kind: ReportKind | None = None) -> list[Report]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM reports WHERE station_id = ? AND (? IS NULL OR kind = ?) ORDER BY id DESC",
        (station_id, kind and kind.value, kind and kind.value),
    )
    return [_report(row) for row in rows]


def list_page(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    kind: ReportKind | None = None,
) -> list[tuple[Report, int]]:
    """A part of a station's reports, newest first, each with the number of its parts."""
    rows = tx.all(
        "SELECT *, (SELECT count(*) FROM report_parts WHERE report_id = reports.id) AS parts"
        " FROM reports WHERE station_id = ?1 AND id < ifnull(?2, 1 << 62)"
        " AND (?3 IS NULL OR kind = ?3) ORDER BY id DESC LIMIT ?4",
        (station_id, before_id, None if kind is None else kind.value, limit),
    )
    return [(_report(row), row["parts"]) for row in rows]


def update_requested(tx: Tx, report_id: int, request: str) -> None:
    """Our request was accepted, though its first parts came before the answer."""
    tx.run(
        "UPDATE reports SET requested_at = ?, request = ? WHERE id = ?",
        (tx.now, request, report_id),
    )


def update_progress(tx: Tx, report_id: int) -> bool:
    """A part came; returns whether the report is whole now: all parts up to a last one."""
    last = tx.value(
        "SELECT min(seq_no) FROM report_parts WHERE report_id = ? AND last = 1", (report_id,)
    )
    count = tx.value(
        "SELECT count(*) FROM report_parts WHERE report_id = ? AND seq_no <= ?", (report_id, last)
    )
    whole = last is not None and count == last + 1
    tx.run(
        "UPDATE reports SET complete = max(complete, ?), last_activity_at = ? WHERE id = ?",
        (whole, tx.now, report_id),
    )
    return whole


def delete_old(tx: Tx, station_id: int, kind: ReportKind, *, keep: int) -> int:
    """Forget all but the newest of a kind; returns how many."""
    return tx.run(
        "DELETE FROM reports WHERE station_id = ? AND kind = ? AND id <= ("
        "SELECT id FROM reports WHERE station_id = ? AND kind = ?"
        " ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (station_id, kind.value, station_id, kind.value, keep),
    )


# ---- parts -----------------------------------------------------------------------------------


def insert_part(tx: Tx, report_id: int, seq_no: int, part: Part) -> None:
    """Store a part in its place; what was there goes."""
    tx.run(
        "INSERT OR REPLACE INTO report_parts (report_id, seq_no, last, generated_at, received_at,"
        " raw) VALUES (?, ?, ?, ?, ?, ?)",
        (report_id, seq_no, not part.more, micros(part.generated_at), tx.now, part.raw),
    )


def find_part(tx: ReadTx, report_id: int, seq_no: int) -> str | None:
    """What the part in this place said, as received."""
    found: str | None = tx.value(
        "SELECT raw FROM report_parts WHERE report_id = ? AND seq_no = ?", (report_id, seq_no)
    )
    return found


def highest_place(tx: ReadTx, report_id: int) -> int | None:
    """The highest number of a part so far."""
    found: int | None = tx.value(
        "SELECT max(seq_no) FROM report_parts WHERE report_id = ?", (report_id,)
    )
    return found


def list_parts(tx: ReadTx, report_id: int) -> Sequence[str]:
    """Every part as received, in order."""
    rows = tx.all("SELECT raw FROM report_parts WHERE report_id = ? ORDER BY seq_no", (report_id,))
    return [row[0] for row in rows]


def _report(row: Row) -> Report:
    return Report(
        id=row["id"],
        station_id=row["station_id"],
        kind=ReportKind(row["kind"]),
        request_id=row["request_id"],
        requested_at=instant(row["requested_at"]),
        request=row["request"],
        complete=bool(row["complete"]),
        last_activity_at=from_micros(row["last_activity_at"]),
    )
