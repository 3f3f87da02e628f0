"""Webhooks by REST: added, changed, tested, listed, sent again; within reach and role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from csms.clock import SystemClock
from csms.domain.permissions import Role
from csms.domain.webhooks import signature
from csms.events import Event
from csms.jobs.webhook_feed import WebhookFeed
from csms.services import locations, tokens
from csms.store import webhooks as store
from tests.api.conftest import Api

URL = "https://hooks.example.com/in"
ABSENT = "00000000-0000-4000-8000-000000000000"


@dataclass
class Receiver:
    """A real one."""

    url: str = ""
    status: int = 204
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.posts.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, text="because" if self.status >= 300 else None)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/in", made.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("/in"))
        yield made


@pytest.fixture
async def hooks(api: Api) -> AsyncIterator[Hooks]:
    feed = WebhookFeed(
        db=api.deps.db,
        bus=api.deps.bus,
        clock=SystemClock(),
        engine=api.deps.engine,
        kept=timedelta(days=36_500),
        spacing_s=0.005,
    )
    task = asyncio.create_task(feed.run())
    yield Hooks(api)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass
class Hooks:
    """Shorthands."""

    api: Api

    async def ok(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = await self.api.request(method, f"/api/v1/webhooks{path}", **more)
        assert answer.status == status, await answer.text()
        return await answer.json() if status != 204 else None

    async def add(self, **body: Any) -> Any:
        return await self.ok("POST", "", 201, json={"url": URL, **body})

    async def happen(self, number: int, **more: Any) -> None:
        await self.api.deps.db.write(
            lambda tx: tx.emit(Event("alert.raised", {"n": number}, **more))
        )

    async def deliveries(self, webhook: Any, **query: Any) -> list[Any]:
        page = await self.ok("GET", f"/{webhook['id']}/deliveries", params=query)
        return list(page["items"])

    async def until(self, webhook: Any, holds: Callable[[list[Any]], bool]) -> list[Any]:
        async with asyncio.timeout(20):
            while True:
                found = await self.deliveries(webhook)
                if holds(found):
                    return found

    async def location(self, name: str) -> Any:
        return await self.api.deps.db.write(lambda tx: locations.create(tx, name=name))

    async def bound(self, *location_ids: int, role: Role = Role.ADMIN) -> dict[str, str]:
        _, bearer = await self.api.deps.db.write(
            lambda tx: tokens.create(
                tx, name="bound", role=role, location_ids=frozenset(location_ids)
            )
        )
        return {"Authorization": f"Bearer {bearer}"}


def states(found: list[Any]) -> list[str]:
    return [one["state"] for one in found]


async def test_a_webhook_is_added_and_its_secret_shown_once(hooks: Hooks) -> None:
    made = await hooks.add(name="Billing", event_types=["transaction.*", "station.booted"])
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "name": "Billing",
        "url": URL,
        "event_types": ["station.booted", "transaction.*"],
        "location_ids": None,
        "max_parallel": 1,
        "enabled": True,
        "disabled_reason": None,
        "pending": 0,
        "failing_since": None,
        "last_success_at": None,
        "last_failure": None,
        "created_at": "2026-05-01T12:00:00.000000Z",
        "updated_at": "2026-05-01T12:00:00.000000Z",
    }
    assert await hooks.ok("GET", f"/{made['id']}") == made
    assert await hooks.ok("GET", "") == {"items": [made], "next_cursor": None}
    rows = await hooks.api.deps.db.read(
        lambda tx: [tuple(r) for r in tx.all("SELECT * FROM webhooks")]
    )
    assert secret not in str(rows)


async def test_a_repeated_request_adds_no_second_one(hooks: Hooks) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await hooks.ok("POST", "", 201, json={"url": URL}, headers=headers)
    again = await hooks.api.post("/api/v1/webhooks", json={"url": URL}, headers=headers)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert await again.json() == {**first, "secret": None}
    assert len((await hooks.ok("GET", ""))["items"]) == 1


async def test_events_arrive_signed_and_are_listed(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.add(url=receiver.url, event_types=["alert.*"])
    await hooks.happen(1)
    (listed,) = await hooks.until(made, lambda found: states(found) == ["delivered"])
    ((headers, body),) = receiver.posts
    assert headers["webhook-signature"] == signature(
        [made["secret"]],
        message=listed["id"],
        timestamp=int(headers["webhook-timestamp"]),
        body=body,
    )
    assert headers["webhook-id"] == listed["id"]
    assert (listed["attempts"], listed["response_status"], listed["error"]) == (1, 204, None)
    shown = await hooks.ok("GET", f"/{made['id']}/deliveries/{listed['id']}")
    assert shown.pop("payload") == {
        "type": "alert.raised",
        "timestamp": "2026-05-01T12:00:00.000000Z",
        "id": listed["event_id"],
        "station_id": None,
        "job_id": None,
        "location_id": None,
        "data": {"n": 1},
    }
    assert shown == listed


async def test_what_is_refused_says_why_and_when_it_is_tried_again(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.status = 503
    made = await hooks.add(url=receiver.url, event_types=["alert.*"])
    await hooks.happen(1)
    (listed,) = await hooks.until(made, lambda found: [one["attempts"] for one in found] == [1])
    assert listed["state"] == "pending"
    assert listed["error"] == {
        "code": "refused",
        "message": "HTTP 503: because",
        "retryable": True,
    }
    assert listed["next_attempt_at"] > "2026-05-01T12:00:00"
    shown = await hooks.ok("GET", f"/{made['id']}")
    assert (shown["pending"], shown["last_failure"]) == (1, "HTTP 503: because")
    assert shown["failing_since"] == "2026-05-01T12:00:00.000000Z"


async def test_a_test_waits_for_what_comes_of_it(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.add(url=receiver.url, event_types=["alert.*"], enabled=False)
    other = await hooks.add(url=receiver.url, event_types=["*"])
    taken = await hooks.ok("POST", f"/{made['id']}/test")
    assert (taken["state"], taken["type"]) == ("delivered", "webhook.test")
    receiver.status = 500
    refused = await hooks.ok("POST", f"/{made['id']}/test")
    assert (refused["state"], refused["attempts"]) == ("failed", 1)
    assert refused["error"]["message"] == "HTTP 500: because"
    assert (await hooks.ok("GET", f"/{made['id']}"))["failing_since"] is None
    assert "webhook.test" not in [one["type"] for one in await hooks.deliveries(other)]


async def test_a_delivery_is_sent_again_under_its_id(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.add(url=receiver.url, event_types=["alert.*"])
    await hooks.happen(1)
    (listed,) = await hooks.until(made, lambda found: states(found) == ["delivered"])
    path = f"/{made['id']}/deliveries/{listed['id']}/redeliver"
    headers = {"Idempotency-Key": "again"}
    await hooks.ok("POST", path, 202, headers=headers)
    await hooks.until(made, lambda found: states(found) == ["delivered"])
    await hooks.ok("POST", path, 202, headers=headers)
    await hooks.until(made, lambda found: states(found) == ["delivered"])
    (first, body), (again, same_body) = receiver.posts
    assert (first["webhook-id"], body) == (again["webhook-id"], same_body)


async def test_what_is_under_way_is_not_sent_again(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status = 500
    made = await hooks.add(url=receiver.url, event_types=["alert.*"])
    await hooks.happen(1)
    (listed,) = await hooks.until(made, lambda found: [one["attempts"] for one in found] == [1])
    path = f"/{made['id']}/deliveries/{listed['id']}/redeliver"
    assert (await hooks.ok("POST", path, 409))["code"] == "delivery_pending"
    await hooks.ok("PATCH", f"/{made['id']}", json={"enabled": False})
    await hooks.until(made, lambda found: states(found) == ["failed"])
    assert (await hooks.ok("POST", path, 409))["code"] == "webhook_disabled"
    receiver.status = 204
    await hooks.ok("PATCH", f"/{made['id']}", json={"enabled": True})
    await hooks.ok("POST", path, 202)
    await hooks.until(made, lambda found: states(found) == ["delivered"])


async def test_a_new_secret_and_the_former_one_both_sign(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.add(url=receiver.url)
    rotated = await hooks.ok("POST", f"/{made['id']}/rotate-secret")
    assert rotated["secret"] != made["secret"]
    await hooks.ok("POST", f"/{made['id']}/test")
    headers, body = receiver.posts[-1]
    assert headers["webhook-signature"] == signature(
        [rotated["secret"], made["secret"]],
        message=headers["webhook-id"],
        timestamp=int(headers["webhook-timestamp"]),
        body=body,
    )
    last = await hooks.ok("POST", f"/{made['id']}/rotate-secret", json={"overlap_s": 0})
    await hooks.ok("POST", f"/{made['id']}/test")
    headers, body = receiver.posts[-1]
    assert headers["webhook-signature"] == signature(
        [last["secret"]],
        message=headers["webhook-id"],
        timestamp=int(headers["webhook-timestamp"]),
        body=body,
    )


async def test_what_is_given_is_changed_and_the_rest_stays(hooks: Hooks) -> None:
    made = await hooks.add(name="Billing")
    made.pop("secret")
    changed = await hooks.ok(
        "PATCH", f"/{made['id']}", json={"max_parallel": 4, "event_types": ["job.done"]}
    )
    assert changed == {**made, "max_parallel": 4, "event_types": ["job.done"]}
    disabled = await hooks.ok("PATCH", f"/{made['id']}", json={"enabled": False})
    assert disabled["disabled_reason"] == "disabled by hand"
    assert await hooks.ok("PATCH", f"/{made['id']}", json={}) == disabled


async def test_a_deleted_webhook_is_gone(hooks: Hooks) -> None:
    made = await hooks.add()
    await hooks.ok("DELETE", f"/{made['id']}", 204)
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/rotate-secret"),
        ("GET", "/deliveries"),
        ("GET", "/deliveries/msg_1"),
        ("POST", "/deliveries/msg_1/redeliver"),
    ):
        more = {"json": {}} if method == "PATCH" else {}
        await hooks.ok(method, f"/{made['id']}{path}", 404, **more)
    assert await hooks.ok("GET", "") == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_only_admins_have_to_do_with_them(hooks: Hooks, role: str) -> None:
    made = await hooks.add()
    await hooks.ok("GET", "", 403, role=role)
    await hooks.ok("POST", "", 403, role=role, json={"url": URL})
    await hooks.ok("GET", f"/{made['id']}", 403, role=role)
    await hooks.ok("DELETE", f"/{made['id']}", 403, role=role)
    await hooks.ok("GET", "", 401, role=None)


async def test_a_bound_admin_has_to_do_with_those_within_its_reach(hooks: Hooks) -> None:
    here, there = await hooks.location("here"), await hooks.location("there")
    headers = await hooks.bound(here.id)
    everywhere = await hooks.add()
    elsewhere = await hooks.add(location_ids=[there.uuid])
    both = await hooks.add(location_ids=[here.uuid, there.uuid])
    mine = await hooks.add(location_ids=[here.uuid])
    for other in (everywhere, elsewhere, both):
        await hooks.ok("GET", f"/{other['id']}", 404, headers=headers)
        await hooks.ok("DELETE", f"/{other['id']}", 404, headers=headers)
        await hooks.ok("POST", f"/{other['id']}/rotate-secret", 404, headers=headers)
    own = await hooks.ok("POST", "", 201, headers=headers, json={"url": URL})
    assert own["location_ids"] == [here.uuid]
    listed = await hooks.ok("GET", "", headers=headers)
    assert [one["id"] for one in listed["items"]] == [mine["id"], own["id"]]
    wide = {"url": URL, "location_ids": [there.uuid]}
    refused = await hooks.ok("POST", "", 422, headers=headers, json=wide)
    assert refused["errors"][0]["pointer"] == "/location_ids/0"
    widened = await hooks.ok(
        "PATCH", f"/{mine['id']}", headers=headers, json={"location_ids": None}
    )
    assert widened["location_ids"] == [here.uuid]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": "http://hooks.example.com/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "/url"),
        ({"url": "https://user:password@hooks.example.com/"}, "/url"),
        ({"url": "https://hooks.example.com/" + "a" * 2000}, "/url"),
        ({"url": "https://hooks.example.com/\u0000"}, "/url"),
        ({"url": None}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": URL, "event_types": []}, "/event_types"),
        ({"url": URL, "event_types": ["*", "Station.*"]}, "/event_types/1"),
        ({"url": URL, "event_types": ["station*"]}, "/event_types/0"),
        ({"url": URL, "event_types": ["station.bootd"]}, "/event_types/0"),
        ({"url": URL, "event_types": ["*"] * 51}, "/event_types"),
        ({"url": URL, "location_ids": []}, "/location_ids"),
        ({"url": URL, "location_ids": [ABSENT]}, "/location_ids/0"),
        ({"url": URL, "max_parallel": 0}, "/max_parallel"),
        ({"url": URL, "max_parallel": 9}, "/max_parallel"),
        ({"url": URL, "name": "a" * 101}, "/name"),
        ({"url": URL, "secret": "whsec_mine"}, "/secret"),
    ],
)
async def test_what_makes_no_webhook(hooks: Hooks, body: Any, pointer: str) -> None:
    refused = await hooks.ok("POST", "", 422, json=body)
    assert refused["errors"][0]["pointer"] == pointer
    assert await hooks.api.deps.db.read(store.list_all) == []


async def test_ids_of_nothing_and_of_others_are_not_found(hooks: Hooks, receiver: Receiver) -> None:
    one, other = await hooks.add(url=receiver.url), await hooks.add(url=receiver.url)
    sent = await hooks.ok("POST", f"/{one['id']}/test")
    await hooks.ok("GET", f"/{one['id']}/deliveries/{sent['id']}")
    await hooks.ok("GET", f"/{other['id']}/deliveries/{sent['id']}", 404)
    for wrong in (sent["id"] + "0", "msg_x", "x" * 300, str(sent["event_id"]), "9" * 30):
        await hooks.ok("GET", f"/{one['id']}/deliveries/{wrong}", 404)
    await hooks.ok("GET", f"/{ABSENT}/deliveries", 404)


async def test_deliveries_are_paged_while_more_arrive(hooks: Hooks, receiver: Receiver) -> None:
    made = await hooks.add(url=receiver.url, event_types=["alert.*"])
    for number in range(7):
        await hooks.happen(number)
    await hooks.until(made, lambda found: states(found) == ["delivered"] * 7)
    path, seen, cursor = f"/{made['id']}/deliveries", [], None
    while True:
        query = {"limit": 3} | ({} if cursor is None else {"cursor": cursor})
        page = await hooks.ok("GET", path, params=query)
        seen += [one["event_id"] for one in page["items"]]
        await hooks.happen(99)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)
    assert await hooks.deliveries(made, state="failed") == []
    await hooks.ok("GET", path, 422, params={"cursor": "nonsense"})
    await hooks.ok("GET", path, 422, params={"state": "lost"})


async def test_webhooks_are_paged(hooks: Hooks) -> None:
    made = [(await hooks.add(name=str(number)))["id"] for number in range(5)]
    first = await hooks.ok("GET", "", params={"limit": 3})
    rest = await hooks.ok("GET", "", params={"limit": 3, "cursor": first["next_cursor"]})
    assert [one["id"] for one in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


async def test_there_is_a_limit(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csms.services.webhooks.MOST_WEBHOOKS", 2)
    await hooks.add()
    await hooks.add()
    refused = await hooks.ok("POST", "", 409, json={"url": URL})
    assert refused["code"] == "too_many_webhooks"
