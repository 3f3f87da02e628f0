"""One SQLite file: a single writer thread with group commit, and snapshot readers.

`await db.write(fn)` runs `fn(tx)` on the writer and returns after the COMMIT of its group:
whatever queued up while the last fsync ran becomes the next transaction. When a unit fails, its
group runs again with a savepoint for each, so only the failing one leaves nothing behind.
`await db.read(fn)` runs `fn(tx)` on a read connection inside one snapshot.
Both `fn` are plain functions that do SQL and decisions and touch nothing outside `tx`: they may
be run twice.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import aiosqlite
import orjson
import structlog

from csms.clock import Clock, from_micros
from csms.errors import StorageFailed, StorageFull, Unavailable
from csms.events import Bus, Event
from csms.store import opening
from csms.store.companion import TRAVELLING

log = structlog.get_logger(__name__)

T = TypeVar("T")
Row = sqlite3.Row
Params = Sequence[Any]

# Bounds one transaction, so that a flood cannot make one commit endless.
GROUP_LIMIT = 512
READERS = 4
_STOP = None
_GROUP_IS_LOST = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOMEM}
)


_LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"


class _Outbox:
    """The events of a group. They are stored in one go, but have their numbers at once."""

    __slots__ = ("_connection", "_last", "emitted")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._last: int | None = None
        self.emitted: list[tuple[Event, int, str]] = []
        """Each with the microseconds of when, and its data as JSON."""

    def add(self, event: Event, at: int) -> int:
        """Returns the number; only the writer draws from the sequence of the table."""
        self.emitted.append((event, at, orjson.dumps(event.data).decode()))
        if self._last is None:
            row = self._connection.execute(_LAST_EVENT).fetchone()
            self._last = 0 if row is None else int(row[0])
        return self._last + len(self.emitted)

    def store(self) -> list[Event]:
        """Write the rows; returns the events as the bus is told them."""
        if not self.emitted:
            return []
        assert self._last is not None
        numbered = list(enumerate(self.emitted, self._last + 1))
        self._connection.executemany(
            "INSERT INTO events (id, type, at, station_id, job_id, location_id, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, event.type, at, event.station_id, event.job_id, event.location_id, data)
                for number, (event, at, data) in numbered
            ],
        )
        return [
            Event(
                event.type,
                event.data,
                event.station_id,
                event.job_id,
                event.location_id,
                number,
                from_micros(at),
            )
            for number, (event, at, _) in numbered
        ]


class ReadTx:
    """A snapshot to read from; handed to `fn`, dead after it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, sql: str, params: Params = ()) -> Row | None:
        """First row or None."""
        row: Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def all(self, sql: str, params: Params = ()) -> list[Row]:
        """Every row."""
        return self._connection.execute(sql, params).fetchall()

    def tuples(self, sql: str, params: Params = ()) -> list[Any]:
        """Every row as a tuple, which costs half as much where they are thousands."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, params).fetchall()

    def value(self, sql: str, params: Params = ()) -> Any:
        """First column of the first row, or None."""
        row = self._connection.execute(sql, params).fetchone()
        return None if row is None else row[0]


class Tx(ReadTx):
    """One unit of work inside the group's transaction."""

    __slots__ = ("_begin", "_outbox", "memo", "now")

    def __init__(self, connection: sqlite3.Connection, now: int, outbox: _Outbox) -> None:
        super().__init__(connection)
        self.now = now
        """When the unit started, microseconds UTC."""
        self.memo: dict[Any, Any] = {}
        """What the unit looked up once and need not look up for every row it touches."""
        self._outbox = outbox
        self._begin = len(outbox.emitted)

    @property
    def events(self) -> list[Event]:
        """What this unit has emitted so far."""
        return [event for event, _, _ in self._outbox.emitted[self._begin :]]

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute; returns the number of rows changed."""
        self._must_be_inside()
        return self._connection.execute(sql, params).rowcount

    def insert(self, sql: str, params: Params = ()) -> int:
        """Execute an INSERT; returns the new rowid."""
        self._must_be_inside()
        rowid = self._connection.execute(sql, params).lastrowid
        assert rowid is not None
        return rowid

    def many(self, sql: str, rows: Iterable[Params]) -> int:
        """Execute once per row; returns the number of rows changed."""
        self._must_be_inside()
        return self._connection.executemany(sql, rows).rowcount

    def emit(self, event: Event) -> int:
        """Store the event with this unit; the bus gets it after the COMMIT. Returns its id."""
        self._must_be_inside()
        return self._outbox.add(event, self.now)

    def _must_be_inside(self) -> None:
        # SQLite drops the transaction at some errors; whoever swallows one must not go on alone.
        if not self._connection.in_transaction:
            raise StorageFailed("the transaction is gone; nothing is written outside of one")


@dataclass(slots=True)
class _Unit:
    """A queued write and the place its result goes."""

    fn: Callable[[Tx], Any]
    future: asyncio.Future[Any]


_Results = list[tuple[asyncio.Future[Any], Any, BaseException | None]]


@dataclass(slots=True)
class _Done:
    """What a finished group hands back to the loop."""

    results: _Results
    events: list[Event]


@dataclass(slots=True)
class WriterStats:
    """Counters for /metrics; written by the writer thread, read by the loop."""

    commits: int = 0
    units: int = 0
    failures: int = 0
    commit_seconds: float = 0.0
    last_commit_seconds: float = 0.0
    largest_group: int = 0


class _Reader(aiosqlite.Connection):
    """A read connection that runs a whole function in its thread."""

    async def run(self, fn: Callable[[ReadTx], T]) -> T:
        """One hop for the whole function instead of one per statement."""

        def snapshot() -> T:
            connection = self._conn
            connection.execute("BEGIN")
            try:
                return fn(ReadTx(connection))
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

        return await self._execute(snapshot)  # type: ignore[no-untyped-call, no-any-return]


class Database:
    """The file, its lock, its writer and its readers."""

    def __init__(self, path: Path, *, clock: Clock, bus: Bus) -> None:
        self.path = path
        self.stats = WriterStats()
        self.on_failure: Callable[[], None] = lambda: None
        """Called on the loop when a commit hit an I/O error: exit and start afresh."""
        self._clock = clock
        self._bus = bus
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._readers: asyncio.Queue[_Reader] = asyncio.Queue()
        self._thread: threading.Thread | None = None
        self._lock: IO[str] | None = None
        self._full = False
        self._failed = False
        self._closing = False
        self._loop: asyncio.AbstractEventLoop
        self._connection: sqlite3.Connection

    @property
    def usable(self) -> bool:
        """Whether a write may still succeed: not closing, and the disk never lied."""
        return not (self._closing or self._failed)

    @property
    def pending(self) -> int:
        """Units waiting for the writer."""
        return self._queue.qsize()

    async def open(self) -> None:
        """Lock, migrate, start the writer and the readers. Raises Unavailable when it cannot."""
        self._loop = asyncio.get_running_loop()
        self._lock = opening.lock(self.path.with_suffix(".lock"))
        try:
            self._connection = await asyncio.to_thread(opening.connect_writer, self.path)
        except BaseException:
            self._lock.close()
            raise
        self._thread = threading.Thread(target=self._write_loop, name="csms-writer", daemon=True)
        self._thread.start()
        for _ in range(READERS):
            reader = _Reader(lambda: opening.connect_reader(self.path), iter_chunk_size=64)
            await reader
            self._readers.put_nowait(reader)

    async def close(self) -> None:
        """Finish queued writes, checkpoint, release the lock."""
        if self._thread is None:
            return
        self._closing = True
        self._queue.put(_STOP)
        await asyncio.to_thread(self._thread.join)
        self._thread = None
        for _ in range(READERS):
            reader = await self._readers.get()
            await reader.close()
        await asyncio.to_thread(self._close_writer)
        if self._lock is not None:
            self._lock.close()

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn(tx)` and return its result after the COMMIT of its group.

        What `fn` raises is raised here and leaves nothing behind. Raises StorageFull,
        StorageFailed or Unavailable when the group could not be committed.
        Cancelling the wait does not cancel the write.
        """
        return await self.submit(fn)

    def submit(self, fn: Callable[[Tx], T]) -> asyncio.Future[T]:
        """As `write`, for those who have no task to wait in."""
        if not self.usable:
            raise StorageFailed("storage failed") if self._failed else Unavailable("shutting down")
        future: asyncio.Future[T] = self._loop.create_future()
        companion = TRAVELLING.get()
        if companion is not None:
            fn = companion.beside(fn, future)
        self._queue.put(_Unit(fn, future))
        return future

    async def write_when_possible(self, fn: Callable[[Tx], T], *, retry_s: float) -> T:
        """As `write`, but waits until a full disk has space again.

        Raises StorageFailed, or Unavailable when the database is being closed.
        """
        while True:
            try:
                return await self.write(fn)
            except Unavailable:
                if not self.usable:
                    raise
            await asyncio.sleep(retry_s)

    async def read(self, fn: Callable[[ReadTx], T]) -> T:
        """Run `fn(tx)` on a read connection, inside one snapshot."""
        if self._closing:
            raise Unavailable("shutting down")
        reader = await self._readers.get()
        try:
            return await reader.run(fn)
        finally:
            self._readers.put_nowait(reader)

    # ---- the writer thread -------------------------------------------------------------------

    def _write_loop(self) -> None:
        stop = False
        while not stop:
            units = self._next_group()
            if units and units[-1] is _STOP:
                units.pop()
                stop = True
            group = [unit for unit in units if unit is not None]
            if not group:
                continue
            done = self._commit(group)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._deliver, done)

    def _next_group(self) -> list[_Unit | None]:
        units = [self._queue.get()]
        while units[-1] is not _STOP and len(units) < GROUP_LIMIT:
            try:
                units.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return units

    def _commit(self, group: list[_Unit]) -> _Done:
        if self._failed:  # queued behind the group that failed
            return _Done(_refused(group, StorageFailed("storage failed")), [])
        connection = self._connection
        try:
            results, outbox = self._run_group(group)
            events = outbox.store()
            started = time.perf_counter()
            connection.execute("COMMIT")
        except Exception as error:
            return _Done(_refused(group, self._group_failed(error, len(group))), [])
        self._count(len(group), time.perf_counter() - started)
        return _Done(results, events)

    def _run_group(self, group: list[_Unit]) -> tuple[_Results, _Outbox]:
        """Every unit in one transaction; only when one fails they get savepoints."""
        connection, clock = self._connection, self._clock
        connection.execute("BEGIN IMMEDIATE")
        outbox = _Outbox(connection)
        if len(group) > 1:
            try:
                results: _Results = [
                    (unit.future, unit.fn(Tx(connection, clock.micros(), outbox)), None)
                    for unit in group
                ]
            except Exception as error:
                if self._is_lost_to(error):
                    raise
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                outbox = _Outbox(connection)
            else:
                return results, outbox
        return [(unit.future, *self._run_unit(unit, outbox)) for unit in group], outbox

    def _run_unit(self, unit: _Unit, outbox: _Outbox) -> tuple[Any, BaseException | None]:
        connection = self._connection
        mark = len(outbox.emitted)
        connection.execute("SAVEPOINT unit")
        try:
            value = unit.fn(Tx(connection, self._clock.micros(), outbox))
        except Exception as error:
            if self._is_lost_to(error):
                raise
            connection.execute("ROLLBACK TO unit")
            connection.execute("RELEASE unit")
            del outbox.emitted[mark:]
            return None, error
        connection.execute("RELEASE unit")
        return value, None

    def _is_lost_to(self, error: Exception) -> bool:
        # A full disk makes SQLite drop the transaction and every savepoint in it.
        is_lost = opening.primary_code(error) in _GROUP_IS_LOST
        return is_lost or not self._connection.in_transaction

    def _group_failed(self, error: Exception, units: int) -> Unavailable:
        self.stats.failures += 1
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        if opening.is_full(error):
            if not self._full:
                log.error("the disk is full; writes are refused until there is space")
            self._full = True
            return StorageFull("the disk is full; nothing was written")
        log.error("commit failed", error=str(error), units=units)
        if opening.primary_code(error) == sqlite3.SQLITE_BUSY:
            return Unavailable("another process holds the database; nothing was written")
        # After a failed fsync the kernel may have dropped the pages: nothing on this
        # connection can be trusted any more (fsyncgate).
        self._failed = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.on_failure)
        return StorageFailed(f"storage failed: {error}")

    def _count(self, units: int, seconds: float) -> None:
        if self._full:
            log.warning("the disk has space again")
            self._full = False
        stats = self.stats
        stats.commits += 1
        stats.units += units
        stats.commit_seconds += seconds
        stats.last_commit_seconds = seconds
        stats.largest_group = max(stats.largest_group, units)

    def _close_writer(self) -> None:
        if not self._failed:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    # ---- back on the loop --------------------------------------------------------------------

    def _deliver(self, done: _Done) -> None:
        for future, value, error in done.results:
            if future.done():  # the waiter was cancelled; the write stands
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        for event in done.events:
            self._bus.publish(event)


def _refused(group: list[_Unit], error: Unavailable) -> _Results:
    # One exception each: a traceback grows wherever it is raised.
    return [(unit.future, None, type(error)(error.message)) for unit in group]
