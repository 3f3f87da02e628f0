"""Lists of deliveries: what is not delivered is found without going through what is."""

from __future__ import annotations

import sqlite3

import pytest

from csms.domain.webhooks import DeliveryState
from csms.store import webhook_deliveries, webhooks
from csms.store.database import Database, ReadTx
from csms.store.webhook_deliveries import NewDelivery


@pytest.fixture
async def webhook_id(db: Database) -> int:
    made = await db.write(
        lambda tx: webhooks.insert(
            tx,
            url="https://hooks.example/",
            name="",
            event_types=["*"],
            location_ids=None,
            max_parallel=1,
            enabled=True,
            secrets="",
        )
    )
    return made.id


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.FAILED])
async def test_what_is_not_delivered_costs_the_same_among_many(
    db: Database, webhook_id: int, state: DeliveryState
) -> None:
    many = [NewDelivery(number, "thing.happened", "{}") for number in range(1, 20_001)]

    def write(tx):
        webhook_deliveries.insert_many(tx, webhook_id, 1, many)
        tx.run("UPDATE webhook_deliveries SET state = 'delivered' WHERE event_id <> 5")
        webhook_deliveries.settle(tx, webhook_id, 5, state)

    await db.write(write)

    def look(tx: ReadTx) -> tuple[list[int], int]:
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection: sqlite3.Connection = tx._connection
        connection.set_progress_handler(count, 100)
        found = webhook_deliveries.list_page(tx, webhook_id, limit=50, state=state)
        webhook_deliveries.backlog(tx, webhook_id)
        connection.set_progress_handler(None, 100)
        return [one.event_id for one in found], steps

    found, hundreds_of_steps = await db.read(look)
    assert found == [5]
    assert hundreds_of_steps < 50


async def test_a_delivery_without_its_item_is_shown_all_the_same(
    db: Database, webhook_id: int
) -> None:
    one = NewDelivery(7, "thing.happened", "{}")
    await db.write(lambda tx: webhook_deliveries.insert_many(tx, webhook_id, 99, [one]))
    await db.write(webhook_deliveries.settle_stopped)
    found = await db.read(lambda tx: webhook_deliveries.find(tx, webhook_id, 7))
    assert found is not None
    assert (found.state, found.attempts, found.code) == (DeliveryState.FAILED, 0, None)
