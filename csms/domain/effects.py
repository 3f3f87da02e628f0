"""What came of an order that a station accepted."""

from __future__ import annotations

from enum import Enum


class Effect(str, Enum):
    """What is known of the effect of an accepted order."""

    SEEN = "seen"
    """A message shows it, or lets us infer it."""
    AWAITED = "awaited"
    NOT_SEEN = "not_seen"
    """The time in which it would have come is over, or a message shows the contrary."""
