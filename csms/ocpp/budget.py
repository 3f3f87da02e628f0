"""How much one station may send: at once, and for long."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

# A message takes less. What keeps the processor longer counts as several, also if it is none.
MESSAGE_S = 0.001
# The same for what is large: what it says is stored, and written to a disk that has an end.
BYTE_S = MESSAGE_S / (64 * 1024)
# And at the least for frames, whatever they are: one that is no JSON takes a tenth of that.
FRAME_S = MESSAGE_S / 10
# Kept at most. Who makes us forget one gains nothing: the others that it took are its own.
MAX_PURSES = 20_000


@dataclass(frozen=True, slots=True)
class Budget:
    """An even pace with a reserve; what goes beyond it waits."""

    interval_s: float
    reserve_s: float

    @classmethod
    def of(cls, per_s: float, burst: int) -> Budget:
        """So many a second, and so many before that counts."""
        return cls(1.0 / per_s, burst / per_s)


class Purse:
    """What one station has spent, whatever connection it came on; seconds of `time.monotonic`.

    Two numbers are remembered: until when, at the pace of its budget, it has spent what it may.
    """

    __slots__ = ("_budget", "_read_until", "_spent_until")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._spent_until = 0.0
        self._read_until = 0.0
        """The one is about CALLs, the other about reading what comes, CALLs or not."""

    def open(self, now: float) -> float:
        """Pay for a connection if there is something left; returns how long it has to wait."""
        wait_s = max(self._spent_until, self._read_until) - self._budget.reserve_s - now
        if wait_s <= 0:
            self.serve(now)
        return wait_s

    def wait_s(self, now: float) -> float:
        """How long the next CALL has to wait; 0 or less: not at all."""
        return self._spent_until - self._budget.reserve_s - now

    def serve(self, now: float) -> None:
        """Pay for one CALL."""
        self._spent_until = max(self._spent_until, now) + self._budget.interval_s

    def charge(self, dear_s: float) -> None:
        """Pay for what a CALL took of the processor beyond what one may."""
        if dear_s > MESSAGE_S:
            self._spent_until += self._budget.interval_s * (dear_s - MESSAGE_S) / MESSAGE_S

    def read(self, size: int, frames: int, dear_s: float, now: float) -> float:
        """Pay for so many bytes and frames, and for the time they took if they were dear.

        Returns how long the next ones have to wait.
        """
        cost = (max(frames * FRAME_S, dear_s) + size * BYTE_S) / MESSAGE_S
        self._read_until = max(self._read_until, now) + self._budget.interval_s * cost
        return self._read_until - self._budget.reserve_s - now


class Purses:
    """The purses of stations by their number, and of strangers by where they come from."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._purses: OrderedDict[int | str, Purse] = OrderedDict()

    def of(self, key: int | str) -> Purse:
        """Its own, also of the connections that it had before."""
        purse = self._purses.get(key)
        if purse is None:
            purse = self._purses[key] = Purse(self._budget)
            if len(self._purses) > MAX_PURSES:
                self._purses.popitem(last=False)
        else:
            self._purses.move_to_end(key)
        return purse
