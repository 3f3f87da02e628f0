"""Files are whole or not there, whatever the disk and the process do."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from csms.errors import StorageFull, TooLarge, Unavailable
from csms.services import file_store
from csms.services.file_store import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", keep_free_bytes=0)


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_what_is_kept_has_its_size_and_checksum(store: FileStore, tmp_path: Path):
    content = b"abc" * 700_000
    async with store.receive(limit_bytes=10**7, announced_bytes=0) as incoming:
        for start in range(0, len(content), 65_536):
            await incoming.write(content[start : start + 65_536])
        kept = await store.keep(incoming, "logs")
    assert (len(content), hashlib.sha256(content).hexdigest()) == (kept.size_bytes, kept.sha256)
    assert [store.path("logs", kept.uuid)] == files(tmp_path)
    assert content == store.path("logs", kept.uuid).read_bytes()
    assert 0o600 == store.path("logs", kept.uuid).stat().st_mode & 0o777


async def test_what_is_not_kept_is_gone(store: FileStore, tmp_path: Path):
    with pytest.raises(TooLarge):
        async with store.receive(limit_bytes=10, announced_bytes=0) as incoming:
            await incoming.write(b"x" * 11)
    assert [] == files(tmp_path)


async def test_who_goes_away_while_the_draft_is_opened_leaves_nothing_open(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opening, go_on, opened = threading.Event(), threading.Event(), []

    def slowly(*args: Any) -> int:
        opening.set()
        assert go_on.wait(5)
        opened.append(real(*args))
        return opened[0]

    async def receive() -> None:
        async with store.receive(limit_bytes=10, announced_bytes=0):
            pytest.fail("it was begun")

    real = os.open
    monkeypatch.setattr(file_store.os, "open", slowly)
    receiving = asyncio.create_task(receive())
    assert await asyncio.to_thread(opening.wait, 5)
    receiving.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert [] == files(tmp_path)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(opened[0])


async def test_a_file_that_is_announced_as_too_large_is_not_begun(store: FileStore):
    with pytest.raises(TooLarge):
        async with store.receive(limit_bytes=10, announced_bytes=11):
            pytest.fail("it was begun")


async def test_a_disk_that_fills_up_on_the_way_is_told(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    free = iter([10**9, 10**9, 0])
    real = shutil.disk_usage
    monkeypatch.setattr(
        file_store.shutil, "disk_usage", lambda path: real(path)._replace(free=next(free))
    )
    with pytest.raises(StorageFull):
        async with store.receive(limit_bytes=10**8, announced_bytes=0) as incoming:
            for _ in range(3):
                await incoming.write(b"x" * 2**20)
    assert [] == files(tmp_path)


@pytest.mark.parametrize(
    ("number", "refusal", "code"),
    [
        (errno.ENOSPC, StorageFull, "storage_full"),
        (errno.EDQUOT, StorageFull, "storage_full"),
        (errno.EIO, Unavailable, "file_error"),
    ],
)
async def test_what_the_disk_refuses_is_told_and_leaves_nothing(
    *,
    store: FileStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    refusal: type[Unavailable],
    code: str,
):
    def refuse(_: Any) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(file_store.os, "fsync", refuse)
    with pytest.raises(refusal) as told:
        async with store.receive(limit_bytes=100, announced_bytes=0) as incoming:
            await incoming.write(b"x")
            await store.keep(incoming, "logs")
    assert code == told.value.code
    assert [] == files(tmp_path)


async def test_the_sweep_deletes_what_has_no_row(store: FileStore, tmp_path: Path):
    known, orphan = str(uuid.uuid4()), str(uuid.uuid4())
    for folder, name in (("logs", known), ("logs", orphan), (file_store.INCOMING, orphan)):
        path = tmp_path / "files" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert 1 == await store.sweep("logs", {known})
    assert [store.path("logs", known)] == files(tmp_path)


async def test_no_name_leads_out_of_the_folder(store: FileStore):
    for name in ("../csms.sqlite3", "/etc/passwd", "x", ""):
        with pytest.raises(ValueError, match="badly formed"):
            store.path("logs", name)
