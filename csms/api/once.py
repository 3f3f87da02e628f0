"""Idempotent creation: the same key and body find what the first request made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from csms.api.routing import Call
from csms.errors import Conflict
from csms.store import idempotency
from csms.store.database import Tx

T = TypeVar("T")


async def once(
    call: Call[Any, Any],
    kind: str,
    make: Callable[[Tx], tuple[str, T]],
    *,
    again: Callable[[Tx, str], T],
) -> tuple[T, dict[str, str]]:
    """What `make` made, or under a known key what `again` finds by its public id now.

    `make` returns (public id, result); both run in the writing transaction. The headers say
    whether it is a replay; a secret shown once must be absent from what `again` returns.
    """
    key = call.idempotency

    def write(tx: Tx) -> tuple[T, bool]:
        resource = None if key is None else idempotency.find(tx, key, now=tx.now)
        if resource is not None:
            found_kind, _, public_id = resource.partition(":")
            if found_kind != kind:
                raise Conflict("this Idempotency-Key was used elsewhere")
            return again(tx, public_id), True
        public_id, made = make(tx)
        if key is not None:
            idempotency.insert(tx, key, f"{kind}:{public_id}")
        return made, False

    result, replayed = await call.deps.db.write(write)
    return result, {"Idempotency-Replayed": "true"} if replayed else {}
