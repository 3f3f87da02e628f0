"""StatusNotification: the state of a connector, or of the whole station."""

from __future__ import annotations

from datetime import datetime

from csms.domain.connectors import fold_status
from csms.domain.stations import StatusReport
from csms.domain.timestamps import read_timestamp
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import connectors


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store the report, then answer."""
    report = _report_v16(payload, station.clock.now())
    return Stored(
        station.db,
        lambda tx: connectors.record(tx, station.station_id, report),
        lambda _: {},
    )


def _report_v16(payload: JsonObject, now: datetime) -> StatusReport:
    evse_id = integer(payload, "connectorId") or 0
    word = text(payload, "status") or ""
    at, _ = read_timestamp(payload.get("timestamp"), now)
    return StatusReport(
        evse_id=evse_id,
        connector_id=1 if evse_id else 0,
        status=fold_status(word),
        reported_status=word,
        error_code=text(payload, "errorCode"),
        info=text(payload, "info"),
        vendor_id=text(payload, "vendorId"),
        vendor_error_code=text(payload, "vendorErrorCode"),
        reported_at=at,
        raw=raw(payload),
    )
