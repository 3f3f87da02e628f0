"""When to try again: full jitter over an exponential, capped; plain decisions."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from csms.domain.jobs import Policy

CRASH_LOOP = 5
"""Interruptions by a dying process after which an item is given up."""


def next_attempt_at(
    policy: Policy, attempts_used: int, now: datetime, random: Random, *, wait_s: float = 0.0
) -> datetime | None:
    """When to try again, or None once the policy is exhausted.

    `wait_s` is what the other side asks for; more than the policy's longest delay it does not get.
    """
    if attempts_used >= policy.max_attempts:
        return None
    ceiling_s = min(policy.first_delay_s * 2 ** (attempts_used - 1), policy.max_delay_s)
    delay_s = max(random.uniform(0, ceiling_s), min(wait_s, policy.max_delay_s))
    return now + timedelta(seconds=delay_s)


def interruptions_after(interruptions: int, settles_then: int | None, settles_now: int) -> int:
    """How many crashes in a row hit this item while nothing else of its job settled."""
    return interruptions + 1 if settles_then == settles_now else 1


def crosses_threshold(policy: Policy, *, failed: int, settled: int) -> bool:
    """Whether the job must stop: too many failed, or too large a share after the minimum."""
    if policy.abort_after is not None and failed >= policy.abort_after:
        return True
    if policy.abort_percent is None or settled < policy.abort_minimum:
        return False
    return failed * 100 >= policy.abort_percent * settled
