"""NotifyReport: the device model of a station, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp import report_parts
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.device_model import read_variables
from csms.ocpp.frames import JsonObject
from csms.services import device_model
from csms.services.redaction import redacted


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part and what it says, without passwords."""
    safe = redacted(payload)
    told = read_variables(safe)
    return report_parts.receive(
        station,
        ReportKind.VARIABLES,
        safe,
        record=lambda tx: device_model.record(tx, station.station_id, told),
    )
