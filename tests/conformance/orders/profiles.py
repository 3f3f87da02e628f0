"""Charging profiles, as the operator gives them and as they go over the wire."""

from __future__ import annotations

from typing import Any

AT, UNTIL = "2026-05-01T12:00:00.000Z", "2036-05-01T12:00:00.000Z"


def given(
    number: int = 1, purpose: str = "TxDefaultProfile", kind: str = "Absolute", **more: Any
) -> dict[str, Any]:
    """A parameter `charging_profile` with one schedule of two periods."""
    schedule: dict[str, Any] = {
        "rate_unit": "A",
        "periods": [
            {"start_period_s": 0, "limit": 16.0, "number_phases": 3},
            {"start_period_s": 300, "limit": 8.0},
        ],
        "duration_s": 3600,
    }
    if kind != "Relative":
        schedule["start_schedule"] = AT
    return {
        "id": number,
        "stack_level": 0,
        "purpose": purpose,
        "kind": kind,
        "schedules": [schedule],
        **more,
    }


def sent(
    number: int = 1, purpose: str = "TxDefaultProfile", kind: str = "Absolute", **more: Any
) -> dict[str, Any]:
    """The same in OCPP 2.x."""
    return {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [{"id": 1, **_schedule(kind)}],
        **more,
    }


def sent_v16(
    number: int = 1, purpose: str = "TxDefaultProfile", kind: str = "Absolute", **more: Any
) -> dict[str, Any]:
    """The same in OCPP 1.6."""
    return {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": _schedule(kind),
        **more,
    }


def _schedule(kind: str) -> dict[str, Any]:
    schedule: dict[str, Any] = {
        "chargingRateUnit": "A",
        "duration": 3600,
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.0, "numberPhases": 3},
            {"startPeriod": 300, "limit": 8.0},
        ],
    }
    if kind != "Relative":
        schedule["startSchedule"] = AT
    return schedule
