"""What travels beside the first write of a context, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from csms.errors import Conflict
from csms.events import Event
from csms.services import locations
from csms.store.companion import Companion

if TYPE_CHECKING:
    from csms.store.database import Database, Tx


def create(tx: Tx, name: str) -> None:
    locations.create(tx, name=name)


def refuse(tx: Tx) -> None:
    create(tx, "half")
    raise Conflict("no")


async def names(db: Database) -> list[str]:
    def look(tx: Any) -> list[str]:
        return [row["name"] for row in tx.all("SELECT name FROM locations ORDER BY id")]

    return await db.read(look)


async def test_it_joins_the_first_write_only(db: Database) -> None:
    companion = Companion(lambda tx: create(tx, "beside"))
    with companion.travelling():
        await db.write(lambda tx: create(tx, "first"))
        await db.write(lambda tx: create(tx, "second"))
    await db.write(lambda tx: create(tx, "third"))
    assert await names(db) == ["first", "beside", "second", "third"]
    assert companion.joined


async def test_it_goes_with_the_next_when_the_first_fails(db: Database) -> None:
    companion = Companion(lambda tx: create(tx, "beside"))
    with companion.travelling():
        with pytest.raises(Conflict):
            await db.write(refuse)
        assert not companion.joined
        await db.write(lambda tx: create(tx, "second"))
    assert await names(db) == ["second", "beside"]


async def test_when_it_fails_the_write_fails_with_it(db: Database) -> None:
    with Companion(refuse).travelling(), pytest.raises(Conflict):
        await db.write(lambda tx: create(tx, "first"))
    assert await names(db) == []


async def test_it_is_with_tasks_begun_inside_but_not_after_the_end(db: Database) -> None:
    companion = Companion(lambda tx: create(tx, "beside"))
    gone_on = asyncio.Event()

    async def later() -> None:
        await gone_on.wait()
        await db.write(lambda tx: create(tx, "later"))

    with companion.travelling():
        task = asyncio.create_task(later())
    gone_on.set()
    await task
    assert (await names(db), companion.joined) == (["later"], False)
    with companion.travelling():
        await asyncio.create_task(db.write(lambda tx: create(tx, "again")))
    assert await names(db) == ["later", "again"]


async def test_it_sees_the_events_of_its_unit_alone(db: Database) -> None:
    def emit(tx: Tx, kind: str) -> None:
        tx.emit(Event(kind, {}))

    companion = Companion(lambda tx: [event.type for event in tx.events])
    await asyncio.gather(
        db.write(lambda tx: emit(tx, "a.b")),
        _beside(companion, db, lambda tx: emit(tx, "c.d")),
        db.write(lambda tx: emit(tx, "e.f")),
    )
    assert companion.result == ["c.d"]


async def _beside(companion: Companion[Any, Any], db: Database, fn: Any) -> None:
    with companion.travelling():
        await db.write(fn)
