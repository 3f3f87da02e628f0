"""ReportDERControl: the controls of energy resources that a station has, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp import report_parts
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Every part is kept; which controls there are is what the whole report says."""
    return report_parts.receive(station, ReportKind.DER_CONTROLS, payload)
