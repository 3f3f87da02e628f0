"""GET /api/v1/events: everything that happens, as it happens, with replay."""

from __future__ import annotations

from aiohttp import web
from aiohttp_sse import EventSourceResponse
from pydantic import Field, field_validator

from csms.api import streams
from csms.api.feed import Message, Reader, sees
from csms.api.models import Query
from csms.api.routing import Call
from csms.api.v1 import stations
from csms.domain.event_types import PATTERNS, PROGRESS
from csms.domain.permissions import Principal
from csms.domain.webhooks import matches
from csms.jobs import views
from csms.services import locations
from csms.store.database import ReadTx


class EventFilter(Query):
    """Which events to send; all conditions must hold."""

    types: str | None = Field(
        default=None,
        max_length=1000,
        description="Comma separated; `station.*` means every type that begins so.",
    )
    station_id: str | None = Field(default=None, description="Or `identity:<x>`.")
    job_id: str | None = None
    location_id: str | None = None
    since: int | None = Field(
        default=None,
        ge=0,
        lt=10**18,
        description="An id: first what came after it, as with `Last-Event-ID`, which goes before.",
    )

    @field_validator("types")
    @classmethod
    def _are_known(cls, given: str | None) -> str | None:
        for one in (given or "*").split(","):
            if one.strip() not in {*PATTERNS, PROGRESS}:
                raise ValueError(f"`{one.strip()}` is none of {', '.join(PATTERNS)}, {PROGRESS}")
        return given

    def resolved(self, tx: ReadTx, principal: Principal) -> EventFilter:
        """With the public id of the station; raises NotFound for what there is not."""
        station_id = self.station_id
        if station_id is not None:
            station_id = stations.find(tx, station_id, principal).uuid
        if self.location_id is not None:
            locations.get(tx, self.location_id, principal)
        if self.job_id is not None:
            views.find_visible(tx, self.job_id, principal)
        return self.model_copy(update={"station_id": station_id})

    def wants(self, message: Message) -> bool:
        """Whether the message passes."""
        return (
            self._names(message.type)
            and self.station_id in {None, message.station_uuid}
            and self.job_id in {None, message.job_uuid}
            and self.location_id in {None, message.location_uuid}
        )

    def _names(self, event_type: str) -> bool:
        return any(matches(event_type, one.strip()) for one in (self.types or "*").split(","))


async def stream_events(call: Call[None, EventFilter]) -> web.StreamResponse:
    """Replay from where the caller left, then live; else only what comes from now on."""
    db, principal = call.deps.db, call.principal
    wanted = await db.read(lambda tx: call.query.resolved(tx, principal))
    last_id = streams.last_event_id(call.request)
    if last_id is None:
        last_id = call.query.since

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
