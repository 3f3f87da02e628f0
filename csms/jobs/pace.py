"""A rate as an even pace: at most so many a minute, without a burst after a pause."""

from __future__ import annotations


class Pace:
    """Lets one go every 60 / rate seconds; None lets all go."""

    __slots__ = ("_interval_s", "_next_at")

    def __init__(self, rate_per_min: float | None) -> None:
        self._interval_s = 0.0 if rate_per_min is None else 60.0 / rate_per_min
        self._next_at = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the next one may go."""
        return max(0.0, self._next_at - now)

    def take(self, now: float) -> None:
        """One goes now."""
        if self._interval_s:
            # A wake-up that is a little late keeps the rate; after a pause it starts afresh.
            on_time = now - self._next_at < self._interval_s
            self._next_at = (self._next_at if on_time else now) + self._interval_s
