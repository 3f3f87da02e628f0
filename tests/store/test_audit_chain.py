"""The chain over the audit: what was written is there, as it was written, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from csms.store import audit, audit_chain
from csms.store.audit import Request
from csms.store.audit_chain import PAGE, Walk

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.store.database import Database, Tx

ASKED = Request(None, "192.0.2.1", "r", "POST", "/a", "/a")
KEPT = timedelta(days=10)
# A forger has no triggers.
FREE = (
    "DROP TRIGGER audit_entries_result",
    "DROP TRIGGER audit_entries_stand",
    "DROP TRIGGER audit_links_stand",
)


def write(tx: Tx, number: int) -> None:
    """So many entries; every result comes after the next entry."""
    before = None
    for _ in range(number):
        entry_id = audit.insert(tx, ASKED)
        if before is not None:
            audit.update_result(tx, before, status=200, code=None)
        before = entry_id


async def walk(db: Database, known: bytes | None = None) -> Walk:
    walked, is_over = Walk(), False
    while not is_over:
        walked, is_over = await db.read(lambda tx: audit_chain.walk(tx, walked, known=known))  # noqa: B023
    return walked


async def forge(db: Database, *statements: str) -> None:
    def run(tx: Tx) -> None:
        for statement in (*FREE, *statements):
            tx.run(statement)

    await db.write(run)


async def test_an_audit_that_nobody_touched_is_intact(db: Database) -> None:
    assert await walk(db) == Walk()
    await db.write(lambda tx: write(tx, 5))
    walked = await walk(db)
    assert (walked.broken_at, walked.entries, walked.entry_id) == (None, 5, 5)


@pytest.mark.parametrize(
    ("forgery", "entry_id"),
    [
        ("UPDATE audit_entries SET path = '/b' WHERE id = 3", 3),
        ("UPDATE audit_entries SET address = NULL WHERE id = 1", 1),
        ("UPDATE audit_entries SET at = at + 1 WHERE id = 6", 6),
        ("UPDATE audit_entries SET status = 500 WHERE id = 3", 3),
        ("UPDATE audit_entries SET status = NULL WHERE id = 3", 3),
        ("UPDATE audit_entries SET status = 200 WHERE id = 6", 6),
        ("DELETE FROM audit_entries WHERE id = 3", 3),
        ("DELETE FROM audit_entries WHERE id = 6", 6),
        ("DELETE FROM audit_links WHERE entry_id = 6", 5),
        ("DELETE FROM audit_links WHERE entry_id = 3 AND kind = 'result'", 3),
        (
            "INSERT INTO audit_entries (at, method, route, path, events) VALUES (1, '', '', '', '')",
            7,
        ),
        ("UPDATE audit_links SET content = zeroblob(32) WHERE entry_id = 3", 3),
        ("UPDATE audit_links SET hash = zeroblob(32) WHERE entry_id = 6", 6),
    ],
)
async def test_a_forgery_is_found(db: Database, forgery: str, entry_id: int) -> None:
    await db.write(lambda tx: write(tx, 6))
    await forge(db, forgery)
    assert (await walk(db)).broken_at == entry_id


@pytest.mark.parametrize(
    "forgeries",
    [
        ("DELETE FROM audit_entries WHERE id < 4", "DELETE FROM audit_links WHERE entry_id < 4"),
        ("DELETE FROM audit_entries WHERE id = 3", "DELETE FROM audit_links WHERE entry_id = 3"),
        (
            "DELETE FROM audit_entries WHERE id = 3",
            "UPDATE audit_links SET entry_id = 0 WHERE entry_id = 3",
        ),
        (
            "DELETE FROM audit_entries WHERE id < 4",
            "UPDATE audit_links SET kind = 'dropped' WHERE entry_id = 3",
        ),
    ],
)
async def test_nothing_can_be_taken_out(db: Database, forgeries: tuple[str, ...]) -> None:
    await db.write(lambda tx: write(tx, 6))
    await forge(db, *forgeries)
    assert (await walk(db)).broken_at is not None


async def test_what_was_cut_off_at_the_end_is_missed_by_who_noted_it(db: Database) -> None:
    await db.write(lambda tx: write(tx, 6))
    noted = (await walk(db)).hash
    await db.write(lambda tx: write(tx, 1))
    assert (await walk(db, noted)).found_known
    cut = "(SELECT min(id) FROM audit_links WHERE entry_id = 6)"
    await forge(
        db,
        f"DELETE FROM audit_links WHERE id >= {cut}",
        "DELETE FROM audit_entries WHERE id >= 6",
        "UPDATE audit_entries SET status = NULL WHERE id = 5",
    )
    walked = await walk(db, noted)
    assert (walked.broken_at, walked.found_known) == (None, False)


async def test_it_is_intact_without_what_was_kept_long_enough(
    db: Database, clock: ManualClock
) -> None:
    for day in range(20):
        await db.write(lambda tx: write(tx, 3))
        noted = (await walk(db)).hash
        clock.advance(24 * 3600)
        await db.write(lambda tx: audit.delete_old(tx, KEPT))
        walked = await walk(db, noted)
        assert (walked.broken_at, walked.found_known) == (None, True), day
    first, count, links = await db.read(
        lambda tx: (
            tx.value("SELECT min(id) FROM audit_entries"),
            tx.value("SELECT count(*) FROM audit_entries"),
            tx.value("SELECT min(id) FROM audit_links"),
        )
    )
    assert (first, count) == (31, 30)
    assert links > 30
    await forge(db, "DELETE FROM audit_entries WHERE id = 31")
    assert (await walk(db)).broken_at == 31


async def test_more_than_kept_may_go_and_nothing_else(db: Database, clock: ManualClock) -> None:
    await db.write(lambda tx: write(tx, 3))
    await db.write(lambda tx: tx.run("INSERT INTO audit_targets VALUES (3, 7), (4, 7)"))
    clock.advance(11 * 24 * 3600)
    assert await db.write(lambda tx: audit.delete_old(tx, KEPT)) == 3
    assert 4 == await db.read(lambda tx: tx.value("SELECT entry_id FROM audit_targets"))
    assert (await walk(db)).broken_at is None
    await db.write(lambda tx: write(tx, 3))
    assert (await walk(db)).entries == 3
    await forge(db, "DELETE FROM audit_entries", "DELETE FROM audit_links WHERE kind = 'entry'")
    assert (await walk(db)).broken_at is not None


async def test_it_is_followed_over_many_pages(db: Database) -> None:
    await db.write(lambda tx: write(tx, PAGE + 5))
    assert (await walk(db)).entries == PAGE + 5
    await forge(db, f"UPDATE audit_entries SET path = '/b' WHERE id = {PAGE}")
    assert (await walk(db)).broken_at == PAGE
