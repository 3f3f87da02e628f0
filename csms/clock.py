"""The one source of time and of deadlines, so that tests own both."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Wall time for records, monotonic time for deadlines."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    def micros(self) -> int:
        """As `now`, in microseconds: the store's form, and a tenth of the cost."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)

    def micros(self) -> int:
        """As `now`, in microseconds."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to; for tests."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """The instant last set."""
        return self._now

    def micros(self) -> int:
        """As `now`, in microseconds."""
        return to_micros(self._now)

    def monotonic(self) -> float:
        """Moves together with `now`."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


def to_micros(at: datetime) -> int:
    """INTEGER microseconds UTC, the store's form of an instant."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC instant of a stored integer."""
    return EPOCH + timedelta(microseconds=micros)
