"""How a virtual station misbehaves, drawn from its own seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random


class Verdict(str, Enum):
    """What a station does with a command."""

    OBEY = "obey"
    REJECT = "reject"
    """Answer with the word of refusal."""
    IGNORE = "ignore"
    """Neither answer nor obey."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates are percent; the defaults are a station without faults."""

    reject_percent: float = 0.0
    """Of the commands, refused."""
    silent_percent: float = 0.0
    """Of the commands, never answered."""
    drop_every_s: float | None = None
    """Mean time between losses of the socket; None: a steady one."""


def judge(faults: Faults, random: Random) -> Verdict:
    """What happens to the next command."""
    if not faults.reject_percent and not faults.silent_percent:
        return Verdict.OBEY
    drawn = random.uniform(0, 100)
    if drawn < faults.silent_percent:
        return Verdict.IGNORE
    if drawn < faults.silent_percent + faults.reject_percent:
        return Verdict.REJECT
    return Verdict.OBEY


def next_drop_s(faults: Faults, random: Random) -> float | None:
    """How long the connection that just opened lasts; None: as long as the other end likes."""
    if faults.drop_every_s is None:
        return None
    return random.expovariate(1 / faults.drop_every_s)
