"""Whether the schedule that an EV intends to follow stays within the profile it was given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from csms.domain.installed_profiles import EvSchedule, InstalledProfile
from csms.domain.timestamps import read_timestamp

Steps = list[tuple[float, float]]
"""(seconds from the time base, limit), ascending."""


def exceeds(intended: EvSchedule, profile: InstalledProfile, now: datetime) -> bool:
    """Whether at some time the EV wants more than the profile allows.

    Only what can be compared counts: one schedule each, in the same unit, with times.
    """
    if len(intended.schedules) != 1 or len(profile.schedules) != 1:
        return False
    (wanted,), (allowed,) = intended.schedules, profile.schedules
    if wanted.get("rate_unit") != allowed.get("rate_unit"):
        return False
    wants, allows = _steps(wanted), _steps(allowed, _offset(intended, allowed, now))
    times = sorted({at for at, _ in (*wants, *allows)})
    return any(
        want > allow
        for at in times
        if (want := _in_force(wants, at)) is not None
        and (allow := _in_force(allows, at)) is not None
    )


def _offset(intended: EvSchedule, allowed: dict[str, Any], now: datetime) -> float:
    """How long after the EV's time base the profile starts; a relative one starts with it."""
    start, _ = read_timestamp(allowed.get("start_schedule"), now)
    if start is None or intended.time_base is None:
        return 0
    return (start - intended.time_base).total_seconds()


def _steps(schedule: dict[str, Any], offset_s: float = 0) -> Steps:
    steps: Steps = []
    for period in schedule.get("periods", ()):
        start, limit = period.get("start_period_s"), period.get("limit")
        if _is_number(start) and _is_number(limit):
            steps.append((start + offset_s, limit))
    return sorted(steps)


def _in_force(steps: Steps, at: float) -> float | None:
    found = None
    for start, limit in steps:
        if start > at:
            break
        found = limit
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
