"""SecurityEventNotification: something happened that concerns the station's security."""

from __future__ import annotations

from csms.domain.security_events import SecurityEvent
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import raw, text
from csms.ocpp.frames import JsonObject
from csms.services import security_events
from csms.services.redaction import redacted


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it, then answer (OCPP 2.0.1 A04.FR.02)."""
    safe = redacted(payload)
    reported_at, _ = station.instant(payload.get("timestamp"), "timestamp")
    event = SecurityEvent(
        type=text(payload, "type") or "",
        tech_info=text(safe, "techInfo"),
        reported_at=reported_at,
        raw=raw(safe),
    )
    return Stored(
        station.db,
        lambda tx: security_events.record(tx, station.station_id, event),
        lambda _: {},
    )


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """As the security extension of 1.6, which took it from here."""
    return on_v16(station, payload)
