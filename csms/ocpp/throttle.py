"""Keeps strangers from deciding how much we write."""

from __future__ import annotations

from collections import OrderedDict

MAX_KEYS = 10_000


class Throttle:
    """Lets each key through once in an interval; knows a bounded number of keys."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._passed: OrderedDict[str, float] = OrderedDict()

    def passes(self, key: str, now: float) -> bool:
        """Whether the key may pass now; monotonic seconds."""
        last = self._passed.get(key)
        if last is not None and now - last < self._interval_s:
            return False
        self._passed[key] = now
        self._passed.move_to_end(key)
        if len(self._passed) > MAX_KEYS:
            self._passed.popitem(last=False)
        return True
