"""From events to deliveries: in order, at least once, and never without bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from csms.clock import ManualClock, SystemClock
from csms.domain.sealing import Seal
from csms.domain.webhooks import Webhook, signature
from csms.errors import Conflict
from csms.events import Bus, Event
from csms.jobs import webhook_feed
from csms.jobs.kinds import webhook_delivery
from csms.jobs.kinds.webhook_delivery import WebhookRunner
from csms.jobs.webhook_feed import WebhookFeed
from csms.services import locations, webhooks
from csms.services.webhook_sending import Answer, DeliveryFailed, Sender
from csms.store import events, webhook_deliveries
from csms.store import webhooks as store
from csms.store.database import Database
from tests.jobs.conftest import Bench, EventLog, ScriptedFleet, ScriptedStations

SEAL = Seal(b"i" * 32)
TAKEN = Answer(204, "")
REFUSED = Answer(500, "no")


@dataclass
class Receiver:
    """Stands where the sender stands: notes what is sent, and answers as a test decides."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Any] = lambda _: TAKEN
    held: asyncio.Event | None = None
    waiting: int = 0

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        post = {"url": url, "body": body, **headers, **json.loads(body)}
        self.posts.append(post)
        if self.held is not None:
            self.waiting += 1
            try:
                await self.held.wait()
            finally:
                self.waiting -= 1
        answer = self.answer(post)
        if isinstance(answer, BaseException):
            raise answer
        return cast("Answer", answer)

    @property
    def told(self) -> list[int]:
        return [post["data"]["n"] for post in self.posts if post["type"] == "thing.happened"]


@dataclass
class WebhookBench(Bench):
    """A running engine and feed, and one receiver."""

    receiver: Receiver = field(default_factory=Receiver)
    feed: asyncio.Task[None] | None = None
    source: WebhookFeed | None = None

    def kinds(self):
        runner = WebhookRunner(
            db=self.db,
            clock=self.clock,
            seal=SEAL,
            sender=cast("Sender", self.receiver),
            disable_after_days=5,
        )
        return {runner.name: runner}

    async def listen(self) -> None:
        assert self.engine is not None
        self.source = feed = WebhookFeed(
            db=self.db,
            bus=self.bus,
            clock=SystemClock(),
            engine=self.engine,
            kept=timedelta(days=36_500),
            spacing_s=0.005,
        )
        self.feed = asyncio.create_task(feed.run())

    async def deafen(self) -> None:
        if self.feed is not None:
            self.feed.cancel()
            await asyncio.gather(self.feed, return_exceptions=True)

    async def webhook(self, **more: Any) -> Webhook:
        values = {"url": "https://hooks.example/", "name": "", "event_types": ["thing.*"]}
        values |= {"location_ids": None, "max_parallel": 1, "enabled": True}
        made, _ = await self.db.write(lambda tx: webhooks.create(tx, SEAL, **{**values, **more}))
        return made

    async def happen(self, *numbers: int, type_: str = "thing.happened", **more: Any) -> None:
        await self.db.write(
            lambda tx: [tx.emit(Event(type_, {"n": number}, **more)) for number in numbers]
        )

    async def states(self, webhook: Webhook) -> list[str]:
        page = await self.db.read(
            lambda tx: webhook_deliveries.list_page(tx, webhook.id, limit=10_000)
        )
        return [one.state.value for one in reversed(page)]

    async def show(self, webhook: Webhook) -> Webhook:
        return await self.db.read(lambda tx: store.get(tx, webhook.id))

    async def look_hard(self) -> None:
        """The feed has looked, whatever it waits for, and found nothing that it may open."""
        await self.deafen()
        assert self.source is not None
        for _ in range(3):
            self.source._resumes_at.clear()
            await self.source._round()
        await self.listen()

    async def until_tried(self, number: int) -> None:
        """So many attempts are journaled."""
        await self.until(lambda tx: tx.value("SELECT sum(attempts_used) FROM job_items") == number)

    async def until_(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await self.db.read(events.newest_id)  # lets everything go on

    async def until_states(self, webhook: Webhook, *expected: str) -> None:
        async with asyncio.timeout(20):
            while await self.states(webhook) != list(expected):  # noqa: ASYNC110
                await asyncio.sleep(0)


@pytest.fixture
async def bench(db: Database, bus: Bus, clock: ManualClock) -> AsyncIterator[WebhookBench]:
    made = WebhookBench(db, bus, clock, ScriptedStations(bus), ScriptedFleet(), EventLog(bus))
    await made.start()
    await made.listen()
    yield made
    await made.deafen()
    assert made.engine is not None
    await made.engine.stop(drain_s=0)


async def test_events_are_told_in_order_and_once(bench: WebhookBench) -> None:
    webhook = await bench.webhook()
    await bench.happen(*range(40))
    await bench.happen(*range(40, 60))
    await bench.until_states(webhook, *["delivered"] * 60)
    assert bench.receiver.told == list(range(60))
    assert [post["id"] for post in bench.receiver.posts] == sorted(
        {post["id"] for post in bench.receiver.posts}
    )


async def test_telling_makes_no_event(bench: WebhookBench) -> None:
    webhook = await bench.webhook(event_types=["*"])
    await bench.happen(1)
    await bench.until_states(webhook, "delivered")
    assert [event.type for event in bench.log.events] == ["webhook.created", "thing.happened"]


async def test_it_is_told_of_what_it_wants_where_it_wants(bench: WebhookBench) -> None:
    here, there = await bench.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("here", "there")]
    )
    bound = await bench.webhook(location_ids=[here.id], event_types=["thing.happened"])
    await bench.happen(1, location_id=here.id)
    await bench.happen(2, location_id=there.id)
    await bench.happen(3)
    await bench.happen(4, type_="thing.other", location_id=here.id)
    await bench.happen(5, location_id=here.id)
    await bench.until_states(bound, "delivered", "delivered")
    assert bench.receiver.told == [1, 5]
    assert bench.receiver.posts[0]["location_id"] == here.uuid


async def test_what_was_before_it_is_not_told(bench: WebhookBench) -> None:
    await bench.happen(1)
    webhook = await bench.webhook()
    await bench.happen(2)
    await bench.until_states(webhook, "delivered")
    assert bench.receiver.told == [2]


async def test_one_that_fails_comes_again_as_it_was_and_holds_up_no_other(
    bench: WebhookBench,
) -> None:
    bench.receiver.answer = lambda post: REFUSED if post["data"]["n"] == 1 else TAKEN
    webhook = await bench.webhook()
    await bench.happen(1, 2, 3)
    await bench.until_states(webhook, "pending", "delivered", "delivered")
    await bench.happen(4)
    await bench.until_states(webhook, "pending", "delivered", "delivered", "delivered")
    bench.receiver.answer = lambda _: TAKEN
    bench.advance(6)
    await bench.until_states(webhook, *["delivered"] * 4)
    assert bench.receiver.told == [1, 2, 3, 4, 1]
    first, *_, again = bench.receiver.posts
    assert (first["webhook-id"], first["body"]) == (again["webhook-id"], again["body"])
    assert int(again["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 6
    assert (await bench.show(webhook)).failing_since is None


async def test_a_batch_waits_until_everything_before_it_was_tried(bench: WebhookBench) -> None:
    bench.receiver.held = asyncio.Event()
    webhook = await bench.webhook()
    await bench.happen(1)
    await bench.until_(lambda: bench.receiver.waiting == 1)
    await bench.happen(2, 3)
    await bench.look_hard()
    assert await bench.states(webhook) == ["pending"]
    bench.receiver.held.set()
    await bench.until_states(webhook, *["delivered"] * 3)
    assert bench.receiver.told == [1, 2, 3]


async def test_as_many_at_once_as_it_asks_for(bench: WebhookBench) -> None:
    bench.receiver.held = asyncio.Event()
    await bench.webhook(max_parallel=4)
    await bench.happen(*range(10))
    await bench.until_(lambda: bench.receiver.waiting == 4)
    await bench.happen(*range(10, 20))
    await bench.look_hard()
    assert bench.receiver.waiting == 4
    bench.receiver.held.set()
    await bench.until_(lambda: len(bench.receiver.posts) == 20)


async def test_what_a_crash_interrupts_is_sent_again_under_its_id(bench: WebhookBench) -> None:
    bench.receiver.held = asyncio.Event()
    webhook = await bench.webhook()
    await bench.happen(1, 2, 3)
    await bench.until_(lambda: bench.receiver.waiting == 1)
    await bench.happen(4)  # nobody has looked at it yet
    await bench.deafen()
    await bench.crash()
    bench.receiver.held = None
    await bench.listen()
    await bench.until_states(webhook, *["delivered"] * 4)
    assert bench.receiver.told == [1, 1, 2, 3, 4]
    assert bench.receiver.posts[0]["webhook-id"] == bench.receiver.posts[1]["webhook-id"]


async def test_what_a_dead_receiver_is_owed_waits_where_it_is(
    bench: WebhookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_feed, "MOST_OPEN", 30)
    monkeypatch.setattr(webhook_feed, "BATCH", 20)
    bench.receiver.answer = lambda _: DeliveryFailed("nobody there")
    webhook = await bench.webhook()
    for begin_ in range(0, 200, 10):
        await bench.happen(*range(begin_, begin_ + 10))
    await bench.until_(lambda: len(bench.receiver.posts) >= 30)
    await bench.until_tried(30)
    await bench.look_hard()
    assert await bench.states(webhook) == ["pending"] * 30
    assert bench.engine is not None
    assert bench.engine.live_jobs < 30
    bench.receiver.answer = lambda _: TAKEN
    async with asyncio.timeout(20):
        while await bench.states(webhook) != ["delivered"] * 200:
            bench.advance(10)
            await asyncio.sleep(0)
    first_attempts = list(dict.fromkeys(bench.receiver.told))
    assert first_attempts == list(range(200))


async def test_a_receiver_that_takes_nothing_for_days_is_told_no_more(
    bench: WebhookBench,
) -> None:
    bench.receiver.answer = lambda _: DeliveryFailed("nobody there")
    webhook = await bench.webhook()
    await bench.happen(1)
    await bench.until_tried(1)
    bench.advance(4 * 86_400)
    await bench.until_states(webhook, "failed")  # tried for three days
    await bench.happen(2, 3)
    await bench.until_tried(3)
    assert (await bench.show(webhook)).enabled
    bench.advance(86_400)
    told = await bench.log.wait_for("webhook.disabled")
    assert "nobody there" in told.data["reason"]
    await bench.until_states(webhook, "failed", "failed", "failed")
    await bench.happen(4)
    assert not (await bench.show(webhook)).enabled
    await bench.db.write(
        lambda tx: webhooks.change(tx, store.get(tx, webhook.id), {"enabled": True})
    )
    bench.receiver.answer = lambda _: TAKEN
    await bench.happen(5)
    await bench.until_states(webhook, "failed", "failed", "failed", "delivered")
    assert bench.receiver.told[-1] == 5


async def test_a_receiver_that_is_gone_is_told_no_more(bench: WebhookBench) -> None:
    bench.receiver.answer = lambda _: Answer(410, "")
    webhook = await bench.webhook()
    await bench.happen(1, 2)
    await bench.log.wait_for("webhook.disabled")
    await bench.until_states(webhook, "failed", "failed")
    assert len(bench.receiver.posts) == 1


async def test_what_is_refused_by_one_that_takes_others_is_given_up(bench: WebhookBench) -> None:
    bench.receiver.answer = lambda post: REFUSED if post["data"]["n"] == 0 else TAKEN
    webhook = await bench.webhook()
    await bench.happen(0)
    await bench.until_tried(1)
    for attempt in range(1, webhook_delivery.REFUSALS):
        await bench.happen(attempt)
        await bench.until_tried(2 * attempt)
        bench.advance(5 * 2**attempt)
        await bench.until_tried(2 * attempt + 1)
    await bench.until_states(webhook, "failed", *["delivered"] * (webhook_delivery.REFUSALS - 1))
    assert bench.receiver.told.count(0) == webhook_delivery.REFUSALS


async def test_a_receiver_that_takes_nothing_is_tried_for_three_days(bench: WebhookBench) -> None:
    bench.receiver.answer = lambda _: REFUSED
    webhook = await bench.webhook()
    await bench.happen(1)
    for attempt in range(1, 30):
        await bench.until_tried(attempt)
        bench.advance(3600)
    assert await bench.states(webhook) == ["pending"]


@pytest.mark.parametrize(
    ("asked", "waits_s"),
    [
        ("1200", 1200),
        ("86400", 3600),
        ("9" * 200, 3600),
        ("Fri, 01 May 2026 12:20:00 GMT", 1200),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
    ],
)
async def test_a_receiver_that_asks_to_wait_is_left_alone_so_long(
    bench: WebhookBench, asked: str, waits_s: int
) -> None:
    bench.receiver.answer = lambda _: Answer(429, "", asked)
    webhook = await bench.webhook()
    now = bench.clock.now()
    await bench.happen(1)
    await bench.until_tried(1)
    (delivery,) = await bench.db.read(
        lambda tx: webhook_deliveries.list_page(tx, webhook.id, limit=1)
    )
    assert now + timedelta(seconds=waits_s) == delivery.next_attempt_at


async def test_a_receiver_that_asks_for_no_time_there_is_is_told_again(bench: WebhookBench) -> None:
    answers = [Answer(429, "", "Fri, 01 May 99999999999999999999 12:20:00 GMT"), TAKEN]
    bench.receiver.answer = lambda _: answers.pop(0)
    webhook = await bench.webhook()
    await bench.happen(1)
    await bench.until_tried(1)
    assert ["pending"] == await bench.states(webhook)
    bench.advance(3600)
    await bench.until_states(webhook, "delivered")


async def test_a_deleted_webhook_is_told_no_more(bench: WebhookBench) -> None:
    bench.receiver.answer = lambda _: REFUSED
    webhook = await bench.webhook()
    await bench.happen(1)
    await bench.until_(lambda: len(bench.receiver.posts) == 1)
    await bench.db.write(lambda tx: webhooks.delete(tx, webhook))
    assert bench.engine is not None
    await bench.until_(lambda: bench.engine.live_jobs == 0)
    await bench.happen(2)
    bench.advance(3600)
    await bench.look_hard()
    assert len(bench.receiver.posts) == 1
    await webhook_feed.forget(bench.db, kept=timedelta(days=7), clock=bench.clock)
    assert await bench.db.read(store.list_ids) == []


async def test_both_secrets_sign_while_they_are_valid(bench: WebhookBench) -> None:
    webhook, first = await bench.db.write(
        lambda tx: webhooks.create(
            tx,
            SEAL,
            url="https://hooks.example/",
            name="",
            event_types=["thing.*"],
            location_ids=None,
            max_parallel=1,
            enabled=True,
        )
    )
    changed, second = await bench.db.write(
        lambda tx: webhooks.rotate_secret(tx, webhook, SEAL, overlap=timedelta(hours=1))
    )
    await bench.happen(1)
    await bench.until_states(webhook, "delivered")
    bench.clock.advance(3600)
    await bench.happen(2)
    await bench.until_states(webhook, "delivered", "delivered")
    during, after = bench.receiver.posts
    for post, keys in ((during, [second, first]), (after, [second])):
        assert post["webhook-signature"] == signature(
            keys,
            message=post["webhook-id"],
            timestamp=int(post["webhook-timestamp"]),
            body=post["body"],
        )
    assert first not in changed.secrets
    assert second not in changed.secrets


async def test_secrets_do_not_pile_up(bench: WebhookBench) -> None:
    webhook = await bench.webhook()
    rotate = lambda hours: bench.db.write(  # noqa: E731 - said five times below
        lambda tx: webhooks.rotate_secret(
            tx, store.get(tx, webhook.id), SEAL, overlap=timedelta(hours=hours)
        )
    )
    for _ in range(webhooks.MOST_SECRETS - 1):
        await rotate(1)
    with pytest.raises(Conflict):
        await rotate(1)
    await rotate(0)


async def test_events_that_were_forgotten_before_their_turn_are_reported(
    bench: WebhookBench,
) -> None:
    webhook = await bench.webhook()
    await bench.deafen()
    await bench.happen(1, 2)
    bench.clock.advance(8 * 86_400)
    await bench.db.write(events.delete_old)
    await bench.happen(3)
    await bench.listen()
    await bench.until_states(webhook, "delivered")
    lost = await bench.log.wait_for("webhook.events_lost")
    assert lost.data["up_to_event_id"] - lost.data["after_event_id"] == 2
    assert bench.receiver.told == [3]


async def test_what_nobody_wants_is_looked_at_once(bench: WebhookBench) -> None:
    webhook = await bench.webhook()
    await bench.happen(*range(1200), type_="other.happened")
    await bench.happen(1)
    await bench.until_states(webhook, "delivered")
    newest = await bench.db.read(events.newest_id)
    assert (await bench.show(webhook)).seen_event_id == newest


async def test_the_place_of_a_quiet_webhook_is_stored_now_and_then(bench: WebhookBench) -> None:
    webhook = await bench.webhook()
    await bench.happen(1, 2, 3, type_="other.happened")
    newest = await bench.db.read(events.newest_id)
    source = bench.source
    assert source is not None
    await bench.until_(lambda: source._after(webhook) == newest)
    assert (await bench.show(webhook)).seen_event_id < newest
    await source._keep_house()
    assert (await bench.show(webhook)).seen_event_id == newest
    await bench.happen(4)
    await bench.until_states(webhook, "delivered")


async def test_a_webhook_that_changes_while_a_batch_is_made_gets_what_it_wants_now(
    bench: WebhookBench,
) -> None:
    webhook = await bench.webhook()
    await bench.deafen()
    source = bench.source
    assert source is not None
    await bench.happen(1)
    await bench.happen(2, type_="other.happened")
    _, (view,) = await bench.db.read(source._look)
    await bench.db.write(lambda tx: webhooks.change(tx, view.webhook, {"event_types": ["other.*"]}))
    await source._serve(view)
    assert await bench.states(webhook) == []
    await bench.listen()
    await bench.until_states(webhook, "delivered")
    assert [post["type"] for post in bench.receiver.posts] == ["other.happened"]


async def test_old_deliveries_are_forgotten_with_their_jobs(bench: WebhookBench) -> None:
    webhook = await bench.webhook()
    await bench.happen(1, 2)
    await bench.until_states(webhook, "delivered", "delivered")
    bench.clock.advance(6 * 86_400)
    await bench.happen(3)
    await bench.until_states(webhook, *["delivered"] * 3)
    bench.clock.advance(2 * 86_400)
    await webhook_feed.forget(bench.db, kept=timedelta(days=7), clock=bench.clock)
    assert await bench.states(webhook) == ["delivered"]
    left = await bench.db.read(
        lambda tx: (
            tx.value("SELECT count(*) FROM jobs"),
            tx.value("SELECT count(*) FROM job_items"),
        )
    )
    assert left == (1, 1)


async def test_a_job_that_a_person_cancels_leaves_nothing_pending(bench: WebhookBench) -> None:
    bench.receiver.answer = lambda _: REFUSED
    webhook = await bench.webhook()
    await bench.happen(1)
    await bench.until_(lambda: len(bench.receiver.posts) == 1)
    assert bench.engine is not None
    (run,) = bench.engine._board.runs.values()
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)
    await bench.engine.cancel(run.job)
    backlog = await bench.db.read(lambda tx: webhook_deliveries.backlog(tx, webhook.id))
    assert backlog.open == 0
    await bench.deafen()
    await bench.listen()
    await bench.until_states(webhook, "failed")
