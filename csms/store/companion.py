"""What a request writes beside its own rows, in the same transaction: its audit entry and its key.

Handlers call services, services write; none of them needs to know. The first unit that is
committed while a companion travels with the context carries it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

T = TypeVar("T")
W = TypeVar("W")
R = TypeVar("R")


class Companion(Generic[W, R]):
    """Runs `fn` at the end of one unit of work: of the first that succeeds."""

    __slots__ = ("_free", "_result", "fn", "joined")

    def __init__(self, fn: Callable[[W], R]) -> None:
        self.fn = fn
        self._free = True
        self._result: R | None = None
        self.joined = False
        """Whether it is committed."""

    @property
    def result(self) -> R | None:
        """What `fn` returned in the unit that it joined."""
        return self._result if self.joined else None

    @contextmanager
    def travelling(self) -> Iterator[None]:
        """Units that are submitted inside, by tasks begun inside too, may carry it."""
        token = TRAVELLING.set(self)
        try:
            yield
        finally:
            TRAVELLING.reset(token)
            self._free = False

    def beside(self, unit: Callable[[W], T], done: asyncio.Future[T]) -> Callable[[W], T]:
        """The unit with the companion in it, unless another carries it already."""
        if not self._free:
            return unit
        self._free = False
        done.add_done_callback(self._told)

        def both(tx: W) -> T:
            value = unit(tx)
            self._result = self.fn(tx)
            return value

        return both

    def _told(self, done: asyncio.Future[Any]) -> None:
        # Nobody may have waited for it, but a write stands once it is queued.
        self.joined = done.cancelled() or done.exception() is None
        self._free = not self.joined


TRAVELLING: ContextVar[Companion[Any, Any] | None] = ContextVar("csms_companion", default=None)
