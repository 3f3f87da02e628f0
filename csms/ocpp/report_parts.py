"""How every action is served that brings a report in parts, whatever it reports."""

from __future__ import annotations

from collections.abc import Callable

from csms.domain.lint import Rule
from csms.domain.multipart import MAX_PARTS, Part, ReportKind
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw
from csms.ocpp.frames import JsonObject
from csms.ocpp.whole_reports import Forget, forget_when_whole
from csms.services import reports
from csms.store.database import Tx


def receive(
    station: StationContext,
    kind: ReportKind,
    payload: JsonObject,
    *,
    record: Callable[[Tx], None] | None = None,
    forget: Forget | None = None,
) -> Stored:
    """Store a part and `record` what it says; after the last part, `forget` what none said.

    Each part counts, whether or not the report is ever whole.
    """
    part = _read(station, kind, payload)

    def write(tx: Tx) -> None:
        received = reports.receive(tx, station.station_id, part)
        if received.new and record is not None:
            record(tx)
        if received.completed and forget is not None:
            forget_when_whole(tx, received.report_id, forget)

    return Stored(station.db, write, lambda _: {})


def _read(station: StationContext, kind: ReportKind, payload: JsonObject) -> Part:
    generated_at, _ = station.instant(payload.get("generatedAt"), "generatedAt")
    seq_no = integer(payload, "seqNo")
    if seq_no is not None and seq_no >= MAX_PARTS:
        station.lint(Rule.TOO_LARGE, "seqNo", value=seq_no)
    return Part(
        kind=kind,
        request_id=integer(payload, "requestId") or 0,
        seq_no=seq_no,
        more=payload.get("tbc") in (True, "true", "True"),
        generated_at=generated_at,
        raw=raw(payload),
    )
