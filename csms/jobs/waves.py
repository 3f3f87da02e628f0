"""Waves: which items go out first, and which only when those are final."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from csms.domain.jobs import Wave


def begins(waves: Sequence[Wave], seqs: Sequence[int]) -> list[int]:
    """The seq at which each wave but the first begins, of items with these `seqs` in order.

    What the waves leave over is one more. No wave is empty: a percentage is rounded up, and
    waves for which nothing is left do not exist.
    """
    found: list[int] = []
    end = 0
    for wave in waves:
        share = ceil(len(seqs) * (wave.percent or 0) / 100)
        end += max(1, share if wave.count is None else wave.count)
        if end >= len(seqs):
            break
        found.append(seqs[end])
    return found
