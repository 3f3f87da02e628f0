"""The fields that every message of a report in parts has, whatever it reports."""

from __future__ import annotations

from csms.domain.multipart import Part, ReportKind
from csms.ocpp.context import StationContext
from csms.ocpp.fields import integer, raw
from csms.ocpp.frames import JsonObject


def read_part(station: StationContext, kind: ReportKind, payload: JsonObject) -> Part:
    """The part that a payload is; total, whatever the payload holds."""
    generated_at, _ = station.instant(payload.get("generatedAt"), "generatedAt")
    return Part(
        kind=kind,
        request_id=integer(payload, "requestId") or 0,
        seq_no=integer(payload, "seqNo"),
        more=payload.get("tbc") in (True, "true", "True"),
        generated_at=generated_at,
        raw=raw(payload),
    )
