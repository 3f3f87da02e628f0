"""ReportDERControl: the controls of energy resources that a station has, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject
from csms.ocpp.report_parts import read_part
from csms.services import reports


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Every part is kept; which controls there are is what the whole report says."""
    part = read_part(station, ReportKind.DER_CONTROLS, payload)
    return Stored(
        station.db, lambda tx: reports.receive(tx, station.station_id, part), lambda _: {}
    )
