"""Webhooks natively: who is told of events, what became of each, tests and new secrets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, field_validator

from csms.api import cursors
from csms.api.models import OneOf, Page, Strict, never_null
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import cursor_page
from csms.api.v1.webhook_shapes import (
    DeliveryDetail,
    DeliveryShape,
    WebhookSecret,
    WebhookShape,
    created,
    webhook_shape,
)
from csms.domain.event_types import PATTERNS
from csms.domain.permissions import Principal
from csms.domain.webhook_targets import LONGEST_URL, check_url
from csms.domain.webhooks import DeliveryState, Webhook, event_id_of, message_id
from csms.errors import Invalid, NotFound
from csms.jobs import webhook_feed
from csms.services import webhooks
from csms.store import locations as location_store
from csms.store import webhook_deliveries
from csms.store import webhooks as store
from csms.store.database import ReadTx, Tx
from csms.store.webhook_deliveries import Delivery

# A little longer than one delivery may take.
_TEST_WAITS_S = 60.0
EventType = Annotated[str, OneOf(PATTERNS), Field(examples=["station.*"])]
EventTypes = Annotated[
    list[EventType],
    Field(min_length=1, max_length=50, description="`station.*`: all that begin so; `*`: all."),
]
LocationIds = Annotated[list[str], Field(min_length=1, max_length=1000)]
Url = Annotated[
    str,
    Field(
        max_length=LONGEST_URL,
        pattern="^https?://",
        examples=["https://hooks.example.com/csms"],
        description="`https`, unless the settings allow the target.",
    ),
]
Parallel = Annotated[
    int, Field(ge=1, le=8, description="Deliveries under way at once; 1 keeps the order.")
]


class NewWebhook(Strict):
    """A webhook to add."""

    url: Url
    name: str = Field(default="", max_length=100)
    event_types: EventTypes = Field(default=["*"])
    location_ids: LocationIds | None = Field(
        default=None, description="Only what happens at these; null: all that the token reaches."
    )
    max_parallel: Parallel = 1
    enabled: bool = True


class WebhookChanges(Strict):
    """What is left out stays as it is."""

    url: Url | None = None
    name: str | None = Field(default=None, max_length=100)
    event_types: EventTypes | None = None
    location_ids: LocationIds | None = Field(
        default=None, description="null: all that the token reaches."
    )
    max_parallel: Parallel | None = None
    enabled: bool | None = None

    _is_always_known = field_validator("url", "name", "event_types", "max_parallel", "enabled")(
        never_null
    )


class Rotation(Strict):
    """How to change over to a new secret."""

    overlap_s: int = Field(
        default=86_400,
        ge=0,
        le=7 * 86_400,
        description="For so long the former secret signs too.",
    )


class DeliveriesQuery(Page):
    """Which deliveries to list."""

    state: DeliveryState | None = None


async def list_webhooks(call: Call[None, Page]) -> Reply:
    """Oldest first."""
    query = call.query
    after_id = cursors.read(query.cursor) or 0

    def look(tx: ReadTx) -> tuple[list[WebhookShape], int | None]:
        found = [
            webhook
            for webhook in store.list_all(tx)
            if webhook.id > after_id and webhooks.is_within(webhook, call.principal)
        ]
        shown = found[: query.limit]
        more = shown[-1].id if len(found) > len(shown) else None
        return [webhook_shape(tx, webhook) for webhook in shown], more

    shapes, more = await call.deps.db.read(look)
    return Reply(cursor_page(shapes, None if more is None else cursors.write(more)))


async def create(call: Call[NewWebhook, None]) -> Reply:
    """201 with the secret, once."""
    wanted = call.body
    check_url(wanted.url, call.deps.settings.webhook_targets)

    def make(tx: Tx) -> WebhookSecret:
        values = {
            **wanted.model_dump(),
            "location_ids": _location_ids(tx, wanted.location_ids, call.principal),
        }
        return created(tx, *webhooks.create(tx, call.deps.passwords.seal, **values))

    made = await call.deps.db.write(make)
    return Reply(made, status=201, headers={"Location": f"/api/v1/webhooks/{made.id}"})


async def show(call: Call[None, None]) -> Reply:
    """One webhook."""
    return Reply(await call.deps.db.read(lambda tx: webhook_shape(tx, _find(tx, call))))


async def change(call: Call[WebhookChanges, None]) -> Reply:
    """Enabled again, it is told of what happens from now on."""
    wanted = call.body.model_dump(exclude_unset=True)
    if "url" in wanted:
        check_url(wanted["url"], call.deps.settings.webhook_targets)

    def write(tx: Tx) -> WebhookShape:
        webhook = _find(tx, call)
        values = dict(wanted)
        if "location_ids" in values:
            values["location_ids"] = _location_ids(tx, values["location_ids"], call.principal)
        return webhook_shape(tx, webhooks.change(tx, webhook, values) if values else webhook)

    return Reply(await call.deps.db.write(write))


async def delete(call: Call[None, None]) -> Reply:
    """204; what is under way is given up."""
    await call.deps.db.write(lambda tx: webhooks.delete(tx, _find(tx, call)))
    return Reply(status=204)


async def rotate_secret(call: Call[Rotation | None, None]) -> Reply:
    """200 with the new secret, once."""
    overlap = timedelta(seconds=(call.body or Rotation()).overlap_s)

    def write(tx: Tx) -> WebhookSecret:
        seal = call.deps.passwords.seal
        return created(tx, *webhooks.rotate_secret(tx, _find(tx, call), seal, overlap=overlap))

    return Reply(await call.deps.db.write(write))


async def test(call: Call[None, None]) -> Reply:
    """200 with what became of it: one attempt, and its answer is waited for."""
    deps = call.deps
    webhook = await deps.db.read(lambda tx: _find(tx, call))
    job, event_id = await webhook_feed.test(deps.db, deps.engine, webhook)
    await deps.engine.settled(job.id, timeout_s=_TEST_WAITS_S)
    return Reply(await _detail(call, webhook, event_id))


async def list_deliveries(call: Call[None, DeliveriesQuery]) -> Reply:
    """Newest event first."""
    query = call.query
    before = cursors.read(query.cursor)

    def look(tx: ReadTx) -> tuple[Webhook, list[Delivery]]:
        webhook = _find(tx, call)
        return webhook, webhook_deliveries.list_page(
            tx, webhook.id, limit=query.limit + 1, before_event_id=before, state=query.state
        )

    webhook, found = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = cursors.write(shown[-1].event_id) if len(found) > len(shown) else None
    return Reply(cursor_page([DeliveryShape.of(webhook, one) for one in shown], more))


async def show_delivery(call: Call[None, None]) -> Reply:
    """With what was sent."""
    webhook, delivery = await call.deps.db.read(lambda tx: _find_delivery(tx, call))
    return Reply(await _detail(call, webhook, delivery.event_id))


async def redeliver(call: Call[None, None]) -> Reply:
    """202; it is sent with the same id and body."""
    deps = call.deps
    webhook, delivery = await deps.db.read(lambda tx: _find_delivery(tx, call))
    await webhook_feed.redeliver(deps.engine, webhook, delivery)
    return Reply(await _detail(call, webhook, delivery.event_id), status=202)


async def _detail(call: Call[Any, Any], webhook: Webhook, event_id: int) -> DeliveryDetail:
    found = await call.deps.db.read(lambda tx: webhook_deliveries.find(tx, webhook.id, event_id))
    if found is None:
        raise NotFound("Delivery not found")
    return DeliveryDetail.of(webhook, found)


def _find(tx: ReadTx, call: Call[Any, Any]) -> Webhook:
    return webhooks.get(tx, call.path["webhook_id"], call.principal)


def _find_delivery(tx: ReadTx, call: Call[Any, Any]) -> tuple[Webhook, Delivery]:
    webhook, given = _find(tx, call), call.path["delivery_id"]
    event_id = event_id_of(given)
    if event_id is None or message_id(webhook.uuid, event_id) != given:
        raise NotFound("Delivery not found")
    found = webhook_deliveries.find(tx, webhook.id, event_id)
    if found is None:
        raise NotFound("Delivery not found")
    return webhook, found


def _location_ids(
    tx: ReadTx, uuids: Collection[str] | None, principal: Principal
) -> frozenset[int] | None:
    """Those named, or as far as the caller reaches."""
    if uuids is None:
        return principal.location_ids
    found = set()
    for index, uuid in enumerate(uuids):
        location = location_store.find_by_uuid(tx, uuid)
        if location is None or not principal.reaches(location.id):
            raise Invalid("location not found", loc=("location_ids", index), given=uuid)
        found.add(location.id)
    return frozenset(found)
