"""The message log as it grows: read after each batch, by each reader at its own pace.

Nothing is queued for a reader: one that is slow reads later, and one that takes nothing is cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from csms.api import streams
from csms.api.deps import Deps
from csms.api.feed import Reader
from csms.api.routing import Call
from csms.store import ocpp_messages
from csms.store.ocpp_messages import Found, MessageFilter

_AT_ONCE = 100
Show = Callable[[Found], str]


async def follow(call: Call[Any, Any], wanted: MessageFilter, show: Show) -> web.StreamResponse:
    """From Last-Event-ID on, or from now; until the caller goes, or its token does."""
    deps, given = call.deps, streams.last_event_id(call.request)
    await deps.message_log.flush()
    _, newest = await deps.db.read(ocpp_messages.kept)

    async def send(response: EventSourceResponse, reader: Reader) -> None:
        after_id = newest
        if given is not None:
            after_id = await streams.send_reset_if_lost(
                deps.db, response, given, ocpp_messages.kept
            )
        telling = asyncio.create_task(_tell(deps, response, wanted, after_id, show))
        telling.add_done_callback(lambda _: reader.close())
        try:
            async for _ in reader:  # until it ends: that is all that its events are for
                continue
        finally:
            telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling

    return await streams.stream(call, send)


async def _tell(
    deps: Deps, response: EventSourceResponse, wanted: MessageFilter, after_id: int, show: Show
) -> None:
    while True:
        written = deps.message_log.written  # before we look: what comes meanwhile wakes us
        ahead = await deps.db.read(
            lambda tx: ocpp_messages.list_after(tx, wanted, after_id=after_id, limit=_AT_ONCE)  # noqa: B023 - read before the next turn
        )
        for one in ahead.found:
            await response.send(show(one), id=str(one.id), event="message")
        after_id = ahead.after_id
        if ahead.is_end:
            await written.wait()
