"""Webhooks and their deliveries as they are shown natively."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.api.v1.shapes import ErrorShape, Instant
from csms.domain.webhooks import DeliveryState, Webhook, message_id
from csms.store import locations as location_store
from csms.store import webhook_deliveries
from csms.store.database import ReadTx
from csms.store.webhook_deliveries import Delivery


class WebhookShape(Shape):
    """A receiver of events."""

    id: str
    name: str
    url: str
    event_types: list[str]
    location_ids: list[str] | None = Field(
        description="null: not bound, and told of jobs and the server too."
    )
    max_parallel: int
    enabled: bool
    disabled_reason: str | None
    pending: int = Field(description="Deliveries prepared and not over.")
    failing_since: Instant | None = Field(description="null: the last one was taken.")
    last_success_at: Instant | None
    last_failure: str | None
    created_at: Instant
    updated_at: Instant


class WebhookSecret(WebhookShape):
    """A webhook with its newest secret."""

    secret: str | None = Field(
        description="Shown this once; null when an Idempotency-Key found an earlier answer."
    )


class WebhookPage(Shape):
    """Webhooks, oldest first."""

    items: list[WebhookShape]
    next_cursor: str | None


class DeliveryShape(Shape):
    """One event for one webhook."""

    id: str = Field(description="The `webhook-id` header, the same at every attempt.")
    event_id: int
    type: str
    state: DeliveryState
    attempts: int
    response_status: int | None = Field(description="HTTP, of the attempt that was taken.")
    error: ErrorShape | None = Field(description="Of the last attempt that was not.")
    created_at: Instant
    executed_at: Instant | None = Field(description="When it was over.")
    next_attempt_at: Instant | None

    @classmethod
    def of(cls, webhook: Webhook, delivery: Delivery) -> DeliveryShape:
        """The delivery as it is shown."""
        return cls(**_fields(webhook, delivery))


class DeliveryDetail(DeliveryShape):
    """A delivery with what is sent."""

    payload: dict[str, Any]

    @classmethod
    def of(cls, webhook: Webhook, delivery: Delivery) -> DeliveryDetail:
        """The delivery and its body."""
        return cls(**_fields(webhook, delivery), payload=orjson.loads(delivery.payload))


class DeliveryPage(Shape):
    """Deliveries, newest event first."""

    items: list[DeliveryShape]
    next_cursor: str | None


def webhook_shape(tx: ReadTx, webhook: Webhook) -> WebhookShape:
    """The webhook as it is shown."""
    return WebhookShape(
        id=webhook.uuid,
        name=webhook.name,
        url=webhook.url,
        event_types=list(webhook.event_types),
        location_ids=_uuids(tx, webhook.location_ids),
        max_parallel=webhook.max_parallel,
        enabled=webhook.enabled,
        disabled_reason=webhook.disabled_reason,
        pending=webhook_deliveries.backlog(tx, webhook.id).open,
        failing_since=times.micros(webhook.failing_since),
        last_success_at=times.micros(webhook.last_success_at),
        last_failure=webhook.last_failure,
        created_at=times.micros(webhook.created_at),
        updated_at=times.micros(webhook.updated_at),
    )


def created(tx: ReadTx, webhook: Webhook, secret: str) -> WebhookSecret:
    """The webhook with a secret that nobody is shown again."""
    return WebhookSecret(**webhook_shape(tx, webhook).model_dump(), secret=secret)


def _uuids(tx: ReadTx, location_ids: frozenset[int] | None) -> list[str] | None:
    if location_ids is None:
        return None
    # A location deleted since tells nothing any more, but stays on the webhook.
    return list(location_store.uuids_of(tx, location_ids).values())


def _fields(webhook: Webhook, delivery: Delivery) -> dict[str, Any]:
    error = None
    if delivery.code is not None:
        error = ErrorShape(
            code=delivery.code, message=delivery.message, retryable=delivery.is_pending
        )
    status = delivery.response_status
    return {
        "id": message_id(webhook.uuid, delivery.event_id),
        "event_id": delivery.event_id,
        "type": delivery.type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "response_status": None if status is None else int(status),
        "error": error,
        "created_at": times.micros(delivery.created_at),
        "executed_at": times.micros(delivery.executed_at),
        "next_attempt_at": times.micros(delivery.next_attempt_at),
    }
