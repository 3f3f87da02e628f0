"""Sharing the loop: what a thousand stations send at once is served in slices.

The loop gives us every socket that has something to read before anything else gets its turn, and
a thousand CALLs take 50 ms to serve. So they are only read then.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

SLICE_S = 0.01
# Whether the time was really spent on the processor is a question to the system, and too dear for
# each of a thousand messages.
WORTH_ASKING_S = 0.001


class Turns:
    """Runs work in the order in which it came, for a slice in each turn of the loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._scheduled = False
        self._asked = 0.0
        """How much of the processor the thread had used at the beginning of the slice, or later."""

    def put(self, work: Callable[[], None]) -> None:
        """Run `work` soon; it must not raise."""
        self._waiting.append(work)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def took_s(self, began: float) -> float:
        """The time since `began` of `time.monotonic`, without what others had of the processor."""
        passed_s = time.monotonic() - began
        if passed_s < WORTH_ASKING_S:
            return passed_s
        asked, self._asked = self._asked, time.thread_time()
        return min(passed_s, self._asked - asked)

    def _run(self) -> None:
        waiting = self._waiting
        self._asked = time.thread_time()
        until = time.monotonic() + SLICE_S
        while waiting and time.monotonic() < until:
            waiting.popleft()()
        self._scheduled = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_soon(self._run)
