"""Many from one address: a few at once are let through, the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Crowds:
    """A bounded number at once for each key; keys without anybody are forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._there: dict[str, int] = {}

    @asynccontextmanager
    async def one_of(self, key: str) -> AsyncIterator[None]:
        """Inside once fewer than the limit are."""
        gate = self._gates.setdefault(key, asyncio.Semaphore(self._limit))
        self._there[key] = self._there.get(key, 0) + 1
        try:
            async with gate:
                yield
        finally:
            self._there[key] -= 1
            if not self._there[key]:
                del self._there[key], self._gates[key]
