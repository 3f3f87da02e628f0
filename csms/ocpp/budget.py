"""How much one station may send: at once, and for long."""

from __future__ import annotations

from dataclasses import dataclass

# A message takes less. What keeps the processor longer counts as several, also if it is none.
MESSAGE_S = 0.001
# The same for what is large: what it says is stored, and written to a disk that has an end.
BYTE_S = MESSAGE_S / (64 * 1024)


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

    def spend_time(self, spent_until: float, took_s: float) -> float:
        """The number after so much of the processor's time."""
        return spent_until + self.interval_s * took_s / MESSAGE_S
