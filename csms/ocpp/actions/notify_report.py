"""NotifyReport: the device model of a station, in parts."""

from __future__ import annotations

from csms.domain.device_model import Variable
from csms.domain.multipart import Part, ReportKind
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.device_model import read_variables
from csms.ocpp.frames import JsonObject
from csms.ocpp.report_parts import read_part
from csms.services import device_model, reports
from csms.services.message_log import redacted
from csms.store.database import Tx


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part and what it says; each counts, whether or not the report is ever whole."""
    safe = redacted(payload)
    part = read_part(station, ReportKind.VARIABLES, safe)
    told = read_variables(safe)
    return Stored(station.db, lambda tx: _record(tx, station.station_id, part, told), lambda _: {})


def _record(tx: Tx, station_id: int, part: Part, told: list[Variable]) -> None:
    if reports.receive(tx, station_id, part).new:
        device_model.record(tx, station_id, told)
