"""Server-sent events over the feed: replay, then live, until one side has enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import orjson
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from csms.api.feed import Feed, Message, Reader, message_of
from csms.errors import BadRequest
from csms.store import events
from csms.store.database import Database, ReadTx

PING_EVERY_S = 15
# A reader that takes nothing for this long is cut; it can come back with Last-Event-ID.
SEND_TIMEOUT_S = 30
_REPLAY_PAGE = 500

Send = Callable[[EventSourceResponse, Reader], Awaitable[None]]


async def stream(request: web.Request, feed: Feed, send: Send) -> web.StreamResponse:
    """Answer `request` with what `send` writes, until it returns or the caller goes."""
    async with _reader(feed) as reader:
        response = EventSourceResponse(
            sep="\n", send_timeout=SEND_TIMEOUT_S, ping_interval=PING_EVERY_S
        )
        await response.prepare(request)
        # The ping task is the first to notice that the caller is gone.
        gone = asyncio.ensure_future(response.wait())
        gone.add_done_callback(lambda _: reader.close())
        with suppress(ConnectionResetError, TimeoutError):
            async with response:
                await send(response, reader)
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


async def send_reset_if_lost(db: Database, response: EventSourceResponse, last_id: int) -> int:
    """Tell a caller whose place is gone; returns the id to replay from."""

    def bounds(tx: ReadTx) -> tuple[int, int]:
        newest = events.newest_id(tx)
        oldest = events.oldest_id(tx)
        return (newest + 1 if oldest is None else oldest), newest

    oldest, newest = await db.read(bounds)
    if oldest - 1 <= last_id <= newest:
        return last_id
    body = orjson.dumps({"type": "reset", "data": {"oldest_id": oldest, "newest_id": newest}})
    await response.send(body.decode(), id=str(oldest - 1), event="reset")
    # An id from the future is another database's: only what comes from now on is new.
    return oldest - 1 if last_id < oldest else newest


async def send_message(response: EventSourceResponse, message: Message) -> None:
    """One event; a tick carries no id, so that a caller resumes from the last real one."""
    identifier = None if message.id is None else str(message.id)
    await response.send(message.text, id=identifier, event=message.type)


@asynccontextmanager
async def _reader(feed: Feed) -> AsyncIterator[Reader]:
    reader = await feed.open()
    try:
        yield reader
    finally:
        feed.leave(reader)
