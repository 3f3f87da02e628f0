"""StatusNotification: the state of a connector, or of the whole station."""

from __future__ import annotations

from csms.domain.connectors import fold_status
from csms.domain.stations import StatusReport
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import connectors


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store the report, then answer."""
    report = _report_v16(station, payload)
    return Stored(
        station.db,
        lambda tx: connectors.record_v16(tx, station.station_id, report),
        lambda _: {},
    )


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the report, then answer."""
    report = _report_v2x(station, payload)
    return Stored(
        station.db,
        lambda tx: connectors.record(tx, station.station_id, report),
        lambda _: {},
    )


def _report_v16(station: StationContext, payload: JsonObject) -> StatusReport:
    evse_id = integer(payload, "connectorId") or 0
    word = text(payload, "status") or ""
    at, _ = station.instant(payload.get("timestamp"), "timestamp")
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


def _report_v2x(station: StationContext, payload: JsonObject) -> StatusReport:
    evse_id = integer(payload, "evseId") or 0
    connector_id = integer(payload, "connectorId")
    word = text(payload, "connectorStatus") or ""
    at, _ = station.instant(payload.get("timestamp"), "timestamp")
    return StatusReport(
        evse_id=evse_id,
        # The schema wants one; where it is missing the EVSE has only one, as most have.
        connector_id=(1 if evse_id else 0) if connector_id is None else connector_id,
        status=fold_status(word),
        reported_status=word,
        error_code=None,  # NotifyEvent says what is wrong
        info=None,
        vendor_id=None,
        vendor_error_code=None,
        reported_at=at,
        raw=raw(payload),
    )
