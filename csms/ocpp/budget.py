"""How much one station may send: at once, and for long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """An even pace with a reserve; what goes beyond it waits, nothing is dropped.

    A connection remembers one number: until when, at that pace, it has spent what it may.
    """

    interval_s: float
    reserve_s: float

    @classmethod
    def of(cls, per_s: float, burst: int) -> Budget:
        """So many a second, and so many before that counts."""
        return cls(1.0 / per_s, burst / per_s)

    def wait_s(self, spent_until: float, now: float) -> float:
        """How long the next one has to wait; 0 or less: not at all."""
        return spent_until - self.reserve_s - now

    def spend(self, spent_until: float, now: float) -> float:
        """The number after one more."""
        return max(spent_until, now) + self.interval_s
