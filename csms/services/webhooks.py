"""Webhooks: added, changed, removed, and judged by what their receivers do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from csms.clock import from_micros, to_micros
from csms.domain.permissions import Principal
from csms.domain.sealing import Seal
from csms.domain.webhooks import Webhook, new_secret
from csms.errors import Conflict, NotFound
from csms.events import Event
from csms.store import events, webhooks
from csms.store.database import ReadTx, Tx

MOST_WEBHOOKS = 50
"""Each costs a look at every event, and slots of the engine."""
MOST_SECRETS = 5
_DAY = timedelta(days=1)


def create(tx: Tx, seal: Seal, **values: Any) -> tuple[Webhook, str]:
    """A new webhook, told of what happens from now on, and its secret, which is shown once."""
    if len(webhooks.list_all(tx)) >= MOST_WEBHOOKS:
        raise Conflict(f"there are {MOST_WEBHOOKS} webhooks already", code="too_many_webhooks")
    secret = new_secret()
    made = webhooks.insert(tx, secrets=seal.close([[secret, None]]), **values)
    event_id = _announce(tx, "webhook.created", made)
    made = webhooks.update(tx, made.id, seen_event_id=event_id)
    return made, secret


def get(tx: ReadTx, uuid: str, principal: Principal) -> Webhook:
    """The webhook with this public id; raises NotFound, also when it goes beyond the caller."""
    found = webhooks.find_by_uuid(tx, uuid)
    if found is None or not is_within(found, principal):
        raise NotFound("Webhook not found")
    return found


def is_within(webhook: Webhook, principal: Principal) -> bool:
    """Whether the caller sees everything that the webhook is told of."""
    reach = principal.location_ids
    return reach is None or (webhook.location_ids is not None and webhook.location_ids <= reach)


def change(tx: Tx, webhook: Webhook, values: Mapping[str, Any]) -> Webhook:
    """Change the named columns; one that is enabled again is told of what happens from now on."""
    again = values.get("enabled") is True and not webhook.enabled
    more: dict[str, Any] = {}
    if again:
        more = {
            "seen_event_id": events.newest_id(tx),
            "disabled_reason": None,
            "failing_since": None,
        }
    elif values.get("enabled") is False and webhook.enabled:
        more = {"disabled_reason": "disabled by hand"}
    changed = webhooks.update(tx, webhook.id, **values, **more)
    _announce(tx, "webhook.updated", changed, changed=sorted(values))
    return changed


def delete(tx: Tx, webhook: Webhook) -> None:
    """It is told nothing more; what is under way is given up."""
    webhooks.soft_delete(tx, webhook.id)
    _announce(tx, "webhook.deleted", webhook)


def rotate_secret(
    tx: Tx, webhook: Webhook, seal: Seal, *, overlap: timedelta
) -> tuple[Webhook, str]:
    """A new secret, shown once; for the time of the overlap the former ones sign too."""
    now = from_micros(tx.now)
    until = to_micros(now + overlap)
    former = [
        [secret, until if expires is None else min(expires, until)]
        for secret, expires in seal.open(webhook.secrets)
    ]
    former = [[secret, expires] for secret, expires in former if expires > tx.now]
    if len(former) >= MOST_SECRETS:
        raise Conflict(
            f"{MOST_SECRETS} secrets are valid already; wait, or rotate without overlap",
            code="too_many_secrets",
        )
    made = new_secret()
    changed = webhooks.update(tx, webhook.id, secrets=seal.close([[made, None], *former]))
    _announce(tx, "webhook.secret_rotated", changed)
    return changed, made


def valid_secrets(webhook: Webhook, seal: Seal, now: datetime) -> list[str]:
    """Those that sign now, the newest first."""
    at = to_micros(now)
    return [secret for secret, until in seal.open(webhook.secrets) if until is None or at < until]


def succeeded(tx: Tx, webhook_id: int) -> None:
    """The receiver took a delivery."""
    webhooks.succeeded(tx, webhook_id)


def failed(tx: Tx, webhook_id: int, reason: str, *, disable_after_days: float) -> None:
    """The receiver took none; one that takes none for days is told nothing more."""
    since = webhooks.failed(tx, webhook_id, reason)
    if from_micros(tx.now) - from_micros(since) >= disable_after_days * _DAY:
        disable(tx, webhook_id, f"nothing was taken for {disable_after_days:g} days: {reason}")


def disable(tx: Tx, webhook_id: int, reason: str) -> None:
    """It is told nothing more until a person enables it."""
    webhook = webhooks.find(tx, webhook_id)
    if webhook is not None and webhook.enabled:
        webhooks.update(tx, webhook_id, enabled=False, disabled_reason=reason)
        _announce(tx, "webhook.disabled", webhook, reason=reason)


def lose(tx: Tx, webhook: Webhook, *, up_to: int) -> None:
    """Events were forgotten before their turn: it was too far behind."""
    if webhooks.advance(tx, webhook, to=up_to):
        lost = {"after_event_id": webhook.seen_event_id, "up_to_event_id": up_to}
        _announce(tx, "webhook.events_lost", webhook, **lost)


def _announce(tx: Tx, what: str, webhook: Webhook, **more: Any) -> int:
    # No URL: a receiver's own secret is often part of it.
    return tx.emit(Event(what, {"webhook_id": webhook.uuid, "name": webhook.name, **more}))
