"""Writing behind: what was noted in memory goes to the store a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class WriteBehind:
    """Calls `write`, which takes all there is and never raises, one at a time."""

    def __init__(self, write: Callable[[], Coroutine[Any, Any, None]], interval_s: float) -> None:
        self._write = write
        self._interval_s = interval_s
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Something waits: it is written within the interval."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._interval_s, self._start)

    async def flush(self) -> None:
        """Write all that was noted before this call."""
        if self._writing is not None:  # its batch was taken earlier; ours comes after it
            await asyncio.shield(self._writing)
        await self._write()

    async def close(self) -> None:
        """Write the rest."""
        await self.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        self._timer = None
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
            self._writing.add_done_callback(self._written)
        else:
            self.soon()

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None
