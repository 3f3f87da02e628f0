"""Opening the file: the lock, what makes it durable, and a look at it after a power cut."""

from __future__ import annotations

import errno
import fcntl
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import structlog

from csms.errors import StorageFailed, StorageFull, Unavailable
from csms.store import migrate

log = structlog.get_logger(__name__)

# A quick_check of more than this would delay the start; it then runs in the background.
QUICK_CHECK_LIMIT_BYTES = 256 * 1024 * 1024


def lock(path: Path) -> IO[str]:
    """Hold the lock file until it is closed; raises Unavailable when another process does."""
    try:
        handle = path.open("a+")
    except OSError as error:
        raise _cannot_open(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Unavailable(
            f"data directory {path.parent} is in use by another csms process", code="locked"
        ) from error
    return handle


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes, its file sound and of the newest schema."""
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
    except sqlite3.Error as error:
        raise _cannot_open(path, error) from error
    try:
        _prepare(connection, path)
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise _cannot_open(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection


def boot_id() -> str:
    """Identifies this boot of the machine; empty where the kernel does not tell."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def is_full(error: BaseException) -> bool:
    """Whether the disk had no room."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    # The index of the WAL is a file too, and is made larger before anything is written.
    code = getattr(error, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_IOERR_SHMSIZE or primary_code(error) == sqlite3.SQLITE_FULL


def primary_code(error: BaseException) -> int | None:
    """SQLite's result code without its refinement; None for any other error."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA busy_timeout = 5000")
    version = migrate.check_version(connection)
    path.chmod(0o600)
    # Must come before WAL, else it stays off for ever; on a file with tables it does nothing.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # 32 MiB of log between checkpoints: a page that changes often is copied back less often.
    connection.execute("PRAGMA wal_autocheckpoint = 8000")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("PRAGMA foreign_keys = ON")
    if version:
        _check_after_power_loss(connection, path)
    migrate.migrate(connection)


def _check_after_power_loss(connection: sqlite3.Connection, path: Path) -> None:
    """A killed process cannot corrupt the file, a power cut could: look after a reboot."""
    row = connection.execute("SELECT clean, boot_id FROM engine").fetchone()
    now = boot_id()
    same_boot = row["boot_id"] is None or (row["boot_id"] == now and now != "")
    if row["clean"] or same_boot:
        return
    if path.stat().st_size >= QUICK_CHECK_LIMIT_BYTES:
        threading.Thread(
            target=_check_in_background, args=(path,), name="csms-quick-check", daemon=True
        ).start()
        return
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        reason = " ".join(str(verdict).split())
        raise StorageFailed(f"{path} is damaged ({reason}); restore a backup", code="corrupt")


def _check_in_background(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
            verdict = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        log.error("database is damaged; stop and restore a backup", verdict=verdict)


def _cannot_open(path: Path, error: OSError | sqlite3.Error) -> Unavailable:
    if is_full(error):
        return StorageFull(f"cannot open {path}: the disk is full")
    return StorageFailed(f"cannot open {path}: {getattr(error, 'strerror', None) or error}")
