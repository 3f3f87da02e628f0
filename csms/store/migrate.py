"""Numbered, forward-only migrations; each in one transaction together with `user_version`."""

from __future__ import annotations

import re
import sqlite3
from importlib import resources

from csms.errors import StorageFailed

_NAME = re.compile(r"(\d{4})_.+\.sql")


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every shipped migration, in order."""
    found = []
    for entry in resources.files("csms.store").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(entry.name)
        if match:
            found.append((int(match[1]), entry.read_text("utf-8")))
    return sorted(found)


def check_version(connection: sqlite3.Connection) -> int:
    """The schema's version, 0 before the first; raises StorageFailed for a newer release's."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    newest = migrations()[-1][0]
    if version > newest:
        raise StorageFailed(
            f"the database has schema {version}, this release knows {newest}: use a newer csms",
            code="newer_schema",
        )
    return version


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version; refuse one from a newer release."""
    version = check_version(connection)
    for number, sql in migrations():
        if number > version:
            _apply(connection, number, sql)


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    # DDL and user_version roll back together, so "applied" and "version is N" cannot disagree.
    # executescript would commit first; statements are run one by one instead.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(sql):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(sql: str) -> list[str]:
    statements = []
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    if pending.strip():  # without a semicolon, half a statement, or a comment
        statements.append(pending)
    return statements
