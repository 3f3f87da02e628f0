"""Server-sent events over the feed: replay, then live, until one side has enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from csms.api.feed import Message, Reader, message_of
from csms.api.personal import sees_people
from csms.api.routing import Call
from csms.errors import BadRequest
from csms.services.masking import masked_json
from csms.store import events
from csms.store.database import Database, ReadTx

PING_EVERY_S = 15
# A reader that takes nothing for this long is cut; it can come back with Last-Event-ID.
SEND_TIMEOUT_S = 30
_REPLAY_PAGE = 500

Send = Callable[[EventSourceResponse, Reader], Awaitable[None]]


async def stream(call: Call[Any, Any], send: Send) -> web.StreamResponse:
    """Answer with what `send` writes, until it returns, the caller goes, or its token does."""
    async with _reader(call) as reader:
        kind = EventSourceResponse if sees_people(call.principal) else _Masked
        response = kind(sep="\n", send_timeout=SEND_TIMEOUT_S, ping_interval=PING_EVERY_S)
        await response.prepare(call.request)
        # The ping task is the first to notice that the caller is gone.
        gone = asyncio.ensure_future(response.wait())
        gone.add_done_callback(lambda _: reader.close())
        try:
            with suppress(TimeoutError):
                async with response:
                    await send(response, reader)
        finally:
            await gone
        return response


def last_event_id(request: web.Request) -> int | None:
    """Where the caller left off; raises BadRequest for what is not an id of ours."""
    given = request.headers.get("Last-Event-ID", "")
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 18:
        raise BadRequest("Last-Event-ID must be an id from this stream", code="invalid_event_id")
    return int(given)


async def replay(
    db: Database, after_id: int, *, up_to: int, job_id: int | None = None
) -> AsyncIterator[Message]:
    """Stored events in order, a page at a time."""
    while True:
        page = await db.read(
            lambda tx: events.list_after(
                tx,
                after_id,  # noqa: B023 - read before the next turn
                limit=_REPLAY_PAGE,
                up_to=up_to,
                job_id=job_id,
            )
        )
        for row in page:
            yield message_of(row)
        if len(page) < _REPLAY_PAGE:
            return
        after_id = page[-1].id


def _kept_events(tx: ReadTx) -> tuple[int, int]:
    newest = events.newest_id(tx)
    oldest = events.oldest_id(tx)
    return (newest + 1 if oldest is None else oldest), newest


async def send_reset_if_lost(
    db: Database,
    response: EventSourceResponse,
    last_id: int,
    kept: Callable[[ReadTx], tuple[int, int]] = _kept_events,
) -> int:
    """Tell a caller whose place is gone; returns the id to replay from."""
    oldest, newest = await db.read(kept)
    if oldest - 1 <= last_id <= newest:
        return last_id
    # An id from the future is another database's: only what comes from now on is new.
    place = oldest - 1 if last_id < oldest else newest
    body = orjson.dumps({"type": "reset", "data": {"oldest_id": oldest, "newest_id": newest}})
    await response.send(body.decode(), id=str(place), event="reset")
    return place


async def send_message(response: EventSourceResponse, message: Message) -> None:
    """One event; a tick carries no id, so that a caller resumes from the last real one."""
    identifier = None if message.id is None else str(message.id)
    await response.send(message.text, id=identifier, event=message.type)


class _Masked(EventSourceResponse):
    """Tells of no id tokens."""

    async def send(self, data: str, *args: Any, **more: Any) -> None:
        """An event."""
        await super().send(masked_json(data.encode()).decode(), *args, **more)


@asynccontextmanager
async def _reader(call: Call[Any, Any]) -> AsyncIterator[Reader]:
    feed, caller = call.deps.feed, call.principal
    reader = await feed.open(caller.id, caller.session_id or "")
    end = None
    if caller.expires_at is not None:
        left_s = (caller.expires_at - call.deps.clock.now()).total_seconds()
        end = asyncio.get_running_loop().call_later(left_s, reader.close)
    try:
        yield reader
    finally:
        if end is not None:
            end.cancel()
        feed.leave(reader)
