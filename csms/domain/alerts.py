"""Which news of a station a person has to hear of."""

from __future__ import annotations

from datetime import datetime, timedelta

# OCPP 2.0.1 SetMonitoringLevelRequest: up to 4, Error, "action is required"; 5 is what monitors
# have that nobody gave another.
ALERT_SEVERITY = 4
# A station that was offline tells its past; an alert of it must not look like one of now.
LATE_AFTER = timedelta(minutes=5)


def is_alarming(severity: int | None) -> bool:
    """Whether a monitor's severity calls for somebody; the lower the graver."""
    return severity is not None and severity <= ALERT_SEVERITY


def is_late(reported_at: datetime | None, now: datetime) -> bool:
    """Whether something happened too long ago to be news."""
    return reported_at is not None and now - reported_at > LATE_AFTER
