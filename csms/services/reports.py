"""Reports in parts: in any order, twice, from the middle, without an end; each part counts."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.multipart import MAX_PARTS, Part, Report, ReportKind, is_place
from csms.services import station_events
from csms.store import reports
from csms.store.database import Tx

# Of a station and kind; the newest tell what is so, the others what was.
KEPT = 10


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a part."""

    report_id: int
    new: bool
    """False for a repetition, whose content is stored already."""
    completed: bool
    """The report became whole with this part."""


def expect(tx: Tx, station_id: int, kind: ReportKind, request_id: int, request: str) -> int:
    """The station accepted our request; returns the report that its parts will make."""
    found = reports.find_newest(tx, station_id, kind, request_id)
    if found is None:
        return _open(tx, station_id, kind, request_id, requested_at=tx.now, request=request)
    if found.requested_at is None:
        reports.update_requested(tx, found.id, request)
    return found.id


def receive(tx: Tx, station_id: int, part: Part) -> Received:
    """Store a part where it belongs."""
    report, seq_no = _place(tx, station_id, part)
    if seq_no is None:
        assert report is not None
        return Received(report.id, new=False, completed=False)
    if report is None:
        report_id, was_complete = _open(tx, station_id, part.kind, part.request_id), False
    else:
        report_id, was_complete = report.id, report.complete
    reports.insert_part(tx, report_id, seq_no, part)
    completed = reports.update_progress(tx, report_id) and not was_complete
    if completed:
        station_events.emit(
            tx, station_id, "report.completed", kind=part.kind.value, request_id=part.request_id
        )
    return Received(report_id, new=True, completed=completed)


def _place(tx: Tx, station_id: int, part: Part) -> tuple[Report | None, int | None]:
    """Which report the part belongs to (None: a new one) and where; None: it is there already."""
    report = reports.find_newest(tx, station_id, part.kind, part.request_id)
    numbered = is_place(part.seq_no)
    if report is None:
        return None, part.seq_no if numbered else 0
    if numbered:
        assert part.seq_no is not None
        there = reports.find_part(tx, report.id, part.seq_no)
        if there == part.raw:
            return report, None
        # Another content where one was: the report begins again, or a flawed part is mended.
        again = there is not None and (report.complete or part.seq_no == 0)
        return (None if again else report), part.seq_no
    highest = reports.highest_place(tx, report.id)
    if highest is None:
        return report, 0
    if reports.find_part(tx, report.id, highest) == part.raw:
        return report, None
    # What it says counts though the report is full: there, it takes the place of the last part.
    return (None, 0) if report.complete else (report, min(highest + 1, MAX_PARTS - 1))


def _open(
    tx: Tx,
    station_id: int,
    kind: ReportKind,
    request_id: int,
    *,
    requested_at: int | None = None,
    request: str | None = None,
) -> int:
    report_id = reports.insert(
        tx, station_id, kind, request_id, requested_at=requested_at, request=request
    )
    reports.delete_old(tx, station_id, kind, keep=KEPT)
    return report_id
