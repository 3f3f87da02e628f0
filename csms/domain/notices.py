"""Notices: what a station tells that asks for nothing but to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ACTIONS = ("BatterySwap", "NotifyDERAlarm", "NotifyDERStartStop", "NotifySettlement")


@dataclass(frozen=True, slots=True)
class Notice:
    """One message; None is what it did not say, or not readably."""

    action: str
    reference: str | None
    """What it is about."""
    status: str | None
    """What it says about that."""
    reported_at: datetime | None
    raw: str
