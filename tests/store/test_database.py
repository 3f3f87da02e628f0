"""The writer commits in groups, readers see snapshots, and neither says more than the disk holds."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from csms.clock import ManualClock
from csms.errors import DuplicateIdentity, StorageFailed, StorageFull, Unavailable
from csms.events import Bus, Event
from csms.store.database import GROUP_LIMIT, Database, ReadTx, Tx

ADD = (
    "INSERT INTO locations (uuid, slug, name, address, created_at, updated_at)"
    " VALUES (?, '', '', ?, 0, 0)"
)


def add(name: str, size: int = 0) -> Callable[[Tx], int]:
    return lambda tx: tx.insert(ADD, (name, "x" * size))


def names(tx: ReadTx) -> set[str]:
    return {row["uuid"] for row in tx.all("SELECT uuid FROM locations")}


@asynccontextmanager
async def writer_held(db: Database) -> AsyncIterator[None]:
    """What is written meanwhile waits, and becomes one group."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(10)

    holder = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    try:
        yield
    finally:
        go_on.set()
    await holder


async def queued(db: Database, *units: Callable[[Tx], object]) -> list[asyncio.Task[object]]:
    """The writes of `units`, every one of them in the writer's queue."""
    writes = [asyncio.ensure_future(db.write(unit)) for unit in units]
    await asyncio.sleep(0)  # each task runs up to its first wait
    return writes


async def group(db: Database, *units: Callable[[Tx], object]) -> list[object]:
    """All of `units` in one transaction; results and exceptions."""
    async with writer_held(db):
        writes = await queued(db, *units)
    return await asyncio.gather(*writes, return_exceptions=True)


# ---- group commit ----------------------------------------------------------------------------


async def test_a_result_arrives_after_its_commit(db: Database):
    await db.write(add("a"))

    with sqlite3.connect(db.path) as other:
        found = other.execute("SELECT uuid FROM locations").fetchall()
    other.close()
    assert found == [("a",)]


async def test_what_queued_during_a_commit_is_one_transaction(db: Database):
    before = db.stats.commits
    results = await group(db, *(add(f"n{number}") for number in range(20)))

    assert not [error for error in results if isinstance(error, BaseException)]
    assert db.stats.commits - before == 2  # the holder's, and theirs
    assert db.stats.largest_group == 20


async def test_a_group_has_a_limit(db: Database):
    await group(db, *(add(f"n{number}") for number in range(GROUP_LIMIT + 10)))

    assert db.stats.largest_group == GROUP_LIMIT
    assert len(await db.read(names)) == GROUP_LIMIT + 10


async def test_a_unit_that_fails_is_rolled_back_alone(db: Database):
    def fails(tx: Tx) -> None:
        add("b")(tx)
        tx.emit(Event("b.added"))
        raise DuplicateIdentity("no")

    told: list[str] = []
    db._bus.subscribe(Event, lambda event: told.append(event.type))
    results = await group(db, add("a"), fails, add("c"))

    assert [int, DuplicateIdentity, int] == [type(result) for result in results]
    assert {"a", "c"} == await db.read(names)
    assert told == []
    assert await db.read(lambda tx: tx.value("SELECT count(*) FROM events")) == 0


async def test_a_unit_that_breaks_a_constraint_is_rolled_back_alone(db: Database):
    results = await group(db, add("a"), add("a"), add("c"))

    assert isinstance(results[1], sqlite3.IntegrityError)
    assert {"a", "c"} == await db.read(names)


async def test_events_reach_the_bus_after_the_commit_and_in_its_order(db: Database, bus: Bus):
    heard: list[tuple[int, str, bool]] = []

    def on_event(event: Event) -> None:
        connection = sqlite3.connect(db.path)
        stored = connection.execute("SELECT type FROM events WHERE id = ?", (event.id,)).fetchone()
        connection.close()
        heard.append((event.id, event.type, stored == (event.type,)))

    bus.subscribe(Event, on_event)
    await group(
        db, *(lambda tx, n=number: tx.emit(Event(f"number.{n}", {"n": n})) for number in range(9))
    )
    await db.write(lambda tx: tx.emit(Event("number.9", {"n": 9}, station_id=4, location_id=5)))

    assert [f"number.{number}" for number in range(10)] == [type_ for _, type_, _ in heard]
    assert sorted(id_ for id_, _, _ in heard) == [id_ for id_, _, _ in heard]
    assert all(stored for _, _, stored in heard)


async def test_an_event_on_the_bus_says_what_its_row_says(db: Database, bus: Bus, clock):
    heard: list[Event] = []
    bus.subscribe(Event, heard.append)
    event = Event("a.b", {"x": 1}, station_id=4, job_id=5, location_id=6)

    event_id = await db.write(lambda tx: tx.emit(event))

    expected = Event("a.b", {"x": 1}, 4, 5, 6, id=event_id, at=clock.now())
    assert [expected] == heard


async def test_cancelling_the_wait_does_not_cancel_the_write(db: Database):
    async with writer_held(db):
        (waiter,) = await queued(db, add("a"))
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
    await db.write(add("b"))

    assert {"a", "b"} == await db.read(names)


async def test_nothing_runs_outside_the_transaction_once_it_is_gone(db: Database):
    def swallows(tx: Tx) -> None:
        with pytest.raises(sqlite3.IntegrityError):
            tx.run(ADD.replace("INSERT", "INSERT OR ROLLBACK"), ("a", ""))
        add("outside")(tx)

    await db.write(add("a"))
    results = await group(db, add("b"), swallows, add("c"))

    assert [StorageFailed] * 3 == [type(result) for result in results]
    assert {"a"} == await db.read(names)


# ---- readers ---------------------------------------------------------------------------------


async def test_a_reader_sees_one_snapshot(db: Database):
    await db.write(add("a"))
    looked, written = threading.Event(), threading.Event()

    def look(tx: ReadTx) -> tuple[set[str], set[str]]:
        first = names(tx)
        looked.set()
        assert written.wait(10)
        return first, names(tx)

    reading = asyncio.ensure_future(db.read(look))
    await asyncio.to_thread(looked.wait, 10)
    await db.write(add("b"))
    written.set()

    assert ({"a"}, {"a"}) == await reading
    assert {"a", "b"} == await db.read(names)


async def test_a_reader_cannot_write(db: Database):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await db.read(lambda tx: tx.all("DELETE FROM engine"))
    assert await db.read(lambda tx: tx.value("SELECT count(*) FROM engine")) == 1


async def test_a_failed_read_leaves_the_reader_usable(db: Database):
    for _ in range(10):
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await db.read(lambda tx: tx.all("SELECT * FROM nowhere"))
    assert set() == await db.read(names)


async def test_a_cancelled_read_gives_its_reader_back(db: Database):
    let_go = threading.Event()
    readings = [
        asyncio.ensure_future(db.read(lambda tx: let_go.wait(10) and names(tx))) for _ in range(4)
    ]
    await asyncio.sleep(0)
    for reading in readings:
        reading.cancel()
    let_go.set()

    assert set() == await asyncio.wait_for(db.read(names), 10)
    assert [
        isinstance(result, asyncio.CancelledError)
        for result in await asyncio.gather(*readings, return_exceptions=True)
    ] == [True] * 4


# ---- the end ---------------------------------------------------------------------------------


async def test_close_finishes_what_was_queued_and_checkpoints(tmp_path: Path, clock, bus):
    db = Database(tmp_path / "csms.sqlite3", clock=clock, bus=bus)
    await db.open()
    async with writer_held(db):
        (last,) = await queued(db, add("a"))
        closing = asyncio.ensure_future(db.close())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await db.write(add("too late"))
    await asyncio.gather(last, closing)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["csms.lock", "csms.sqlite3"]
    with pytest.raises(Unavailable):
        await db.read(names)
    await db.close()  # once more does nothing


# ---- a disk that is full or broken -----------------------------------------------------------


def allow_pages(number: int) -> Callable[[Tx], int]:
    """SQLite answers SQLITE_FULL, exactly as on a full disk, beyond `number` more pages."""
    return lambda tx: tx.value(f"PRAGMA max_page_count = {tx.value('PRAGMA page_count') + number}")


async def test_a_full_disk_fails_the_whole_group_and_heals(db: Database, bus: Bus):
    told: list[str] = []
    bus.subscribe(Event, lambda event: told.append(event.type))
    await db.write(allow_pages(3))

    def emits(tx: Tx) -> None:
        add("b")(tx)
        tx.emit(Event("b.added"))

    results = await group(db, add("a"), emits, add("large", 100_000), add("d"))

    assert [StorageFull] * 4 == [type(result) for result in results]
    assert set() == await db.read(names)
    assert told == []
    with pytest.raises(StorageFull):
        await db.write(add("large", 100_000))
    await db.write(allow_pages(1000))
    await group(db, add("a"), emits, add("large", 100_000), add("d"))
    assert {"a", "b", "large", "d"} == await db.read(names)
    assert told == ["b.added"]


async def test_every_size_of_a_full_disk_leaves_all_or_nothing(db: Database):
    for room in range(12):
        await db.write(allow_pages(room))
        before = await db.read(names)
        results = await group(db, *(add(f"{room}-{n}", 5000) for n in range(8)))
        stored = await db.read(names) - before

        failed = [result for result in results if isinstance(result, StorageFull)]
        assert len(failed) in {0, 8}
        assert (8 if not failed else 0) == len(stored)
    assert await db.read(lambda tx: tx.value("PRAGMA integrity_check")) == "ok"


def length_of_wal(db: Database) -> int:
    return db.path.with_name(db.path.name + "-wal").stat().st_size


@contextmanager
def files_no_longer_than(number: int) -> Iterator[None]:
    """The kernel refuses longer files with EFBIG, which SQLite takes for an I/O error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_after_an_io_error_nothing_is_acknowledged_any_more(db: Database):
    failed = asyncio.Event()
    db.on_failure = failed.set

    def unit(tx: Tx) -> None:
        add("a", 10_000)(tx)
        # Queued behind the failing group: they must not be committed either.
        later.extend(
            asyncio.run_coroutine_threadsafe(db.write(add(f"later {n}")), loop) for n in range(3)
        )
        queued.set()

    later: list = []
    queued = threading.Event()
    loop = asyncio.get_running_loop()
    with files_no_longer_than(length_of_wal(db)):
        with pytest.raises(StorageFailed):
            await db.write(unit)
        async with asyncio.timeout(10):
            await failed.wait()
    for write in later:
        with pytest.raises(StorageFailed):
            await asyncio.wrap_future(write)
    with pytest.raises(StorageFailed):
        await db.write(add("c"))
    assert set() == await db.read(names)


class FsyncFailsOnce:
    """The writer's connection, whose next COMMIT ends as SQLite reports a failed fsync."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self._armed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        if sql == "COMMIT" and self._armed:
            self._armed = False
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self._real.execute(sql, params)


async def test_groups_behind_a_failed_fsync_are_refused_though_it_would_work_again(db: Database):
    async with writer_held(db):
        writes = await queued(db, *(add(f"n{number}") for number in range(GROUP_LIMIT + 5)))
        # The holder of the writer has the real connection, and commits on it.
        db._connection = FsyncFailsOnce(db._connection)
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert {StorageFailed} == {type(result) for result in results}
    assert set() == await db.read(names)


async def test_the_next_start_after_an_io_error_has_every_acknowledged_write(
    tmp_path: Path, clock, bus
):
    path = tmp_path / "csms.sqlite3"
    db = Database(path, clock=clock, bus=bus)
    await db.open()
    await db.write(add("acknowledged"))
    with files_no_longer_than(length_of_wal(db)), pytest.raises(StorageFailed):
        await db.write(add("refused", 10_000))
    await db.close()

    again = Database(path, clock=clock, bus=bus)
    await again.open()
    assert {"acknowledged"} == await again.read(names)
    await again.close()


async def test_a_file_that_another_process_holds_is_a_passing_refusal(db: Database):
    await db.write(lambda tx: tx.all("PRAGMA busy_timeout = 10"))
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable) as refusal:
            await db.write(add("a"))
        assert not isinstance(refusal.value, StorageFailed)
    finally:
        other.close()
    await db.write(add("b"))
    assert {"b"} == await db.read(names)


async def test_the_clock_of_a_unit_is_the_servers(db: Database, clock: ManualClock):
    first = await db.write(lambda tx: tx.now)
    clock.advance(2)
    assert await db.write(lambda tx: tx.now) - first == 2_000_000


async def test_one_unit_of_a_group_fails_and_its_neighbours_stand(db: Database, bus: Bus):
    heard: list[Event] = []
    bus.subscribe(Event, heard.append)
    runs: list[str] = []

    def emit(name: str, *, fails: bool = False) -> Callable[[Tx], int]:
        def unit(tx: Tx) -> int:
            runs.append(name)
            number = tx.emit(Event(name, {}))
            if fails:
                raise ValueError(name)
            return number

        return unit

    first = await db.write(emit("first"))
    writes = [db.write(emit("a")), db.write(emit("b", fails=True)), db.write(emit("c"))]
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert isinstance(results[1], ValueError)
    assert [results[0], results[2]] == [first + 1, first + 2]
    assert [(event.type, event.id) for event in heard] == [
        ("first", first),
        ("a", first + 1),
        ("c", first + 2),
    ]
    rows = await db.read(lambda tx: tx.all("SELECT id, type FROM events ORDER BY id"))
    assert [(row["type"], row["id"]) for row in rows] == [(e.type, e.id) for e in heard]
