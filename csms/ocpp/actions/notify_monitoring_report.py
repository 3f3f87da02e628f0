"""NotifyMonitoringReport: the monitors that a station has, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp import report_parts
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.device_model import read_monitors
from csms.ocpp.frames import JsonObject
from csms.ocpp.monitoring_reports import forget_unreported
from csms.services import device_model


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part and its monitors."""
    told = read_monitors(payload)
    return report_parts.receive(
        station,
        ReportKind.MONITORS,
        payload,
        record=lambda tx: device_model.record_monitors(tx, station.station_id, told),
        forget=forget_unreported,
    )
