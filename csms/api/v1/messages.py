"""The message log natively: every CALL with its answer, of one station and of all."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from csms.api import cursors, following, personal, streams, times
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import Instant, cursor_page
from csms.clock import from_micros
from csms.domain.lint import Direction
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.store import ocpp_messages as store
from csms.store.database import ReadTx
from csms.store.ocpp_messages import Found, Message, MessageFilter, Search

NDJSON = "application/x-ndjson"
Action = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class CallState(str, Enum):
    """What became of a CALL."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    TIMEOUT = "timeout"
    LOST = "lost"
    IGNORED = "ignored"


class MessageShape(Shape):
    """One CALL and its answer."""

    id: int | None = Field(description="Null while the answer is waited for.")
    station_id: str
    identity: str
    direction: Direction = Field(description="`in`: from the station, `out`: to it.")
    ocpp_version: OcppVersion
    action: str
    message_id: str
    payload: Any = Field(description="Without passwords; what is not JSON is text.")
    answer: Any = Field(description="The payload of the CALLRESULT, or the CALLERROR.")
    error_code: str | None
    state: CallState = Field(
        description="`failed`: a CALLERROR; `lost`: the connection went first; `ignored`: it was"
        " not answered."
    )
    verdict: str | None = Field(description="Why the schema refused it; `late`: after the time.")
    started_at: Instant
    latency_ms: float | None

    @classmethod
    def of(cls, found: Found) -> MessageShape:
        """The message as it is shown."""
        return cls.unstored(found.message, found.station_uuid, found.identity, found.id)

    @classmethod
    def unstored(
        cls, message: Message, station_uuid: str, identity: str, row_id: int | None = None
    ) -> MessageShape:
        """One that goes on."""
        return cls(
            id=row_id,
            station_id=station_uuid,
            identity=identity,
            direction=Direction(message.direction),
            ocpp_version=OcppVersion(message.version),
            action=message.action,
            message_id=message.message_id,
            payload=_content(message.payload),
            answer=_content(message.answer),
            error_code=message.error_code,
            state=CallState(message.state),
            verdict=message.verdict,
            started_at=times.micros(from_micros(message.started_at)),
            latency_ms=None if message.latency_us is None else message.latency_us / 1000,
        )


class MessagePage(Shape):
    """The newest first; the one that is waited for before those that are over."""

    items: list[MessageShape]
    next_cursor: str | None = Field(
        description="A page with a filter may be short, and still not be the last one."
    )


class MessageQuery(Page):
    """Which messages to list; the times are those of the CALLs."""

    action: list[Action] = Field(default=[], max_length=50)
    hide: list[str] = Field(
        default=[], max_length=50, description="Actions to leave out, also separated by commas."
    )
    direction: Direction | None = None
    state: CallState | None = None
    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = Field(default=None, description="Not itself included.")
    follow: bool = Field(
        default=False,
        description="Server-sent events instead of a page: what is over from now on, or since"
        " `Last-Event-ID`.",
    )

    def narrowed(self, principal: Principal, station: Station | None) -> MessageFilter:
        """As the store looks for them."""
        hidden = [name.strip() for given in self.hide for name in given.split(",")]
        return MessageFilter(
            station_id=None if station is None else station.id,
            location_ids=principal.location_ids,
            actions=tuple(self.action),
            hidden=tuple(name for name in hidden if name),
            direction=self.direction and self.direction.value,
            state=self.state and self.state.value,
            since=self.from_,
            until=self.to,
        )


async def list_messages(call: Call[None, MessageQuery]) -> Reply | web.StreamResponse:
    """Of every station the token reaches, once they are over."""
    wanted = call.query.narrowed(call.principal, None)
    if call.query.follow:
        return await _follow(call, wanted)
    await call.deps.message_log.flush()
    return await _answer(call, wanted, [])


async def list_of_station(call: Call[None, MessageQuery]) -> Reply | web.StreamResponse:
    """Of one station, with those that an answer is waited for."""
    deps = call.deps
    station = await deps.db.read(
        lambda tx: stations.find(tx, call.path["station_id"], call.principal)
    )
    wanted = call.query.narrowed(call.principal, station)
    if call.query.follow:
        return await _follow(call, wanted)
    pending = deps.hub.pending_messages(station.id) if call.query.cursor is None else []
    await deps.message_log.flush()
    going_on = [
        MessageShape.unstored(message, station.uuid, station.identity)
        for message in sorted(pending, key=lambda message: -message.started_at)
        if wanted.takes(message)
    ]
    return await _answer(call, wanted, going_on)


async def _follow(call: Call[None, MessageQuery], wanted: MessageFilter) -> web.StreamResponse:
    for name in ("limit", "cursor"):
        if name in call.query.model_fields_set:
            raise Invalid("is of pages, and `follow` has none", loc=(name,), where="query")
    if call.query.state is CallState.PENDING:
        raise Invalid("is not followed, only what is over", loc=("state",), where="query")
    return await following.follow(
        call, wanted, lambda found: MessageShape.of(found).model_dump_json()
    )


async def _answer(
    call: Call[None, MessageQuery], wanted: MessageFilter, going_on: list[MessageShape]
) -> Reply | web.StreamResponse:
    streams.last_event_id(call.request)  # one that cannot be is refused here as well
    before_id = cursors.read(call.query.cursor)
    if NDJSON in call.request.headers.get("Accept", ""):
        return await _stream(call, wanted, going_on, before_id)
    search = await call.deps.db.read(_look(wanted, call.query.limit, before_id))
    more = None if search.before_id is None else cursors.write(search.before_id)
    return Reply(cursor_page([*_still(going_on, search), *_shown(search)], more))


async def _stream(
    call: Call[None, MessageQuery],
    wanted: MessageFilter,
    going_on: list[MessageShape],
    before_id: int | None,
) -> web.StreamResponse:
    """All of it, a line each; a caller who does not read holds nothing up but himself."""
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(call.request)
    while True:
        search = await call.deps.db.read(_look(wanted, 500, before_id))
        lines = [*_still(going_on, search), *_shown(search)]
        await response.write("".join(_line(call, one) for one in lines).encode())
        going_on, before_id = [], search.before_id
        if before_id is None:
            break
    await response.write_eof()
    return response


def _line(call: Call[None, MessageQuery], shown: MessageShape) -> str:
    return personal.shown_text(call.principal, shown.model_dump_json()) + "\n"


def _look(wanted: MessageFilter, limit: int, before_id: int | None) -> Callable[[ReadTx], Search]:
    return lambda tx: store.search(tx, wanted, limit=limit, before_id=before_id)


def _shown(search: Search) -> list[MessageShape]:
    return [MessageShape.of(found) for found in search.found]


def _still(going_on: list[MessageShape], search: Search) -> list[MessageShape]:
    """Without those that ended while we looked."""
    over = {(found.message.direction, found.message.message_id) for found in search.found}
    return [one for one in going_on if (one.direction.value, one.message_id) not in over]


def _content(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
