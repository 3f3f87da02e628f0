"""What is on record about the quirks of one station."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class FiredQuirk:
    """A quirk that made us act differently towards a station."""

    quirk: str
    detail: str | None
    """Of the last time."""
    connections: int
    """On how many of them it fired."""
    first_fired_at: datetime
    last_fired_at: datetime


@dataclass(frozen=True, slots=True)
class WithheldCall:
    """A CALL that is not sent to a station any more."""

    call: str
    since: datetime


@dataclass(frozen=True, slots=True)
class StationQuirks:
    """What an operator and the breaker decided."""

    overrides: Mapping[str, Any]
    withheld: tuple[WithheldCall, ...]
    suspected: tuple[str, ...] = ()
    """CALLs it restarted after once."""
