"""Files that come in with a request, piece by piece and never as a whole in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from csms.api.body import BODY_TIMEOUT_S
from csms.api.decoding import coding_of, decoded
from csms.api.errors import BodyTooSlow, UnsupportedEncoding
from csms.errors import BadRequest
from csms.services.file_store import Incoming

FORM = "multipart/form-data"
_PIECE_BYTES = 256 * 1024
# In pieces that each come in time, it could still go on for ever.
_LONGEST_S = 3600.0
# Of a form, the fields before the file.
_MOST_OTHER_FIELDS = 20
_LARGEST_OTHER_FIELD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Described:
    """What the sender says of a file; nobody has to believe it."""

    name: str | None
    media_type: str | None


async def receive(request: web.Request, incoming: Incoming) -> Described:
    """Take the body, or the file of a form; raises BadRequest and BodyTooSlow."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            described = await _receive(request, incoming)
    except TimeoutError as error:
        raise BodyTooSlow("the file did not arrive in time") from error
    except (web.RequestPayloadError, HttpProcessingError, ValueError) as error:
        # Cut short, no form, or a part whose headers are none.
        raise BadRequest("the body cannot be read", code="unreadable_body") from error
    if not incoming.size_bytes:
        raise BadRequest("the file is empty", code="empty_file")
    return described


async def _receive(request: web.Request, incoming: Incoming) -> Described:
    if request.content_type != FORM:
        async for piece in _in_time(decoded(request, request.content.iter_chunked(_PIECE_BYTES))):
            await incoming.write(piece)
        declared = request.headers.get("Content-Type")
        return Described(None, None if declared is None else request.content_type)
    if coding_of(request):
        raise UnsupportedEncoding("a form is not taken with a Content-Encoding")
    part = await _file_of(await request.multipart())
    async for piece in _in_time(_pieces(part)):
        await incoming.write(piece)
    return Described(part.filename, part.headers.get("Content-Type"))


async def _file_of(form: MultipartReader) -> BodyPartReader:
    """The first part with a file name; raises ValueError when there is none."""
    for _ in range(_MOST_OTHER_FIELDS):
        part = await form.next()
        if not isinstance(part, BodyPartReader):
            break
        if part.filename is not None:
            return part
        size_bytes = 0
        async for piece in _in_time(_pieces(part)):
            size_bytes += len(piece)
            if size_bytes > _LARGEST_OTHER_FIELD:
                raise ValueError("a field is too large")
    raise ValueError("no file in the form")


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(_PIECE_BYTES):
        yield piece


async def _in_time(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            piece = await anext(pieces, None)
        if piece is None:
            return
        yield piece
