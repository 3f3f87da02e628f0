"""Table `idempotency_keys`: a repeated write finds what the first one made, or its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from csms.domain.jobs import IdempotencyKey
from csms.errors import Invalid
from csms.store import columns
from csms.store.database import ReadTx, Tx

KEPT_US = 24 * 3600 * 1_000_000
ANSWER = "answer"
"""The resource of a key whose request has nothing else to be known by."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    """Compressed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of the request that had the key first."""

    resource: str
    answer: Answer | None


def find(tx: ReadTx, key: IdempotencyKey, *, now: int) -> str | None:
    """The resource the same body made under this key; raises Invalid for another body."""
    kept = find_kept(tx, key, now=now)
    return None if kept is None else kept.resource


def find_kept(tx: ReadTx, key: IdempotencyKey, *, now: int) -> Kept | None:
    """As `find`, with the answer."""
    row = tx.one(
        "SELECT body_sha256, resource, status, headers, body FROM idempotency_keys"
        " WHERE principal = ? AND key = ? AND created_at > ?",
        (key.principal, key.key, now - KEPT_US),
    )
    if row is None:
        return None
    if row["body_sha256"] != key.body_sha256:
        raise Invalid(
            "this Idempotency-Key was used with another body",
            loc=("Idempotency-Key",),
            where="header",
            code="idempotency_mismatch",
        )
    answer = None
    if row["status"] is not None:
        answer = Answer(row["status"], columns.from_json(row["headers"]), row["body"])
    return Kept(row["resource"], answer)


def insert(tx: Tx, key: IdempotencyKey, resource: str) -> None:
    """Remember what the write made; call it in the transaction of the write."""
    tx.run(
        "INSERT OR REPLACE INTO idempotency_keys"
        " (principal, key, body_sha256, resource, created_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (key.principal, key.key, key.body_sha256, resource, tx.now),
    )


def insert_unless_known(tx: Tx, key: IdempotencyKey) -> str:
    """Remember that the request was carried out; returns what its own write said that it made."""
    resource = find(tx, key, now=tx.now)
    if resource is None:
        insert(tx, key, ANSWER)
    return resource or ANSWER


def update_answer(tx: Tx, key: IdempotencyKey, answer: Answer) -> None:
    """Keep what the request was answered."""
    tx.run(
        "UPDATE idempotency_keys SET status = ?, headers = ?, body = ?"
        " WHERE principal = ? AND key = ?",
        (
            answer.status,
            columns.to_json(dict(answer.headers)),
            answer.body,
            key.principal,
            key.key,
        ),
    )


def delete_old(tx: Tx) -> int:
    """Forget keys older than a day."""
    return tx.run("DELETE FROM idempotency_keys WHERE created_at <= ?", (tx.now - KEPT_US,))
