"""How much there is and goes on, natively, as far as the caller reaches."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from pydantic import Field

from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.clock import to_micros
from csms.domain.stations import ConnectorStatus
from csms.store import overview as store

LATELY = timedelta(hours=24)
FAILURES = ("failed", "timeout", "lost")


class StationsOverview(Shape):
    """Stations."""

    total: int
    online: int
    virtual: int
    blocked: int
    never_connected: int


class TransactionsOverview(Shape):
    """Transactions."""

    open: int
    begun_24h: int = Field(description="That we first heard of in the last 24 hours.")
    energy_wh_24h: int = Field(description="Of these, so far, where it can be known.")


class MessagesOverview(Shape):
    """The newest messages, of which at most 10,000 are looked at."""

    total: int
    by_state: dict[str, int]
    error_rate: float | None = Field(
        description="The share of `failed`, `timeout` and `lost`; null: there are no messages."
    )


class OverviewShape(Shape):
    """All of it."""

    stations: StationsOverview
    connectors: dict[ConnectorStatus, int] = Field(description="By their last known status.")
    transactions: TransactionsOverview
    messages: MessagesOverview


async def overview(call: Call[None, None]) -> Reply:
    """Counted when it is asked for."""
    return Reply(await counted(call, call.principal.location_ids))


async def counted(call: Call[None, None], reach: frozenset[int] | None) -> OverviewShape:
    """What there is and goes on at these locations; None: everywhere."""
    begun_since = to_micros(call.deps.clock.now() - LATELY)
    await call.deps.message_log.flush()
    found = await call.deps.db.read(lambda tx: store.count(tx, reach, begun_since=begun_since))
    total = sum(found.messages.values())
    failed = sum(found.messages.get(state, 0) for state in FAILURES)
    return OverviewShape(
        stations=StationsOverview(**asdict(found.stations)),
        connectors={status: found.connectors.get(status.value, 0) for status in ConnectorStatus},
        transactions=TransactionsOverview(
            open=found.transactions.open,
            begun_24h=found.transactions.begun,
            energy_wh_24h=found.transactions.energy_mwh // 1000,
        ),
        messages=MessagesOverview(
            total=total,
            by_state=found.messages,
            error_rate=None if total == 0 else round(failed / total, 4),
        ),
    )
