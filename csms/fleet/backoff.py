"""When to dial again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with jitter, so that a fleet does not come back as one wave."""

    first_s: float = 0.5
    cap_s: float = 30.0

    def delay_s(self, failures: int, random: Random) -> float:
        """How long to wait after `failures` attempts in a row that came to nothing."""
        # The exponent is bounded: 2.0 ** 1100 is an OverflowError after a long night.
        ceiling = min(self.cap_s, self.first_s * 2.0 ** min(failures, 30))
        return random.uniform(ceiling / 2, ceiling)
