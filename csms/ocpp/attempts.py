"""Guesses at passwords: how many are looked at, of one address and for one identity.

A guess costs us microseconds, or a slow hash when a person chose the password. Whoever guesses on
is answered before anything is compared. A station is not locked out by that: where it came in
last, its own password always counts (the lesson of brute force that locks the victim out).
"""

from __future__ import annotations

from collections import OrderedDict

PER_ADDRESS = 60
"""Wrong ones a minute; many stations may share an address."""
PER_IDENTITY = 20
WINDOW_S = 60.0
# Told apart at most: strangers choose the identities.
MAX_KEYS = 10_000


class Attempts:
    """Counts wrong passwords in windows of a minute; monotonic seconds."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, address: str, identity: str, now: float) -> float:
        """How long to wait before the next one is looked at; 0: it is."""
        return max(
            self._wait_s(f"address {address}", PER_ADDRESS, now),
            self._wait_s(f"identity {identity}", PER_IDENTITY, now),
        )

    def failed(self, address: str, identity: str, now: float) -> None:
        """One more was wrong."""
        for key in (f"address {address}", f"identity {identity}"):
            began, count = self._counts.pop(key, (now, 0))
            if now - began >= WINDOW_S:
                began, count = now, 0
            self._counts[key] = began, count + 1
        while len(self._counts) > MAX_KEYS:
            self._counts.popitem(last=False)

    def _wait_s(self, key: str, limit: int, now: float) -> float:
        began, count = self._counts.get(key, (now, 0))
        return max(0.0, began + WINDOW_S - now) if count >= limit else 0.0
