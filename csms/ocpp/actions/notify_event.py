"""NotifyEvent: what the monitors of a station saw."""

from __future__ import annotations

from csms.domain.device_model import MonitoringEvent
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.device_model import read_key
from csms.ocpp.fields import flag, integer, objects, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import monitoring
from csms.services.redaction import redacted


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store every event, then answer; a message without a readable one is kept as it is."""
    safe = redacted(payload)
    entries = objects(safe.get("eventData")) or [safe]
    events = [_event(station, entry) for entry in entries]
    return Stored(
        station.db, lambda tx: monitoring.record(tx, station.station_id, events), lambda _: {}
    )


def _event(station: StationContext, payload: JsonObject) -> MonitoringEvent:
    reported_at, _ = station.instant(payload.get("timestamp"), "eventData[].timestamp")
    return MonitoringEvent(
        event_id=integer(payload, "eventId"),
        key=read_key(payload),
        monitor_id=integer(payload, "variableMonitoringId"),
        severity=integer(payload, "severity"),  # 2.1 only; else the monitor's
        trigger=text(payload, "trigger"),
        origin=text(payload, "eventNotificationType"),
        actual_value=text(payload, "actualValue", limit=2500),
        cleared=flag(payload, "cleared") or False,
        cause=integer(payload, "cause"),
        station_transaction_id=text(payload, "transactionId"),
        tech_code=text(payload, "techCode"),
        tech_info=text(payload, "techInfo", limit=500),
        reported_at=reported_at,
        raw=raw(payload),
    )
