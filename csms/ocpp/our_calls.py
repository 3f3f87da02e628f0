"""A CALL of ours on its way, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from csms.errors import CallFailed, StationOffline
from csms.ocpp.frames import Call, CallError, CallResult


@dataclass(slots=True)
class OurCall:
    """A CALL of ours between `call` and its end."""

    call: Call
    data: bytes
    future: asyncio.Future[CallResult | CallError]
    began_at: int
    """Wall clock, microseconds."""
    timeout_s: float
    on_sent: Callable[[], None] | None = None
    timer: asyncio.TimerHandle | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How a CALL of ours ended: with an answer, or with the reason why there is none."""

    answer: CallResult | CallError | None = None
    failure: CallFailed | StationOffline | None = None
    waited_for: bool = True
    """Whether somebody still waits; an answer nobody waits for is a late one."""
