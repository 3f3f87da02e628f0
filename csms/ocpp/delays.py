"""Answers that leave later than they could.

Some stations drop the socket when an answer comes too quickly (Free2move eProWallbox after
StartTransaction, lbbrhzn/ocpp#2080).
"""

from __future__ import annotations

import asyncio
from typing import Any

from csms.ocpp.router import Outcome, Waiting


def delayed(outcome: Outcome | Waiting, delay_s: float) -> Waiting:
    """The same outcome, `delay_s` after it is known; those that follow wait behind it."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()

    def wait(_: asyncio.Future[Any] | None = None) -> None:
        loop.call_later(delay_s, _end, over)

    if isinstance(outcome, Waiting):
        outcome.future.add_done_callback(wait)
        return Waiting(over, outcome.finish)
    wait()
    return Waiting(over, lambda: outcome)


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
