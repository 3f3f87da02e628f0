"""Files that go out, whole or in part (RFC 9110 14), and how much of them went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from csms.api.answers import to_bytes
from csms.api.errors import problem
from csms.api.routing import is_known
from csms.domain.file_transfers import StoredFile
from csms.errors import NotFound

MEDIA_TYPE = "application/octet-stream"
_PIECE_BYTES = 256 * 1024
# A reader that takes nothing for so long is gone.
_STALL_S = 60.0


@dataclass(slots=True)
class Sent:
    """What went out of a file."""

    first_byte: int = 0
    bytes_sent: int = 0
    delivers: bool = False
    """Whether the file's last byte was to be among it, and `before_the_end` let it."""
    complete: bool = False
    """Whether it was."""


async def _nothing() -> None:
    pass


async def send(
    request: web.Request,
    path: Path,
    file: StoredFile,
    *,
    name: str,
    sent: Sent,
    before_the_end: Callable[[], Awaitable[None]] = _nothing,
) -> web.StreamResponse:
    """Answer with the file; `sent` is right whatever happens on the way. Raises NotFound.

    `before_the_end` is awaited before the file's last byte goes, and may stop it by raising.
    """
    if is_known(request, _tag(file)):
        return web.Response(status=304, headers={"ETag": _tag(file)})
    part = _part(request, file)
    if part is None:
        return _nothing_there(file)
    if not await asyncio.to_thread(path.is_file):
        raise NotFound("Not found")
    whole = len(part) == file.size_bytes
    headers = _headers(file, name)
    if not whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size_bytes}"
    response = web.StreamResponse(status=200 if whole else 206, headers=headers)
    response.content_length = len(part)
    await response.prepare(request)
    if request.method != "HEAD":
        sent.first_byte = part.start
        async for piece in _pieces(path, part):
            if part.start + sent.bytes_sent + len(piece) == file.size_bytes:
                await before_the_end()
                sent.delivers = True
            await _in_time(response.write(piece))
            sent.bytes_sent += len(piece)
        await _in_time(response.write_eof())
        sent.complete = sent.delivers
    return response


async def _in_time(writing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_STALL_S):
            await writing
    except TimeoutError as error:
        raise ConnectionResetError("the reader has stalled") from error


def _headers(file: StoredFile, name: str) -> dict[str, str]:
    return {
        "Content-Type": MEDIA_TYPE,
        # Never run or shown, whatever is in it.
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
        "ETag": _tag(file),
    }


def _tag(file: StoredFile) -> str:
    return f'"{file.sha256}"'


def _part(request: web.Request, file: StoredFile) -> range | None:
    """The bytes that are asked for; None when there are none such."""
    whole = range(file.size_bytes)
    if request.headers.get("If-Range", _tag(file)) != _tag(file):
        return whole
    try:
        asked = request.http_range
    except ValueError:  # several parts, or nonsense: RFC 9110 14.2 lets us send all of it
        return whole
    part = whole[asked]
    return part if len(part) else None


def _nothing_there(file: StoredFile) -> web.Response:
    body = problem(416, "range_not_satisfiable", "The file has no such part.")
    return web.Response(
        status=416,
        body=to_bytes(body),
        headers={"Content-Range": f"bytes */{file.size_bytes}"},
        content_type="application/problem+json",
    )


async def _pieces(path: Path, part: range) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, part.start)
        left = len(part)
        while left:
            piece = await asyncio.to_thread(file.read, min(left, _PIECE_BYTES))
            if not piece:
                raise ConnectionResetError("the file is shorter than it was")
            left -= len(piece)
            yield piece
    finally:
        file.close()
