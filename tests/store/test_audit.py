"""The audit of a station costs as much where it has many entries, and goes in small pieces."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from csms.store import audit
from csms.store.audit import AuditFilter, Request

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.store.database import Database, ReadTx, Tx

ASKED = Request(None, "192.0.2.1", "r", "POST", "/a", "/a")
KEPT = timedelta(days=10)
OWN, OTHER, DELETED = 7, 8, 9
LIMIT = 5


def write(tx: Tx, number: int, *station_ids: int) -> list[int]:
    """So many entries; for several stations there is a row of each."""
    only = station_ids[0] if len(station_ids) == 1 else None
    ids = [
        tx.insert(
            "INSERT INTO audit_entries (at, method, route, path, events, station_id)"
            " VALUES (?, 'POST', '/a', '/a', '[]', ?)",
            (tx.now, only),
        )
        for _ in range(number)
    ]
    if only is None:
        rows = [(entry_id, station_id) for entry_id in ids for station_id in station_ids]
        tx.many("INSERT INTO audit_targets VALUES (?, ?)", rows)
    return ids


async def pages(db: Database, *station_ids: int) -> list[int]:
    """The ids of all pages."""
    ids: list[int] = []
    wanted = AuditFilter(station_ids=station_ids)
    while True:
        before_id = ids[-1] if ids else None
        found = await db.read(
            lambda tx: audit.list_page(tx, wanted, before_id=before_id, limit=LIMIT)  # noqa: B023
        )
        ids += [entry.id for entry in found]
        if len(found) < LIMIT:
            return ids


async def test_own_entries_and_those_of_many_are_one_list(db: Database) -> None:
    ids = [
        *await db.write(lambda tx: write(tx, 3, OWN)),
        *await db.write(lambda tx: write(tx, 4, OWN, OTHER)),
        *await db.write(lambda tx: write(tx, 4, DELETED)),
        *await db.write(lambda tx: write(tx, 2, OWN, OTHER, DELETED)),
        *await db.write(lambda tx: write(tx, 3, OWN)),
    ]
    own = [one for one in ids if one not in ids[7:11]]
    assert own[::-1] == await pages(db, OWN)
    assert ids[11:13][::-1] + ids[3:7][::-1] == await pages(db, OTHER)
    assert ids[::-1] == await pages(db, OWN, DELETED)


def steps_of_a_page(tx: ReadTx, before_id: int | None) -> int:
    """How much SQLite does for it, in hundreds of instructions."""
    seen: list[int] = []

    def count() -> int:
        seen.append(1)
        return 0

    connection = tx._connection
    connection.set_progress_handler(count, 100)
    try:
        wanted = AuditFilter(station_ids=(OWN,))
        found = audit.list_page(tx, wanted, before_id=before_id, limit=LIMIT)
    finally:
        connection.set_progress_handler(None, 0)
    assert LIMIT == len(found)
    return len(seen)


@pytest.mark.parametrize("stations", [(OWN,), (OWN, OTHER)])
async def test_no_page_costs_more_for_a_longer_list(
    db: Database, stations: tuple[int, ...]
) -> None:
    await db.write(lambda tx: write(tx, 20, *stations))
    few = await db.read(lambda tx: steps_of_a_page(tx, None))
    ids = await db.write(lambda tx: write(tx, 2000, *stations))
    for before_id in (None, ids[1000]):
        many = await db.read(lambda tx: steps_of_a_page(tx, before_id))  # noqa: B023
        assert many <= few + 3, before_id


async def test_what_was_for_many_goes_in_pieces(
    db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_TARGETS", 4)

    def make(tx: Tx) -> None:
        for station_ids in ((1, 2, 3), tuple(range(10)), (), (1, 2)):
            entry_id = audit.insert(tx, ASKED)
            rows = [(entry_id, station_id) for station_id in station_ids]
            tx.many("INSERT INTO audit_targets VALUES (?, ?)", rows)

    await db.write(make)
    clock.advance(12 * 24 * 3600)
    await db.write(lambda tx: write(tx, 1, OWN, OTHER))
    left = []
    while await db.write(lambda tx: audit.delete_old(tx, KEPT)):
        left.append(
            await db.read(
                lambda tx: (
                    tx.value("SELECT count(*) FROM audit_targets"),
                    tx.value("SELECT count(*) FROM audit_entries"),
                )
            )
        )
    assert [(13, 5), (9, 5), (5, 5), (2, 1)] == left
