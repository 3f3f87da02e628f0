"""NotifyMonitoringReport: the monitors that a station has, in parts."""

from __future__ import annotations

from csms.domain.device_model import Monitor
from csms.domain.multipart import Part, ReportKind
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.device_model import read_monitors
from csms.ocpp.frames import JsonObject
from csms.ocpp.monitoring_reports import forget_unreported
from csms.ocpp.report_parts import read_part
from csms.services import device_model, reports
from csms.store.database import Tx


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part and its monitors; after the last one, forget those that are not there."""
    part = read_part(station, ReportKind.MONITORS, payload)
    told = read_monitors(payload)
    return Stored(station.db, lambda tx: _record(tx, station.station_id, part, told), lambda _: {})


def _record(tx: Tx, station_id: int, part: Part, told: list[Monitor]) -> None:
    received = reports.receive(tx, station_id, part)
    if received.new:
        device_model.record_monitors(tx, station_id, told)
    if received.completed:
        forget_unreported(tx, received.report_id)
