"""The live event feed: read once from the store, handed to every open stream.

Theory of operation: the bus only wakes the feed; what it hands out are the rows themselves, so
live events and replayed ones cannot differ. Without open streams it does nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import structlog

from csms.api.times import micros
from csms.clock import Clock
from csms.domain.jobs import Job
from csms.domain.permissions import Principal, Scope
from csms.errors import CsmsError, Unavailable
from csms.events import Bus, Event, Tick
from csms.jobs.views import sees_all_jobs
from csms.store import events, jobs
from csms.store.database import Database
from csms.store.events import StoredEvent

log = structlog.get_logger(__name__)

_PAGE = 500
# A reader this far behind is cut; it comes back with Last-Event-ID and replays at its own pace.
MOST_WAITING = 5000
MOST_READERS = 200
# So that no token takes all of them.
MOST_OF_ONE = 40
TICK_EVERY_S = 0.25
JOB_ENDS = frozenset({"job.done", "job.cancelled", "job.failed"})


# Whoever had the token before comes back with what it may do now.
_RIGHTS_CHANGE = frozenset({"token.revoked", "token.updated", "session.ended"})


@dataclass(frozen=True, slots=True)
class Message:
    """One event or tick, written once for all readers; ticks have no id."""

    id: int | None
    type: str
    data: dict[str, Any]
    text: str
    station_uuid: str | None
    job_id: int | None
    job_uuid: str | None
    job_principal: str | None
    location_id: int | None
    location_uuid: str | None


class Reader:
    """One stream's bounded queue; iterate it until it is closed or cut."""

    def __init__(self, start_id: int, whose: frozenset[str] = frozenset()) -> None:
        self._whose = whose
        self.start_id = start_id
        """Everything after this id will come; what came before can be replayed."""
        self._waiting: deque[Message] = deque()
        self._woken = asyncio.Event()
        self.closed = False
        """Cut, left, or the server stops; nothing more comes."""

    def is_of(self, whose: tuple[str, ...]) -> bool:
        """Whether the same token opened it, or the same session."""
        return bool(whose) and self._whose.issuperset(whose)

    def offer(self, message: Message) -> None:
        """Queue it; a reader that lets too much pile up is cut."""
        if message.id is not None and message.id <= self.start_id:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.close()
            return
        self._waiting.append(message)
        self._woken.set()

    def close(self) -> None:
        """End the iteration; what waits is dropped."""
        self.closed = True
        self._woken.set()

    async def __aiter__(self) -> AsyncIterator[Message]:
        while not self.closed:
            if not self._waiting:
                self._woken.clear()
                await self._woken.wait()
                continue
            message = self._waiting.popleft()
            yield message
            if message.type in _RIGHTS_CHANGE and message.data["id"] in self._whose:
                return


class Feed:
    """Fans committed events and progress ticks out to readers."""

    def __init__(self, *, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._readers: set[Reader] = set()
        self._last_id = 0
        self._ticks: dict[int, Tick] = {}
        self._ticked_at = float("-inf")
        self._woken = asyncio.Event()
        self._closed = False
        bus.subscribe(Event, self._on_event)
        bus.subscribe(Tick, self._on_tick)

    async def open(self, *whose: str) -> Reader:
        """A reader of everything from now on, until its token changes or its session ends.

        Raises Unavailable when there are too many.
        """
        newest = await self._db.read(events.newest_id)
        if self._closed or len(self._readers) >= MOST_READERS:
            raise Unavailable("too many open event streams")
        if sum(reader.is_of(whose) for reader in self._readers) >= MOST_OF_ONE:
            raise Unavailable("too many open event streams of this token")
        if not self._readers:
            self._last_id = max(self._last_id, newest)
        reader = Reader(self._last_id, frozenset(whose))
        self._readers.add(reader)
        self._woken.set()
        return reader

    def leave(self, reader: Reader) -> None:
        """The stream is over."""
        reader.close()
        self._readers.discard(reader)

    def close(self) -> None:
        """End every stream; the server stops."""
        self._closed = True
        for reader in self._readers:
            reader.close()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._deliver_events()
                await self._deliver_ticks()
            except CsmsError as error:
                log.warning("event feed interrupted", error=error.message)
            except Exception:  # outermost loop of the task: the next wake tries again
                log.exception("event feed failed")

    def _on_event(self, event: Event) -> None:
        if self._readers:
            self._woken.set()

    def _on_tick(self, tick: Tick) -> None:
        if self._readers and tick.job_id is not None:
            self._ticks[tick.job_id] = tick  # the newest progress replaces an older one
            self._woken.set()

    async def _deliver_events(self) -> None:
        while self._readers:
            after = self._last_id
            rows = await self._db.read(lambda tx: events.list_after(tx, after, limit=_PAGE))  # noqa: B023
            for row in rows:
                if row.id > self._last_id:
                    self._last_id = row.id
                    self._hand_out(message_of(row))
                if row.type in JOB_ENDS and row.job_id is not None:
                    self._ticks.pop(row.job_id, None)  # progress never follows the end
            if len(rows) < _PAGE:
                return

    async def _deliver_ticks(self) -> None:
        if not self._ticks:
            return
        wait_s = self._ticked_at + TICK_EVERY_S - self._clock.monotonic()
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._woken.set)
            return
        ticks, self._ticks = self._ticks, {}
        self._ticked_at = self._clock.monotonic()
        live = await self._db.read(lambda tx: [jobs.get(tx, job_id) for job_id in ticks])
        for job in live:
            self._hand_out(_progress(ticks[job.id], job))

    def _hand_out(self, message: Message) -> None:
        for reader in self._readers:
            reader.offer(message)


def message_of(row: StoredEvent) -> Message:
    """A stored event as every stream shows it."""
    shown = {
        "id": row.id,
        "type": row.type,
        "at": micros(row.at),
        "station_id": row.station_uuid,
        "job_id": row.job_uuid,
        "location_id": row.location_uuid,
        "data": row.data,
    }
    return Message(
        id=row.id,
        type=row.type,
        data=row.data,
        text=orjson.dumps(shown).decode(),
        station_uuid=row.station_uuid,
        job_id=row.job_id,
        job_uuid=row.job_uuid,
        job_principal=row.job_principal,
        location_id=row.location_id,
        location_uuid=row.location_uuid,
    )


def sees(principal: Principal, message: Message) -> bool:
    """Reach: stations by their location, jobs by who submitted them."""
    if message.type.startswith(("token.", "session.")):
        return principal.may(Scope.TOKENS_MANAGE) and principal.location_ids is None
    if message.job_id is not None and message.job_principal != principal.id:
        return sees_all_jobs(principal)
    return message.job_id is not None or principal.reaches(message.location_id)


def _progress(tick: Tick, job: Job) -> Message:
    data = {"state": job.state.value, "counters": asdict(job.counters)}
    shown = {"type": tick.type, "job_id": job.uuid, "data": data}
    return Message(
        id=None,
        type=tick.type,
        data=data,
        text=orjson.dumps(shown).decode(),
        station_uuid=None,
        job_id=job.id,
        job_uuid=job.uuid,
        job_principal=job.principal,
        location_id=job.location_id,
        location_uuid=None,
    )
