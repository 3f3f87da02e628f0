"""Webhooks: who is told of which events, and the signature by which they know it was us."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
_SECRET_BYTES = 32


class DeliveryState(str, Enum):
    """Where one event for one webhook stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events; its secrets stay sealed."""

    id: int
    uuid: str
    name: str
    url: str
    event_types: tuple[str, ...]
    location_ids: frozenset[int] | None
    max_parallel: int
    secrets: str
    enabled: bool
    disabled_reason: str | None
    seen_event_id: int
    failing_since: datetime | None
    last_success_at: datetime | None
    last_failure: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def wanted(self) -> tuple[object, ...]:
        """What decides which events come next."""
        return self.seen_event_id, self.event_types, self.location_ids

    def wants(self, event_type: str, *, location_id: int | None, job_id: int | None) -> bool:
        """Whether it is told of such an event.

        Bound to locations, it gets what happened at them, and nothing of jobs, which go beyond.
        """
        within = self.location_ids is None or (job_id is None and location_id in self.location_ids)
        return (
            within
            and event_type != TEST_EVENT
            and any(matches(event_type, pattern) for pattern in self.event_types)
        )


TEST_EVENT = "webhook.test"
"""Goes to the webhook that is tested alone."""


def matches(event_type: str, pattern: str) -> bool:
    """Whether the type is the pattern, or begins as `station.*` says; `*` is every type."""
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return event_type == pattern


def wait_s(retry_after: str, now: datetime) -> float:
    """For how long a receiver wants to be left alone; 0 for what is no `Retry-After` (RFC 9110)."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def message_id(webhook_uuid: str, event_id: int) -> str:
    """The `webhook-id`: the same at every attempt, and for no other event or webhook."""
    return f"msg_{webhook_uuid.replace('-', '')}_{event_id}"


def event_id_of(message: str) -> int | None:
    """The event of a `webhook-id`; None for what cannot be one."""
    digits = message.rpartition("_")[2]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        return None
    return int(digits)


def new_secret() -> str:
    """A secret in the form that the libraries of Standard Webhooks take."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(keys: Iterable[str], *, message: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature`: one for each secret that is valid now."""
    signed = f"{message}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_sign(key, signed)}" for key in keys)


def _sign(key: str, signed: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(_SECRET_PREFIX))
    return base64.b64encode(hmac.digest(raw, signed, "sha256")).decode()
