"""What monitors see: every event is kept, a grave one raises an alert and its end clears it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from csms.domain.alerts import is_alarming
from csms.domain.device_model import MonitoringEvent
from csms.services import station_events
from csms.services.alerts import raise_alert
from csms.store import monitoring_events, variable_monitors
from csms.store.database import Tx

SOURCE = "monitoring_event"


def record(tx: Tx, station_id: int, events: Iterable[MonitoringEvent]) -> None:
    """Store what a station's monitors saw; what it repeats is there already."""
    for event in events:
        known = event
        if event.severity is None and event.monitor_id is not None:
            severity = variable_monitors.find_severity(tx, station_id, event.monitor_id)
            known = replace(event, severity=severity)
        if monitoring_events.insert(tx, station_id, known) and is_alarming(known.severity):
            _tell(tx, station_id, known)


def _tell(tx: Tx, station_id: int, event: MonitoringEvent) -> None:
    told = {
        "event_id": event.event_id,
        "component": event.key and event.key.component,
        "evse_id": event.key and event.key.evse_id,
        "variable": event.key and event.key.variable,
        "severity": event.severity,
        "actual_value": event.actual_value,
        "tech_code": event.tech_code,
        "tech_info": event.tech_info,
    }
    if event.cleared:
        station_events.emit(tx, station_id, "alert.cleared", source=SOURCE, **told)
    elif event.trigger != "Periodic":  # which says how things are, again and again
        raise_alert(tx, station_id, SOURCE, reported_at=event.reported_at, **told)
