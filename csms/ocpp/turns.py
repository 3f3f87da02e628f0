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
# Whether time was really spent on the processor is a question to the system, and too dear for each
# of a thousand messages: most take a tenth of this.
WORTH_ASKING_S = 0.0005


class Turns:
    """Runs work in the order in which it came, for a slice in each turn of the loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._scheduled = False
        self._spent = self._asked_at = 0.0
        """What the thread had used of the processor, and when that was asked."""

    def put(self, work: Callable[[], None]) -> None:
        """Run `work` soon; it must not raise."""
        self._waiting.append(work)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def begin(self) -> float:
        """Begin something that may become dear; returns when, for `dear_s`."""
        now = time.monotonic()
        if now - self._asked_at > WORTH_ASKING_S:
            self._asked_at, self._spent = now, time.thread_time()
        return now

    def dear_s(self, began: float) -> float:
        """What it took of the processor; 0 when that is too little to matter."""
        now = time.monotonic()
        if now - began < WORTH_ASKING_S:
            return 0.0
        before = self._spent
        self._asked_at, self._spent = now, time.thread_time()
        return min(now - began, self._spent - before)

    def _run(self) -> None:
        waiting = self._waiting
        until = time.monotonic() + SLICE_S
        while waiting and time.monotonic() < until:
            waiting.popleft()()
        self._scheduled = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_soon(self._run)
