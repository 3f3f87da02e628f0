"""What stations tell goes when it is old or too much; what is true now and money stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.jobs import ItemState, NewItem, Submission
from csms.domain.stations import NewStation
from csms.jobs import lifecycle
from csms.services.housekeeping import prune
from csms.store import retention, stations

DAY = timedelta(days=1)
COLUMNS = {
    "boots": "(station_id, epoch, generation, triggered, status, received_at, raw)"
    " VALUES (?1, 1, ?2, 0, 'Accepted', ?3, '{}')",
    "data_transfers": "(station_id, vendor_id, data, status, received_at)"
    " VALUES (?1, 'v', ?2, 'Accepted', ?3)",
    "monitoring_events": "(station_id, event_id, cleared, received_at, raw)"
    " VALUES (?1, ?2, 0, ?3, '{}')",
    "notices": "(station_id, action, fingerprint, received_at, raw)"
    " VALUES (?1, 'NotifySettlement', ?2, ?3, '{}')",
    "security_events": "(station_id, type, tech_info, critical, received_at, raw)"
    " VALUES (?1, 't', ?2, 0, ?3, '{}')",
    "status_notifications": "(station_id, evse_id, connector_id, status, reported_status,"
    " received_at, raw) VALUES (?1, 1, ?2, 'Available', 'Available', ?3, '{}')",
    "task_progress": "(station_id, task, request_id, status, answered, received_at, raw)"
    " VALUES (?1, 'log_upload', ?2, 'Uploading', 0, ?3, '{}')",
    "connections": "(station_id, epoch, generation, version, address, connected_at,"
    " disconnected_at) VALUES (?1, 1, ?2, '1.6', '', ?3, ?3)",
    "transaction_conflicts": "(uuid, station_id, action, cause, station_transaction_id,"
    " received_at, raw, fingerprint, last_received_at, resolution, resolved_at)"
    " VALUES (hex(randomblob(16)), ?1, 'StopTransaction', 'unknown_transaction', '1', ?3, '{}',"
    " ?2, ?3, 'dismissed', ?3)",
}
TABLES = [history.table for history in retention.HISTORIES]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)


@pytest.fixture
def three_each(monkeypatch):
    monkeypatch.setattr(retention, "KEPT_PER_STATION", 3)


@pytest.fixture
async def station_id(db):
    return (await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))).id


@pytest.fixture
def keep(db):
    return lambda: prune(db, jobs_kept=30 * DAY)


@pytest.fixture
def add(db, station_id):
    async def insert(table, *numbers, station=None):
        def write(tx):
            for number in numbers:
                tx.run(
                    f"INSERT INTO {table} {COLUMNS[table]}", (station or station_id, number, tx.now)
                )

        await db.write(write)

    return insert


@pytest.fixture
def count(db):
    async def read(table):
        return await db.read(lambda tx: tx.value(f"SELECT count(*) FROM {table}"))

    return read


@pytest.mark.parametrize("history", retention.HISTORIES, ids=TABLES)
async def test_history_goes_when_its_time_is_over(add, keep, count, clock, history):
    await add(history.table, *range(5))
    clock.advance((history.keep_for - DAY).total_seconds())
    await keep()
    assert await count(history.table) == 5
    await add(history.table, 5)
    clock.advance((2 * DAY).total_seconds())
    await keep()
    assert await count(history.table) == 1


@pytest.mark.usefixtures("three_each")
@pytest.mark.parametrize("history", retention.HISTORIES, ids=TABLES)
async def test_a_station_keeps_its_newest_rows_however_many_it_sends(db, add, keep, history):
    neighbour = (await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-2")))).id
    await add(history.table, 0, station=neighbour)
    await add(history.table, *range(10))
    await keep()
    ids = await db.read(lambda tx: tx.all(f"SELECT id FROM {history.table} ORDER BY id"))
    assert [row[0] for row in ids] == [1, 9, 10, 11]


async def test_the_newest_word_on_a_task_stays(add, keep, count, clock):
    await add("task_progress", 1, 2)
    clock.advance((200 * DAY).total_seconds())
    await keep()
    assert await count("task_progress") == 1


@pytest.mark.usefixtures("three_each")
async def test_what_nobody_resolved_stays(db, add, keep, count, clock):
    await add("transaction_conflicts", *range(8))
    await db.write(
        lambda tx: tx.run(
            "UPDATE transaction_conflicts SET resolution = NULL, resolved_at = NULL WHERE id < 5"
        )
    )
    await keep()
    assert await count("transaction_conflicts") == 4 + 3
    clock.advance((200 * DAY).total_seconds())
    await keep()
    assert await count("transaction_conflicts") == 4


async def test_a_resolved_message_is_kept_from_its_resolution_on(db, add, keep, count, clock):
    await add("transaction_conflicts", 1)
    clock.advance((80 * DAY).total_seconds())
    await db.write(lambda tx: tx.run("UPDATE transaction_conflicts SET resolved_at = ?", (tx.now,)))
    clock.advance((80 * DAY).total_seconds())
    await keep()
    assert await count("transaction_conflicts") == 1


async def test_a_job_goes_with_its_items_when_it_was_over_for_long_enough(db, clock, keep):
    over, live = [
        (
            await db.write(
                lambda tx, items=items: lifecycle.accept(
                    tx,
                    Submission("command", "native", "p", params={}, items=items),
                    None,
                )
            )
        )[0]
        for items in ([NewItem("S", 1, state=ItemState.SKIPPED_FORBIDDEN)], [NewItem("S", 1)])
    ]
    clock.advance(29 * DAY.total_seconds())
    await keep()
    assert await db.read(lambda tx: tx.value("SELECT count(*) FROM jobs")) == 2
    clock.advance(2 * DAY.total_seconds())

    await keep()

    rows = await db.read(lambda tx: tx.all("SELECT job_id FROM job_items"))
    assert [row["job_id"] for row in rows] == [live.id]
    assert live.id > over.id
