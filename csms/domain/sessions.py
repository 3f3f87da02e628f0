"""Who is signed in to the page: a session stands for a token, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

IDLE_FOR = timedelta(hours=12)
VALID_FOR = timedelta(days=7)
# Of one token; one more ends the oldest.
MOST_OF_TOKEN = 50


@dataclass(frozen=True, slots=True)
class Session:
    """A session without its cookie, which only the browser has."""

    id: int
    public_id: str
    token_id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    user_agent: str

    def ends_at(self, last_used_at: datetime) -> datetime:
        """When it is over, unless it is used again."""
        return min(self.expires_at, max(self.last_used_at, last_used_at) + IDLE_FOR)
