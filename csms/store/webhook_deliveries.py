"""Table `webhook_deliveries`: one row for each event that a webhook is told of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.jobs import ItemState
from csms.domain.webhooks import DeliveryState
from csms.store.columns import instant
from csms.store.database import ReadTx, Row, Tx

# Joined by the key as well: the number of a job that is gone may be another one's by now.
_COLUMNS = (
    "d.*, i.state AS item_state, i.attempts_used, i.code, i.message, i.response_status,"
    " i.executed_at, i.due_at"
)
_ITEM = (
    " LEFT JOIN job_items i"
    " ON i.job_id = d.job_id AND i.seq = d.seq AND i.data ->> 'event' = d.event_id"
)
# Few of a million: without being told, SQLite would go through all for them. A partial index
# serves a query only when its condition is a term of it.
_INDEX = "INDEXED BY webhook_deliveries_open"
_OPEN = "d.state <> 'delivered'"
_LIVE = "i.state IN ('held', 'ready', 'wait_online', 'in_flight')"


class NewDelivery(NamedTuple):
    """What is owed: an event and the body that tells of it."""

    event_id: int
    type: str
    payload: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook, and what its job says of it."""

    event_id: int
    type: str
    state: DeliveryState
    payload: str
    job_id: int
    seq: int
    created_at: datetime
    attempts: int
    code: str | None
    message: str | None
    response_status: str | None
    executed_at: datetime | None
    next_attempt_at: datetime | None

    @property
    def is_pending(self) -> bool:
        """Whether it will be tried by itself."""
        return self.state is DeliveryState.PENDING


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of a webhook is prepared and not over."""

    open: int
    jobs: int
    untried: int


def insert_many(tx: Tx, webhook_id: int, job_id: int, deliveries: Iterable[NewDelivery]) -> None:
    """Deliveries whose work is the items of a job, in the same order."""
    tx.many(
        "INSERT INTO webhook_deliveries (webhook_id, event_id, type, state, payload, job_id, seq,"
        " created_at) VALUES (?, ?, ?, 'pending', ?, ?, ?, ?)",
        [
            (webhook_id, one.event_id, one.type, one.payload, job_id, seq, tx.now)
            for seq, one in enumerate(deliveries)
        ],
    )


def find(tx: ReadTx, webhook_id: int, event_id: int) -> Delivery | None:
    """What became of one event."""
    row = tx.one(
        f"SELECT {_COLUMNS} FROM webhook_deliveries d{_ITEM}"  # noqa: S608
        " WHERE d.webhook_id = ? AND d.event_id = ?",
        (webhook_id, event_id),
    )
    return None if row is None else _delivery(row)


def list_page(
    tx: ReadTx,
    webhook_id: int,
    *,
    limit: int,
    before_event_id: int | None = None,
    state: DeliveryState | None = None,
) -> list[Delivery]:
    """Newest event first."""
    where, index, params = "d.webhook_id = ?", "", [webhook_id]
    if before_event_id is not None:
        where += " AND d.event_id < ?"
        params.append(before_event_id)
    if state is not None:
        where += f" AND d.state = '{state.value}'"
    if state not in {None, DeliveryState.DELIVERED}:
        where += f" AND {_OPEN}"
        index = _INDEX
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM webhook_deliveries AS d {index}{_ITEM}"  # noqa: S608
        f" WHERE {where} ORDER BY d.event_id DESC LIMIT ?",
        (*params, limit),
    )
    return [_delivery(row) for row in rows]


def backlog(tx: ReadTx, webhook_id: int) -> Backlog:
    """How much is prepared and not over."""
    row = tx.one(
        "SELECT count(*) AS open, count(DISTINCT d.job_id) AS jobs,"  # noqa: S608
        " ifnull(sum(i.attempts_used = 0), 0) AS untried"
        f" FROM webhook_deliveries AS d {_INDEX} JOIN job_items i"
        f" ON i.job_id = d.job_id AND i.seq = d.seq AND {_LIVE}"
        f" WHERE d.webhook_id = ? AND d.state = 'pending' AND {_OPEN}",
        (webhook_id,),
    )
    assert row is not None
    return Backlog(row["open"], row["jobs"], row["untried"])


def settle(tx: Tx, webhook_id: int, event_id: int, state: DeliveryState) -> None:
    """It was taken, or will not be tried again."""
    tx.run(
        "UPDATE webhook_deliveries SET state = ? WHERE webhook_id = ? AND event_id = ?",
        (state.value, webhook_id, event_id),
    )


def begin_again(tx: Tx, webhook_id: int, event_id: int, *, job_id: int) -> None:
    """The only item of another job is to deliver it once more."""
    tx.run(
        "UPDATE webhook_deliveries SET state = 'pending', job_id = ?, seq = 0"
        " WHERE webhook_id = ? AND event_id = ?",
        (job_id, webhook_id, event_id),
    )


def settle_stopped(tx: Tx) -> int:
    """What is pending without an item that is live is failed: its job was cancelled as a whole."""
    return tx.run(
        f"UPDATE webhook_deliveries AS d {_INDEX} SET state = 'failed'"  # noqa: S608
        f" WHERE d.state = 'pending' AND {_OPEN} AND NOT EXISTS"
        f" (SELECT 1 FROM job_items i WHERE i.job_id = d.job_id AND i.seq = d.seq AND {_LIVE})"
    )


def delete_old(tx: Tx, webhook_id: int, *, before: int, limit: int) -> int:
    """Forget deliveries prepared before an instant, oldest first; returns how many."""
    return tx.run(
        "DELETE FROM webhook_deliveries WHERE webhook_id = ?1 AND event_id IN"
        " (SELECT event_id FROM webhook_deliveries WHERE webhook_id = ?1 ORDER BY event_id"
        " LIMIT ?3) AND created_at < ?2 AND state <> 'pending'",
        (webhook_id, before, limit),
    )


def delete_jobs(tx: Tx, kind: str, *, before: int, limit: int) -> int:
    """Forget finished jobs of the kind, whose items are deliveries; returns how many."""
    return tx.run(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < ?"
        " AND kind = ? LIMIT ?)",
        (before, kind, limit),
    )


def _delivery(row: Row) -> Delivery:
    live = row["item_state"] == ItemState.READY.value
    return Delivery(
        event_id=row["event_id"],
        type=row["type"],
        state=DeliveryState(row["state"]),
        payload=row["payload"],
        job_id=row["job_id"],
        seq=row["seq"],
        created_at=from_micros(row["created_at"]),
        attempts=row["attempts_used"] or 0,
        code=row["code"],
        message=row["message"],
        response_status=row["response_status"],
        executed_at=instant(row["executed_at"]),
        next_attempt_at=instant(row["due_at"]) if live else None,
    )
