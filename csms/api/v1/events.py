"""GET /api/v1/events: everything that happens, as it happens, with replay."""

from __future__ import annotations

from aiohttp import web
from aiohttp_sse import EventSourceResponse
from pydantic import Field

from csms.api import streams
from csms.api.feed import Message, Reader, sees
from csms.api.models import Query
from csms.api.routing import Call


class EventFilter(Query):
    """Which events to send; all conditions must hold."""

    types: str | None = Field(
        default=None,
        max_length=1000,
        description="Comma separated; `station.*` means every type that begins so.",
    )
    station_id: str | None = None
    job_id: str | None = None
    location_id: str | None = None

    def wants(self, message: Message) -> bool:
        """Whether the message passes."""
        return (
            (self.types is None or any(_is(message.type, one) for one in self.types.split(",")))
            and self.station_id in {None, message.station_uuid}
            and self.job_id in {None, message.job_uuid}
            and self.location_id in {None, message.location_uuid}
        )


async def stream_events(call: Call[None, EventFilter]) -> web.StreamResponse:
    """Replay from Last-Event-ID, then live; without one only what comes from now on."""
    db, principal, wanted = call.deps.db, call.principal, call.query
    last_id = streams.last_event_id(call.request)

    async def send(response: EventSourceResponse, reader: Reader) -> None:
        async def show(message: Message) -> None:
            if sees(principal, message) and wanted.wants(message):
                await streams.send_message(response, message)

        if last_id is not None:
            after = await streams.send_reset_if_lost(db, response, last_id)
            async for message in streams.replay(db, after, up_to=reader.start_id):
                await show(message)
        async for message in reader:
            await show(message)

    return await streams.stream(call, send)


def _is(event_type: str, pattern: str) -> bool:
    pattern = pattern.strip()
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return event_type == pattern
