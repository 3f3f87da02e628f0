"""Security events: stored before they are answered, told once, critical ones as an alert too."""

from __future__ import annotations

from csms.domain.security_events import SecurityEvent
from csms.services import station_events
from csms.services.alerts import raise_alert
from csms.store import security_events
from csms.store.database import Tx


def record(tx: Tx, station_id: int, event: SecurityEvent) -> None:
    """Store it, unless the station repeats itself (OCPP 2.0.1 A04.FR.02, FR.03)."""
    if not security_events.insert(tx, station_id, event):
        return
    told = {"type": event.type, "tech_info": event.tech_info}
    station_events.emit(tx, station_id, "security_event.received", critical=event.critical, **told)
    if event.critical:
        raise_alert(tx, station_id, "security_event", reported_at=event.reported_at, **told)
