"""From events to deliveries: which events each webhook is owed, as jobs, a batch at a time.

The table of events is the queue: each webhook has a place in it, which moves in the transaction
that accepts the job. So a crash neither loses an event nor prepares it twice, and a receiver that
is away costs no more than the batches that are open; the rest of its events waits in the table.

A batch is opened when everything before it has been tried once, so the first attempts follow the
order of the events; and the more batches are still open, the longer the next one is waited for.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import orjson
import structlog

from csms.clock import Clock, to_micros
from csms.domain.jobs import Job
from csms.domain.webhooks import TEST_EVENT, Webhook
from csms.errors import Conflict, CsmsError
from csms.events import Bus, Event
from csms.jobs.engine import Engine
from csms.jobs.kinds import webhook_delivery as kind
from csms.services import webhooks as service
from csms.store import events, jobs, webhook_deliveries, webhooks
from csms.store.database import Database, ReadTx, Tx
from csms.store.events import StoredEvent
from csms.store.webhook_deliveries import Backlog, Delivery, NewDelivery

log = structlog.get_logger(__name__)

BATCH = 500
MOST_OPEN = 1000
"""Deliveries of one webhook that are prepared and not over."""
SPACING_S = 1.0
KEEP_HOUSE_EVERY_S = 3600.0
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class _View:
    """A webhook, what of it is open, and the events that come next."""

    webhook: Webhook
    backlog: Backlog
    pause_s: float
    """How long no further batch may be opened; then the events were not looked at."""
    rows: list[StoredEvent]
    oldest_id: int


class _Moved(Exception):
    """The webhook was changed between the look and the write."""


class WebhookFeed:
    """One task: looks whenever something happens, and again while something is left."""

    def __init__(
        self,
        *,
        db: Database,
        bus: Bus,
        clock: Clock,
        engine: Engine,
        kept: timedelta,
        spacing_s: float = SPACING_S,
    ) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._engine = engine
        self._kept = kept
        self._spacing_s = spacing_s
        self._news = asyncio.Event()
        self._changed = True
        """A webhook was added, changed or removed."""
        self._listening = False
        """There is a webhook that is enabled."""
        self._seen: dict[int, int] = {}
        """Event ids up to which there is nothing for a webhook; stored now and then."""
        self._batched_at: dict[int, float] = {}
        self._resumes_at: dict[int, float] = {}
        """Webhooks that are not looked at before, whatever happens."""
        self._house_kept_at = float("-inf")

    async def run(self) -> None:
        """Until cancelled."""
        unsubscribe = self._bus.subscribe(Event, self._on_event)
        try:
            while True:
                self._news.clear()
                delay_s = await self._guarded_round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay_s):
                        await self._news.wait()
                        # What happens within a moment is one look.
                        await asyncio.sleep(self._spacing_s / 20)
        finally:
            unsubscribe()

    def _on_event(self, event: Event) -> None:
        if event.type.startswith("webhook."):
            self._changed = True
            self._news.set()
        elif self._listening:
            self._news.set()

    async def _guarded_round(self) -> float:
        try:
            if self._clock.monotonic() - self._house_kept_at >= KEEP_HOUSE_EVERY_S:
                await self._keep_house()
                self._house_kept_at = self._clock.monotonic()
            if self._changed:
                self._changed = False
                self._resumes_at.clear()
                await self._call_off()
            return await self._round()
        except CsmsError as error:
            log.warning("webhooks are waiting for the store", reason=error.code)
        except Exception:  # outermost loop of the task: the next round tries again
            log.exception("webhook feed failed")
        self._changed = True
        return 10 * self._spacing_s

    async def _round(self) -> float:
        """Open what can be opened; seconds until the next look."""
        now = self._clock.monotonic()
        self._resumes_at = {one: at for one, at in self._resumes_at.items() if at > now}
        self._listening = True  # what comes while we look may be after what we saw
        found, views = await self._db.read(self._look)
        self._listening = found or self._changed
        for view in views:
            pause_s = await self._serve(view)
            if pause_s is not None:
                self._resumes_at[view.webhook.id] = now + pause_s
        until = min(self._resumes_at.values(), default=now + KEEP_HOUSE_EVERY_S)
        return max(0, until - self._clock.monotonic())

    def _look(self, tx: ReadTx) -> tuple[bool, list[_View]]:
        """Whether there is a webhook to serve, and those that may be served now."""
        oldest = events.oldest_id(tx)
        oldest_id = events.newest_id(tx) + 1 if oldest is None else oldest
        enabled = [webhook for webhook in webhooks.list_all(tx) if webhook.enabled]
        pages: dict[int, list[StoredEvent]] = {}
        views = []
        for webhook in enabled:
            if webhook.id in self._resumes_at:
                continue
            backlog = webhook_deliveries.backlog(tx, webhook.id)
            pause_s, rows = self._pause_s(webhook, backlog), []
            if pause_s <= 0:
                after = self._after(webhook)
                if after not in pages:  # most are at the same place
                    pages[after] = events.list_after(tx, after, limit=BATCH)
                rows = pages[after]
            views.append(_View(webhook, backlog, pause_s, rows, oldest_id))
        return bool(enabled), views

    def _after(self, webhook: Webhook) -> int:
        return max(webhook.seen_event_id, self._seen.get(webhook.id, 0))

    async def _serve(self, view: _View) -> float | None:
        """Open a batch; seconds until the next look, None: when something happens."""
        webhook, rows = view.webhook, view.rows
        if view.pause_s > 0:
            return view.pause_s
        if self._after(webhook) < view.oldest_id - 1:
            await self._db.write(lambda tx: service.lose(tx, webhook, up_to=view.oldest_id - 1))
            return 0
        owed = [row for row in rows if _wants(webhook, row)]
        if not owed:
            if rows:
                self._seen[webhook.id] = rows[-1].id
            return 0 if len(rows) == BATCH else None
        room = MOST_OPEN - view.backlog.open
        up_to = rows[-1].id if len(owed) <= room else owed[room - 1].id
        await self._open(webhook, owed[:room], up_to=up_to)
        return self._spacing_s

    def _pause_s(self, webhook: Webhook, backlog: Backlog) -> float:
        spacing_s = self._spacing_s * max(1, backlog.jobs)
        if backlog.untried or backlog.open >= MOST_OPEN:
            return spacing_s
        batched_at = self._batched_at.get(webhook.id, float("-inf"))
        return batched_at + spacing_s - self._clock.monotonic()

    async def _open(self, webhook: Webhook, owed: list[StoredEvent], *, up_to: int) -> None:
        deliveries = [NewDelivery(row.id, row.type, _payload(row)) for row in owed]

        def also(tx: Tx, job: Job) -> None:
            if not webhooks.advance(tx, webhook, to=up_to):
                raise _Moved
            webhook_deliveries.insert_many(tx, webhook.id, job.id, deliveries)

        order = kind.submission(webhook, [row.id for row in owed])
        with suppress(_Moved):
            await self._engine.submit(order, also=also)
        self._batched_at[webhook.id] = self._clock.monotonic()

    async def _call_off(self) -> None:
        """Stop the jobs of webhooks that are told nothing more."""

        def stray(tx: ReadTx) -> list[Job]:
            return [
                job
                for job in jobs.list_live(tx)
                if job.kind == kind.KIND
                and not kind.is_owed(job, webhooks.find(tx, job.params["webhook"]))
            ]

        for job in await self._db.read(stray):
            await self._engine.cancel(job)
        await self._db.write(webhook_deliveries.settle_stopped)

    async def _keep_house(self) -> None:
        """Store how far it is for the quiet ones; forget what is old, and who is deleted."""
        views = await self._db.read(webhooks.list_all)
        for webhook in views:
            seen = self._after(webhook)
            if webhook.enabled and seen > webhook.seen_event_id:
                await self._db.write(partial(webhooks.advance, webhook=webhook, to=seen))
        await self._db.write(webhook_deliveries.settle_stopped)
        await forget(self._db, kept=self._kept, clock=self._clock)


async def forget(db: Database, *, kept: timedelta, clock: Clock) -> None:
    """Delete old deliveries with their jobs, and all of a deleted webhook, a chunk at a time."""
    before = to_micros(clock.now() - kept)
    here = {webhook.id for webhook in await db.read(webhooks.list_all)}
    for webhook_id in await db.read(webhooks.list_ids):
        until = before if webhook_id in here else 2**62
        old = partial(
            webhook_deliveries.delete_old, webhook_id=webhook_id, before=until, limit=_CHUNK
        )
        while await db.write(old):
            continue
    jobs_of_old = partial(webhook_deliveries.delete_jobs, kind=kind.KIND, before=before, limit=1)
    while await db.write(jobs_of_old):
        continue
    await db.write(webhooks.delete_emptied)


async def test(db: Database, engine: Engine, webhook: Webhook) -> tuple[Job, int]:
    """Send a webhook an event of its own, once, enabled or not; the job and the event's id."""

    def emit(tx: Tx) -> int:
        return tx.emit(Event(TEST_EVENT, {"webhook_id": webhook.uuid, "name": webhook.name}))

    event_id = await db.write(emit)
    (row,) = await db.read(lambda tx: events.list_after(tx, event_id - 1, limit=1))
    delivery = NewDelivery(event_id, row.type, _payload(row))
    accepted = await engine.submit(
        kind.submission(webhook, [event_id], is_test=True),
        also=lambda tx, job: webhook_deliveries.insert_many(tx, webhook.id, job.id, [delivery]),
    )
    return accepted.job, event_id


async def redeliver(engine: Engine, webhook: Webhook, delivery: Delivery) -> None:
    """Tell the webhook of the event once more; raises Conflict while it is being told."""
    if not webhook.enabled:
        raise Conflict("the webhook is disabled", code="webhook_disabled")

    def also(tx: Tx, job: Job) -> None:
        current = webhook_deliveries.find(tx, webhook.id, delivery.event_id)
        if current is None or current.job_id != delivery.job_id or current.is_pending:
            raise Conflict("the delivery is under way", code="delivery_pending")
        webhook_deliveries.begin_again(tx, webhook.id, delivery.event_id, job_id=job.id)

    await engine.submit(kind.submission(webhook, [delivery.event_id]), also=also)


def _wants(webhook: Webhook, row: StoredEvent) -> bool:
    return webhook.wants(row.type, location_id=row.location_id, job_id=row.job_id)


def _payload(row: StoredEvent) -> str:
    """Standard Webhooks' `type`, `timestamp` and `data`, and the ids that the event feed has."""
    shown = {
        "type": row.type,
        "timestamp": row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "id": row.id,
        "station_id": row.station_uuid,
        "job_id": row.job_uuid,
        "location_id": row.location_uuid,
        "data": row.data,
    }
    return orjson.dumps(shown).decode()
