"""Opening the file: lock, settings that make it durable, a look at it after a power cut."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from csms.errors import CsmsError, StorageFailed, Unavailable
from csms.store import engine, opening
from csms.store.database import Database


async def opened(path: Path, clock: Any, bus: Any) -> Database:
    db = Database(path, clock=clock, bus=bus)
    await db.open()
    return db


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "csms.sqlite3"


# ---- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("auto_vacuum", 2),  # INCREMENTAL
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
    ],
)
async def test_the_writer_is_set_to_be_durable(db: Database, pragma: str, value: Any):
    assert value == await db.write(lambda tx: tx.value(f"PRAGMA {pragma}"))


async def test_incremental_vacuum_really_gives_pages_back(path: Path, clock, bus):
    db = await opened(path, clock, bus)
    await db.write(lambda tx: tx.run("UPDATE engine SET boot_id = ?", ("x" * 400_000,)))
    await db.write(lambda tx: tx.run("UPDATE engine SET boot_id = NULL"))
    pages = await db.write(lambda tx: tx.value("PRAGMA page_count"))
    # The statement has no columns, so Python steps it once, and each step frees one page.
    await db.write(lambda tx: [tx.all("PRAGMA incremental_vacuum") for _ in range(95)])
    assert await db.write(lambda tx: tx.value("PRAGMA page_count")) < pages - 90
    await db.close()


async def test_an_empty_file_left_by_a_crash_gets_the_same_settings(path: Path, clock, bus):
    path.touch()
    db = await opened(path, clock, bus)
    assert await db.write(lambda tx: tx.value("PRAGMA auto_vacuum")) == 2
    await db.close()


async def test_only_the_owner_can_read_the_files(path: Path, clock, bus):
    db = await opened(path, clock, bus)
    await db.write(lambda tx: engine.begin_epoch(tx, "b"))
    modes = {found.name: found.stat().st_mode & 0o777 for found in path.parent.iterdir()}
    await db.close()
    del modes["csms.lock"]
    assert {0o600} == set(modes.values())
    assert "csms.sqlite3-wal" in modes


# ---- lock ------------------------------------------------------------------------------------


async def test_a_second_database_on_the_file_is_refused(db: Database, clock, bus):
    with pytest.raises(Unavailable, match="in use by another csms process") as refusal:
        await Database(db.path, clock=clock, bus=bus).open()
    assert refusal.value.code == "locked"
    assert "\n" not in refusal.value.message


async def test_the_lock_goes_with_the_process_and_not_with_the_file(path: Path, clock, bus):
    db = await opened(path, clock, bus)
    await db.close()
    assert path.with_suffix(".lock").exists()
    again = await opened(path, clock, bus)
    await again.close()


async def test_a_refused_open_leaves_the_lock_free(path: Path, clock, bus):
    path.write_bytes(b"this is not a database file, whatever its name may say" * 100)
    with pytest.raises(StorageFailed, match="not a database"):
        await opened(path, clock, bus)
    with path.with_suffix(".lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def serve(directory: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "csms", "serve", "--dev", "--listen", "127.0.0.1:1"),
            *("--data-dir", str(directory), *more),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_second_process_is_refused_with_one_line(db: Database):
    ended = serve(db.path.parent)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert f"csms: data directory {db.path.parent} is in use by another csms process" == line


@pytest.mark.parametrize("missing", ["no-such-directory", "a-file"])
async def test_an_unusable_directory_is_refused_with_one_line(tmp_path: Path, clock, bus, missing):
    (tmp_path / "a-file").touch()
    with pytest.raises(CsmsError) as refusal:
        await opened(tmp_path / missing / "csms.sqlite3", clock, bus)
    assert "\n" not in refusal.value.message


# ---- after a power cut -----------------------------------------------------------------------


async def lived_in(path: Path, clock, bus, *, boot: str, clean: bool) -> None:
    db = await opened(path, clock, bus)
    await db.write(lambda tx: engine.begin_epoch(tx, boot))
    if clean:
        await db.write(engine.mark_clean)
    await db.close()


def damage(path: Path) -> None:
    """Two pages in the middle swap places: nothing an open would stumble over."""
    content = bytearray(path.read_bytes())
    root = sqlite3.connect(path)
    page = root.execute("SELECT rootpage FROM sqlite_master WHERE name = 'inbox_age'").fetchone()[0]
    root.close()
    content[(page - 1) * 4096 : page * 4096] = b"\x05" + bytes(4095)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("boot", "clean", "checked"),
    [
        ("another-boot", False, True),
        ("another-boot", True, False),
        ("this-boot", False, False),
    ],
)
async def test_the_file_is_checked_after_a_reboot_without_a_clean_stop(  # noqa: PLR0917
    path: Path, clock, bus, monkeypatch, boot: str, clean: bool, checked: bool
):
    await lived_in(path, clock, bus, boot=boot, clean=clean)
    damage(path)
    monkeypatch.setattr(opening, "boot_id", lambda: "this-boot")

    if checked:
        with pytest.raises(StorageFailed, match="damaged") as refusal:
            await opened(path, clock, bus)
        assert refusal.value.code == "corrupt"
    else:
        await (await opened(path, clock, bus)).close()


async def test_a_sound_file_opens_after_a_reboot(path: Path, clock, bus, monkeypatch):
    await lived_in(path, clock, bus, boot="another-boot", clean=False)
    monkeypatch.setattr(opening, "boot_id", lambda: "this-boot")
    await (await opened(path, clock, bus)).close()


async def test_a_machine_that_does_not_tell_its_boots_is_checked(path, clock, bus, monkeypatch):
    await lived_in(path, clock, bus, boot="", clean=False)
    damage(path)
    monkeypatch.setattr(opening, "boot_id", lambda: "")
    with pytest.raises(StorageFailed, match="damaged"):
        await opened(path, clock, bus)


async def test_a_large_file_is_checked_in_the_background(
    tmp_path: Path, clock, bus, monkeypatch, capsys
):
    path = tmp_path / "a dir with # and ?" / "csms.sqlite3"
    path.parent.mkdir()
    await lived_in(path, clock, bus, boot="another-boot", clean=False)
    damage(path)
    monkeypatch.setattr(opening, "boot_id", lambda: "this-boot")
    monkeypatch.setattr(opening, "QUICK_CHECK_LIMIT_BYTES", 1)

    db = await opened(path, clock, bus)
    for thread in threading.enumerate():
        if thread.name == "csms-quick-check":
            thread.join(10)
    await db.close()
    assert "database is damaged" in "".join(capsys.readouterr())
