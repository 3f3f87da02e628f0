"""Content-Encoding of requests: undone here, so that what is wrong with it is answered as ours."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from csms.api.errors import UnsupportedEncoding
from csms.errors import BadRequest

_PIECE_BYTES = 256 * 1024
_GZIP = frozenset({"gzip", "x-gzip"})
_PLAIN = frozenset({"", "identity"})
# RFC 9110 says zlib; some send bare deflate, whose first byte tells it.
_ZLIB_METHOD = 8
_BARE_BITS = -zlib.MAX_WBITS
_GZIP_BITS = zlib.MAX_WBITS + 16


def coding_of(request: web.Request) -> str:
    """`gzip`, `deflate` or nothing; raises UnsupportedEncoding."""
    declared = ", ".join(request.headers.getall("Content-Encoding", [])).strip().lower()
    if declared in _PLAIN:
        return ""
    if declared in _GZIP:
        return "gzip"
    if declared == "deflate":
        return declared
    raise UnsupportedEncoding(
        f"Content-Encoding {declared[:100]} is not supported; send gzip, deflate or none"
    )


async def decoded(request: web.Request, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body as they were meant, none of them large however small they came."""
    coding = coding_of(request)
    unpacker = _Unpacker(coding) if coding else None
    async for piece in pieces:
        if unpacker is None:
            yield piece
            continue
        for unpacked in unpacker.unpack(piece):
            yield unpacked
    if unpacker is not None:
        unpacker.finish()


class _Unpacker:
    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | None = None

    def unpack(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            if self._stream is None or self._stream.eof:
                self._stream = self._begin(piece)
            try:
                yield self._stream.decompress(piece, _PIECE_BYTES)
            except zlib.error as error:
                raise _unreadable() from error
            piece = self._stream.unconsumed_tail or self._stream.unused_data

    def finish(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise _unreadable()

    def _begin(self, piece: bytes) -> zlib._Decompress:
        if self._coding == "gzip":  # of which there may be several, one behind the other
            return zlib.decompressobj(_GZIP_BITS)
        if self._stream is not None:
            raise _unreadable()
        is_bare = piece[0] & 0x0F != _ZLIB_METHOD
        return zlib.decompressobj(_BARE_BITS if is_bare else zlib.MAX_WBITS)


def _unreadable() -> BadRequest:
    return BadRequest("the body cannot be read", code="unreadable_body")
