"""Files in the data directory: whole or not there, under names that are ours.

A file is written in `incoming`, synced, and moved to its place; then its row is written. What has
no row is swept away, so a crash at any moment leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from csms.domain.file_transfers import StoredFile
from csms.errors import StorageFull, TooLarge, Unavailable

T = TypeVar("T")

INCOMING = "incoming"
# So much is gathered before a thread writes it.
_BLOCK_BYTES = 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(slots=True)
class _Blocks:
    """The draft of a file; used by one thread at a time."""

    path: Path
    file: BinaryIO = field(init=False)
    ends: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    digest: Any = field(default_factory=hashlib.sha256)
    size_bytes: int = 0

    def open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.ends.callback(self.path.unlink, missing_ok=True)
        self.file = self.ends.enter_context(os.fdopen(handle, "wb"))

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # what the disk did not take
            self.ends.close()

    def write(self, block: bytes) -> None:
        self.file.write(block)
        self.digest.update(block)
        self.size_bytes += len(block)


class Incoming:
    """A file on its way in; see `FileStore.receive`."""

    def __init__(self, store: FileStore, blocks: _Blocks, *, limit_bytes: int) -> None:
        self._store = store
        self._blocks = blocks
        self._limit_bytes = limit_bytes
        self._waiting = bytearray()
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        """Take the next bytes; raises TooLarge and StorageFull."""
        self.size_bytes += len(data)
        check_size(self.size_bytes, self._limit_bytes)
        self._waiting += data
        if len(self._waiting) >= _BLOCK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Hand to the disk what has been gathered."""
        block, self._waiting = bytes(self._waiting), bytearray()
        await self._store.in_thread(lambda: self._store.append(self._blocks, block))


class FileStore:
    """One directory with a folder for each kind of file."""

    def __init__(self, directory: Path, *, keep_free_bytes: int) -> None:
        self._directory = directory
        self._keep_free_bytes = keep_free_bytes

    def path(self, folder: str, name: str) -> Path:
        """Where a file lies; `name` is its uuid."""
        return self._directory / folder / str(uuid.UUID(name))

    @contextlib.asynccontextmanager
    async def receive(self, *, limit_bytes: int, announced_bytes: int) -> AsyncIterator[Incoming]:
        """A new draft, gone at the end unless `keep` moved it; raises StorageFull, TooLarge."""
        check_size(announced_bytes, limit_bytes)
        await self.in_thread(lambda: self._check_space(announced_bytes))
        blocks = _Blocks(self._directory / INCOMING / str(uuid.uuid4()))
        try:
            await self.in_thread(blocks.open)
            yield Incoming(self, blocks, limit_bytes=limit_bytes)
        finally:
            await asyncio.shield(asyncio.to_thread(blocks.discard))

    async def keep(self, incoming: Incoming, folder: str) -> StoredFile:
        """Make the draft a file, durably; its row must follow, or `remove`."""
        await incoming.flush()
        blocks = incoming._blocks  # noqa: SLF001 - the two are one
        name = str(uuid.uuid4())
        await self.in_thread(lambda: _settle(blocks, self.path(folder, name)))
        return StoredFile(name, blocks.size_bytes, blocks.digest.hexdigest())

    async def remove(self, folder: str, name: str) -> None:
        """Delete a file whose row is gone; that it is not there is fine."""
        await self.in_thread(lambda: self.path(folder, name).unlink(missing_ok=True))

    async def sweep(self, folder: str, known: set[str]) -> int:
        """Delete what has no row; returns how many. For the start, when nothing comes in."""
        return await self.in_thread(lambda: self._sweep(folder, known))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do it off the loop, to its end; a full disk is told as such."""
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])  # a thread goes on: what follows must come after it
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise _full() from error
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise Unavailable(f"the file cannot be stored: {reason}", code="file_error") from error

    def append(self, blocks: _Blocks, block: bytes) -> None:
        """Write, while there is space to spare: what stations acknowledge goes before files."""
        self._check_space(len(block))
        blocks.write(block)

    def _check_space(self, wanted_bytes: int) -> None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(self._directory).free < self._keep_free_bytes + wanted_bytes:
            raise _full()

    def _sweep(self, folder: str, known: set[str]) -> int:
        drafts = list(_files(self._directory / INCOMING))
        orphans = [path for path in _files(self._directory / folder) if path.name not in known]
        for path in (*drafts, *orphans):
            path.unlink(missing_ok=True)
        return len(orphans)


def check_size(size_bytes: int, limit_bytes: int) -> None:
    """Raises TooLarge."""
    if size_bytes > limit_bytes:
        raise TooLarge(f"the file is over the limit of {limit_bytes} bytes")


def _full() -> StorageFull:
    return StorageFull("there is not enough space left for files")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _settle(blocks: _Blocks, place: Path) -> None:
    blocks.file.flush()
    os.fsync(blocks.file.fileno())
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    blocks.path.rename(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:  # a name is durable once its folder is
        os.fsync(folder)
    finally:
        os.close(folder)
