"""The local authorization list of a virtual station."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from csms.fleet.speech import Token


@dataclass(frozen=True, slots=True)
class Entry:
    """One token of the list."""

    token: Token
    status: str | None
    """None: a differential update takes the token out."""
    expires_at: datetime | None = None


class LocalList:
    """Tokens by their case-folded text; takes no memory until one is sent."""

    __slots__ = ("_entries", "version")

    def __init__(self) -> None:
        self.version = 0
        """0: there is none."""
        self._entries: dict[str, Entry] | None = None

    def __len__(self) -> int:
        return len(self._entries or ())

    def accepts(self, token: Token, now: datetime) -> bool:
        """Whether the list says that the token may charge."""
        entry = (self._entries or {}).get(token.text.casefold())
        return (
            entry is not None
            and entry.status == "Accepted"
            and (entry.expires_at is None or now < entry.expires_at)
        )

    def update(self, entries: Iterable[Entry], *, version: int, full: bool, max_length: int) -> str:
        """Replace or change the list; returns the word to answer with."""
        if not full and version <= self.version:
            return "VersionMismatch"
        changed = {} if full else dict(self._entries or {})
        for entry in entries:
            key = entry.token.text.casefold()
            if entry.status is None:
                changed.pop(key, None)
            else:
                changed[key] = entry
        if len(changed) > max_length:
            return "Failed"
        self._entries = changed or None
        self.version = version
        return "Accepted"
