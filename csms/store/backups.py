"""Copies of the file: made beside a running server, looked at, and put back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from csms.clock import from_micros
from csms.errors import StorageFailed
from csms.store import migrate


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a database file is like."""

    schema: int
    newest_schema: int
    """That this release knows."""
    verdict: str
    """`ok`, or the first damage."""
    last_event_at: datetime | None
    unfinished: list[tuple[str, str, str]]
    """Jobs that are not over: id, kind, state."""
    passwords_waived: int
    """Stations that come in without one."""


def copy(source: Path, target: Path) -> None:
    """Copy a database as it is at this moment, also while a server writes to it."""
    try:
        with closing(_read_only(source)) as reader, closing(sqlite3.connect(target)) as writer:
            # In one step: the reader's snapshot does not change, and writers go on.
            reader.backup(writer)
            # A file on its own, that needs no WAL beside it.
            writer.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StorageFailed(f"cannot copy {source}: {error}") from error


def inspect(path: Path) -> Inspection:
    """Look at a whole file; raises StorageFailed when it is no database of ours."""
    try:
        with closing(_read_only(path)) as reader:
            schema: int = reader.execute("PRAGMA user_version").fetchone()[0]
            verdict = str(reader.execute("PRAGMA quick_check(1)").fetchone()[0])
            last = reader.execute("SELECT max(at) FROM events").fetchone()[0]
            unfinished = reader.execute(
                "SELECT uuid, kind, state FROM jobs WHERE finished_at IS NULL ORDER BY id"
            ).fetchall()
            waived: int = reader.execute(
                "SELECT count(*) FROM credentials JOIN stations ON stations.id = station_id"
                " WHERE kind = 'waived' AND deleted_at IS NULL"
            ).fetchone()[0]
    except sqlite3.Error as error:
        raise StorageFailed(f"{path} is no sound csms database: {error}") from error
    return Inspection(
        schema=schema,
        newest_schema=migrate.migrations()[-1][0],
        verdict=" ".join(verdict.split()),
        last_event_at=None if last is None else from_micros(last),
        unfinished=unfinished,
        passwords_waived=waived,
    )


def mark_restored(path: Path) -> None:
    """Have the next start know that what this file says of stations may be long past."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("UPDATE engine SET restored = 1")
    except sqlite3.Error as error:
        raise StorageFailed(f"cannot write to {path}: {error}") from error


def _read_only(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection
