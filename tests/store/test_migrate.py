"""A migration happens whole or not at all, and never backwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from csms.errors import StorageFailed
from csms.store import migrate
from csms.store.database import Database

FIRST = (1, "CREATE TABLE a (x);\nINSERT INTO a VALUES (1); -- with ; inside\n")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "file", isolation_level=None)
    yield made
    made.close()


def version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


def shipped(monkeypatch: pytest.MonkeyPatch, *steps: tuple[int, str]) -> None:
    monkeypatch.setattr(migrate, "migrations", lambda: list(steps))


def test_every_step_runs_once_and_in_order(connection, monkeypatch):
    shipped(monkeypatch, FIRST)
    migrate.migrate(connection)
    shipped(monkeypatch, FIRST, (2, "ALTER TABLE a ADD COLUMN y;"), (3, "UPDATE a SET y = 2;"))
    migrate.migrate(connection)
    migrate.migrate(connection)

    assert version(connection) == 3
    assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]


@pytest.mark.parametrize("broken", ["CREATE TABLE b (x", "INSERT INTO a VALUES (1, 2, 3);"])
def test_a_broken_step_leaves_the_version_before_it(connection, monkeypatch, broken):
    shipped(monkeypatch, FIRST)
    migrate.migrate(connection)
    shipped(monkeypatch, FIRST, (2, "CREATE TABLE c (x);"), (3, f"CREATE TABLE d (x);\n{broken}"))

    with pytest.raises(sqlite3.OperationalError):
        migrate.migrate(connection)

    assert version(connection) == 2
    assert {"a", "c"} == tables(connection)
    assert not connection.in_transaction


def test_a_last_statement_without_semicolon_is_not_lost(connection, monkeypatch):
    shipped(monkeypatch, (1, "CREATE TABLE a (x);\nCREATE TABLE b (x)\n"))
    migrate.migrate(connection)
    assert {"a", "b"} == tables(connection)


def test_a_trigger_is_one_statement(connection, monkeypatch):
    body = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\n  SELECT 1;\nEND;\n-- end\n"
    shipped(monkeypatch, FIRST, (2, body))
    migrate.migrate(connection)
    assert {"a", "t"} == tables(connection)


async def test_a_newer_file_is_refused_and_not_touched(tmp_path: Path, clock, bus):
    path = tmp_path / "csms.sqlite3"
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 9999")
    newer.close()
    before = path.read_bytes()

    with pytest.raises(StorageFailed, match="use a newer csms") as refusal:
        await Database(path, clock=clock, bus=bus).open()

    assert refusal.value.code == "newer_schema"
    assert before == path.read_bytes()


def test_the_shipped_migrations_are_numbered_without_gaps():
    numbers = [number for number, _ in migrate.migrations()]
    assert list(range(1, len(numbers) + 1)) == numbers
