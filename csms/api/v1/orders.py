"""Orders that other resources send to one station and wait for, such as stopping a transaction."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from csms.api.routing import Call, Reply
from csms.api.v1 import commands
from csms.api.v1.commands import LONGEST_WAIT_S, Carried
from csms.domain.jobs import Lane, NewItem, Submission
from csms.domain.stations import Station
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted

TIMEOUT = Field(
    default=None,
    ge=1,
    le=LONGEST_WAIT_S,
    description="How long to wait; left out: `ocpp.call_timeout_s`.",
)

_NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


async def carry(
    call: Call[Any, Any],
    station: Station,
    name: str,
    params: dict[str, Any],
    *,
    timeout_s: float | None = None,
) -> Carried:
    """Send a command as `POST …/commands` does; raises Invalid with the path in `params`."""
    settings = call.deps.settings
    wait_s = timeout_s or settings.command_timeout_s
    submission: Submission = command.submission(
        principal=call.principal,
        wanted=Wanted(command=name, params=params),
        targets=[NewItem(key=station.uuid, target=station.id)],
        dialect="native",
        lane=Lane.INTERACTIVE,
        hidden=True,
        policy=commands.once_within(settings.policy, wait_s),
    )
    return await commands.carry(call, submission, wait_s)


async def send(
    call: Call[Any, Any],
    station: Station,
    name: str,
    params: dict[str, Any],
    *,
    timeout_s: float | None = None,
) -> Reply:
    """The station's answer as `POST …/commands` tells it."""
    started = call.deps.clock.monotonic()
    carried = await carry(call, station, name, params, timeout_s=timeout_s)
    latency_ms = round((call.deps.clock.monotonic() - started) * 1000)
    return commands.told(carried, None if carried.headers else latency_ms)


def number(text: str) -> int | None:
    """The number that a station knows a thing by, from a path; None for what is none."""
    return int(text) if _NUMBER.fullmatch(text) else None
