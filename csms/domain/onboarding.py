"""What happens to a charging station that nobody registered."""

from __future__ import annotations

from enum import Enum


class Onboarding(str, Enum):
    """The server's answer to an unknown identity."""

    CLOSED = "closed"
    """Refused, with the same bytes and time as a bad password."""
    MANUAL = "manual"
    """Held in Pending and shown in the inbox until a person accepts it."""
    OPEN = "open"
    """Registered at its first contact."""
