"""Table `webhooks`: receivers of events, and how far the events are prepared for each."""

from __future__ import annotations

import uuid as uuids
from typing import Any

from csms.clock import from_micros
from csms.domain.webhooks import Webhook
from csms.errors import NotFound
from csms.store import columns
from csms.store.columns import from_json, instant, to_json
from csms.store.database import ReadTx, Row, Tx

_CHANGEABLE = frozenset(
    {
        "name",
        "url",
        "event_types",
        "location_ids",
        "max_parallel",
        "secrets",
        "enabled",
        "disabled_reason",
        "seen_event_id",
        "failing_since",
        "updated_at",
        "deleted_at",
    }
)
_JSON = frozenset({"event_types", "location_ids"})


def insert(tx: Tx, *, secrets: str, **values: Any) -> Webhook:
    """A new webhook, whose events are prepared up to none."""
    given = _as_columns(values)
    row_id = tx.insert(
        f"INSERT INTO webhooks (uuid, {', '.join(given)}, secrets, seen_event_id, created_at,"  # noqa: S608
        f" updated_at) VALUES (?, {', '.join('?' * len(given))}, ?, 0, ?, ?)",
        (str(uuids.uuid4()), *given.values(), secrets, tx.now, tx.now),
    )
    return get(tx, row_id)


def get(tx: ReadTx, webhook_id: int) -> Webhook:
    """The webhook with this row id; raises NotFound, also when it is deleted."""
    found = find(tx, webhook_id)
    if found is None:
        raise NotFound("Webhook not found")
    return found


def find(tx: ReadTx, webhook_id: int) -> Webhook | None:
    """The webhook with this row id, unless it is deleted."""
    row = tx.one("SELECT * FROM webhooks WHERE id = ? AND deleted_at IS NULL", (webhook_id,))
    return None if row is None else _webhook(row)


def find_by_uuid(tx: ReadTx, uuid: str) -> Webhook | None:
    """The webhook with this public id, unless it is deleted."""
    row = tx.one("SELECT * FROM webhooks WHERE uuid = ? AND deleted_at IS NULL", (uuid,))
    return None if row is None else _webhook(row)


def list_all(tx: ReadTx) -> list[Webhook]:
    """Every webhook that is not deleted, oldest first; there are a few at most."""
    rows = tx.all("SELECT * FROM webhooks WHERE deleted_at IS NULL ORDER BY id")
    return [_webhook(row) for row in rows]


def list_ids(tx: ReadTx) -> list[int]:
    """Row ids of all, those too that are deleted and have rows left."""
    return [row["id"] for row in tx.all("SELECT id FROM webhooks ORDER BY id")]


def update(tx: Tx, webhook_id: int, **values: Any) -> Webhook:
    """Change the named columns."""
    columns.update(
        tx, "webhooks", webhook_id, {**_as_columns(values), "updated_at": tx.now}, _CHANGEABLE
    )
    return get(tx, webhook_id)


def advance(tx: Tx, webhook: Webhook, *, to: int) -> bool:
    """Its events are prepared up to `to`. False: it wants others now, and nothing is done."""
    current = find(tx, webhook.id)
    if current is None or not current.enabled or current.wanted != webhook.wanted:
        return False
    tx.run("UPDATE webhooks SET seen_event_id = ? WHERE id = ?", (to, webhook.id))
    return True


def succeeded(tx: Tx, webhook_id: int) -> None:
    """A delivery was taken."""
    tx.run(
        "UPDATE webhooks SET failing_since = NULL, last_success_at = ? WHERE id = ?",
        (tx.now, webhook_id),
    )


def failed(tx: Tx, webhook_id: int, reason: str) -> int:
    """A delivery was not taken; since when that is so."""
    since: int = tx.value(
        "UPDATE webhooks SET failing_since = ifnull(failing_since, ?), last_failure = ?"
        " WHERE id = ? RETURNING failing_since",
        (tx.now, reason, webhook_id),
    )
    return since


def soft_delete(tx: Tx, webhook_id: int) -> None:
    """It is gone for everybody; its secrets at once, its deliveries a few at a time."""
    tx.run(
        "UPDATE webhooks SET deleted_at = ?, enabled = 0, secrets = '' WHERE id = ?",
        (tx.now, webhook_id),
    )


def delete_emptied(tx: Tx) -> int:
    """Remove the rows of deleted webhooks that have no delivery left."""
    return tx.run(
        "DELETE FROM webhooks WHERE deleted_at IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM webhook_deliveries WHERE webhook_id = webhooks.id)"
    )


def _as_columns(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _json(value) if name in _JSON else value for name, value in values.items()}


def _json(value: Any) -> str | None:
    return None if value is None else to_json(sorted(value))


def _webhook(row: Row) -> Webhook:
    location_ids = from_json(row["location_ids"])
    return Webhook(
        id=row["id"],
        uuid=row["uuid"],
        name=row["name"],
        url=row["url"],
        event_types=tuple(from_json(row["event_types"])),
        location_ids=None if location_ids is None else frozenset(location_ids),
        max_parallel=row["max_parallel"],
        secrets=row["secrets"],
        enabled=bool(row["enabled"]),
        disabled_reason=row["disabled_reason"],
        seen_event_id=row["seen_event_id"],
        failing_since=instant(row["failing_since"]),
        last_success_at=instant(row["last_success_at"]),
        last_failure=row["last_failure"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
