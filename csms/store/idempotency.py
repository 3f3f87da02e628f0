"""Table `idempotency_keys`: a repeated write finds what the first one made."""

from __future__ import annotations

from csms.domain.jobs import IdempotencyKey
from csms.errors import Invalid
from csms.store.database import ReadTx, Tx

KEPT_US = 24 * 3600 * 1_000_000


def find(tx: ReadTx, key: IdempotencyKey, *, now: int) -> str | None:
    """The resource the same body made under this key; raises Invalid for another body."""
    row = tx.one(
        "SELECT body_sha256, resource FROM idempotency_keys"
        " WHERE principal = ? AND key = ? AND created_at > ?",
        (key.principal, key.key, now - KEPT_US),
    )
    if row is None:
        return None
    if row["body_sha256"] != key.body_sha256:
        raise Invalid(
            "this Idempotency-Key was used with another body",
            loc=("Idempotency-Key",),
            code="idempotency_mismatch",
        )
    resource: str = row["resource"]
    return resource


def insert(tx: Tx, key: IdempotencyKey, resource: str) -> None:
    """Remember what the write made; call it in the transaction of the write."""
    tx.run(
        "INSERT OR REPLACE INTO idempotency_keys"
        " (principal, key, body_sha256, resource, created_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (key.principal, key.key, key.body_sha256, resource, tx.now),
    )


def delete_old(tx: Tx) -> int:
    """Forget keys older than a day."""
    return tx.run("DELETE FROM idempotency_keys WHERE created_at <= ?", (tx.now - KEPT_US,))
