"""Many from one address: a few at once are let through, the others wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


class Crowds:
    """A bounded number at once for each key; keys without anybody are forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._crowds: dict[str, _Crowd] = {}

    def one_of(self, key: str) -> _Place:
        """A context: inside once fewer than the limit are."""
        return _Place(self, key)

    def join(self, key: str) -> _Crowd:
        """One more who wants to get in."""
        crowd = self._crowds.get(key)
        if crowd is None:
            crowd = self._crowds[key] = _Crowd(asyncio.Semaphore(self._limit))
        crowd.there += 1
        return crowd

    def part(self, key: str) -> None:
        """One less, who was inside or did not want to wait."""
        crowd = self._crowds[key]
        crowd.there -= 1
        if not crowd.there:
            del self._crowds[key]


@dataclass(slots=True)
class _Crowd:
    gate: asyncio.Semaphore
    there: int = 0


class _Place:
    # A generator as a context would be half of what a place costs, and every station takes two.
    __slots__ = ("_crowd", "_crowds", "_key")

    def __init__(self, crowds: Crowds, key: str) -> None:
        self._crowds = crowds
        self._key = key

    async def __aenter__(self) -> None:
        self._crowd = self._crowds.join(self._key)
        try:
            await self._crowd.gate.acquire()
        except BaseException:
            self._crowds.part(self._key)
            raise

    async def __aexit__(self, *_: object) -> None:
        self._crowd.gate.release()
        self._crowds.part(self._key)
