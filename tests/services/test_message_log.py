from __future__ import annotations

import asyncio
from typing import Any

import pytest

from csms.clock import ManualClock
from csms.errors import StorageFull
from csms.services import message_log
from csms.services.message_log import MessageLog
from csms.store import ocpp_messages
from csms.store.database import Database
from csms.store.ocpp_messages import LateAnswer, Message


@pytest.fixture
async def log(db: Database, clock: ManualClock) -> Any:
    made = MessageLog(db, clock)
    yield made
    await made.close()


def message(message_id: str, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "station_id": 1,
        "direction": "in",
        "version": "1.6",
        "action": "Heartbeat",
        "message_id": message_id,
        "payload": "{}",
        "answer": "{}",
        "error_code": None,
        "state": "done",
        "verdict": None,
        "started_at": 1000,
        "latency_us": 5,
    }
    return Message(**{**values, **changes})


async def rows(db: Database, station_id: int = 1, **filters: Any) -> list[Message]:
    page = await db.read(lambda tx: ocpp_messages.list_page(tx, station_id, limit=100, **filters))
    return [row.message for row in page]


async def test_a_batch_is_written_newest_first_in_the_list(db: Database, log: MessageLog) -> None:
    for number in range(3):
        log.record(message(str(number)))
    assert (log.unwritten, await rows(db)) == (3, [])
    await log.flush()
    assert log.unwritten == 0
    assert await rows(db) == [message("2"), message("1"), message("0")]


async def test_pages_and_filters(db: Database, log: MessageLog, clock: ManualClock) -> None:
    for number in range(5):
        action = "Heartbeat" if number % 2 else "Authorize"
        log.record(message(str(number), action=action))
    log.record(message("other", station_id=2))
    await log.flush()
    page = await db.read(lambda tx: ocpp_messages.list_page(tx, 1, limit=2))
    rest = await db.read(lambda tx: ocpp_messages.list_page(tx, 1, limit=9, before_id=page[-1].id))
    assert [row.message.message_id for row in page + rest] == ["4", "3", "2", "1", "0"]
    assert [row.message_id for row in await rows(db, offset=3)] == ["1", "0"]
    assert [row.message_id for row in await rows(db, action="Heartbeat")] == ["3", "1"]
    assert await rows(db, since=clock.now()) == []
    assert len(await rows(db, until=clock.now())) == 5
    assert await db.read(lambda tx: ocpp_messages.count(tx, 1, action="Authorize")) == 3


async def test_it_writes_by_itself_after_a_moment(
    db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_log, "FLUSH_INTERVAL_S", 0.0)
    log = MessageLog(db, clock)
    log.record(message("1"))
    async with asyncio.timeout(5):
        while not await rows(db):  # noqa: ASYNC110 - rows have no event
            await asyncio.sleep(0)


@pytest.mark.parametrize("flushed_between", [True, False])
@pytest.mark.parametrize("state", ["timeout", "lost"])
async def test_a_late_answer_updates_its_row(
    db: Database, log: MessageLog, state: str, flushed_between: bool
) -> None:
    log.record(message("ours", direction="out", state=state, answer=None, latency_us=None))
    log.record(message("other"))
    if flushed_between:
        await log.flush()
    log.record_late((1, "ours"), LateAnswer('{"status":"Accepted"}', None, 4000))
    await log.flush()
    ours = next(row for row in await rows(db) if row.message_id == "ours")
    assert (ours.answer, ours.state, ours.verdict, ours.latency_us) == (
        '{"status":"Accepted"}',
        "done",
        "late",
        3000,
    )
    log.record_late((1, "ours"), LateAnswer("twice", None, 5000))
    await log.flush()
    assert all(row.answer != "twice" for row in await rows(db))


async def test_a_late_error_and_an_unknown_late_answer(db: Database, log: MessageLog) -> None:
    log.record(message("ours", direction="out", state="timeout", answer=None))
    log.record_late((1, "ours"), LateAnswer("{}", "InternalError", 4000))
    log.record_late((1, "never"), LateAnswer("{}", None, 4000))
    log.record_late((2, "ours"), LateAnswer("{}", None, 4000))
    await log.flush()
    assert [(row.state, row.error_code) for row in await rows(db)] == [("failed", "InternalError")]


async def test_a_full_disk_drops_rows_and_counts_them(
    db: Database, log: MessageLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(fn: Any) -> None:
        raise StorageFull("full")

    with monkeypatch.context() as patch:
        patch.setattr(db, "write", full)
        log.record(message("lost"))
        await log.flush()
    log.record(message("kept"))
    await log.flush()
    assert log.dropped == 1
    assert [row.message_id for row in await rows(db)] == ["kept"]


async def test_what_waits_is_bounded(log: MessageLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_log, "MAX_UNWRITTEN", 2)
    for number in range(5):
        log.record(message(str(number)))
    assert (log.unwritten, log.dropped) == (2, 3)


async def test_old_rows_are_pruned(
    db: Database, log: MessageLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from csms.clock import to_micros

    for number in range(12):
        log.record(message(str(number), started_at=to_micros(clock.now())))
        clock.advance(86_400 * 2)
    await log.flush()
    monkeypatch.setattr(ocpp_messages, "PRUNE_CHUNK", 2)
    assert await log.prune() == 5
    assert len(await rows(db)) == 7
    monkeypatch.setattr(message_log, "KEEP_BYTES", 500)
    await log.prune()
    assert 0 < len(await rows(db)) <= 5
    await db.write(lambda tx: tx.run("DELETE FROM ocpp_messages"))
    assert 0 == await log.prune()


async def test_one_station_that_says_a_lot_now_does_not_cost_the_others_their_past(
    db: Database, log: MessageLog, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.micros()
    for number in range(90):
        log.record(message(str(number), started_at=now))
    for number in range(10):
        large = "x" * 10_000
        log.record(message(f"L{number}", started_at=now, station_id=2, payload=large))
    await log.flush()
    monkeypatch.setattr(ocpp_messages, "PRUNE_CHUNK", 1)
    monkeypatch.setattr(ocpp_messages, "_SAMPLES", 50)
    monkeypatch.setattr(message_log, "KEEP_BYTES", 200_000)
    assert 0 == await log.prune()
    monkeypatch.setattr(message_log, "KEEP_BYTES", 100_000)
    assert 0 < await log.prune() < 100


# ---- secrets ---------------------------------------------------------------------------------
