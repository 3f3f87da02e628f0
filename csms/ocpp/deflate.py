"""permessage-deflate (RFC 7692), with no memory between messages: an idle connection pays nothing.

OCPP 2.0.1 part 4 asks a CSMS for it. Both ends forget what they have compressed, so that a message
costs its buffers while it is read or written, and nobody keeps a window of 32 KiB for a station
that sends three messages an hour.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

NAME = "permessage-deflate"
# Without a window of earlier messages a short one only grows.
MIN_BYTES = 256
# What we send is read by any window at least as large; these buffers take 32 KiB, zlib's own 256.
_WINDOW_BITS, _MEMORY_LEVEL, _SPEED = 12, 5, 1
_ALL_BITS = 15
_TAIL = b"\x00\x00\xff\xff"


class Garbled(Exception):
    """The bytes are not compressed."""


class TooLarge(Exception):
    """There is more in them than anybody may send."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What both ends have agreed on."""

    window_bits: int = _WINDOW_BITS
    """Of what we send."""
    client_bits: int | None = None
    """What the station limits its own window to, said back to it."""
    says_window: bool = False
    """Whether the station limited ours: the answer has to repeat it."""

    @property
    def header(self) -> str:
        """The value of Sec-WebSocket-Extensions."""
        parts = [NAME, "server_no_context_takeover", "client_no_context_takeover"]
        if self.says_window:
            parts.append(f"server_max_window_bits={self.window_bits}")
        if self.client_bits is not None:
            parts.append(f"client_max_window_bits={self.client_bits}")
        return "; ".join(parts)

    def deflate(self, data: bytes) -> bytes | None:
        """The message compressed; None where that gains nothing."""
        if len(data) < MIN_BYTES:
            return None
        press = zlib.compressobj(_SPEED, zlib.DEFLATED, -self.window_bits, _MEMORY_LEVEL)
        small = press.compress(data) + press.flush(zlib.Z_SYNC_FLUSH)
        return small[: -len(_TAIL)] if len(small) - len(_TAIL) < len(data) else None


def inflate(data: bytes | bytearray, limit: int) -> bytes:
    """The message that was compressed; raises Garbled, or TooLarge beyond `limit` bytes.

    No more than the limit is ever unpacked.
    """
    try:
        whole = zlib.decompressobj(-_ALL_BITS).decompress(data + _TAIL, limit + 1)
    except zlib.error as error:
        raise Garbled from error
    if len(whole) > limit:
        raise TooLarge
    return whole


def agree(offers: str) -> Terms | None:
    """What to answer to a Sec-WebSocket-Extensions header: the first offer that we can keep."""
    for offer in offers.split(","):
        name, *parts = (part.strip() for part in offer.split(";"))
        if name.lower() == NAME and (terms := _terms(parts)) is not None:
            return terms
    return None


def _terms(parts: list[str]) -> Terms | None:
    given = dict(_parameters(parts))
    if len(given) < len(parts):  # one came twice
        return None
    window = client = None
    for name, value in given.items():
        if name == "server_max_window_bits" and (bits := _bits(value)) is not None and bits > 8:
            window = bits  # zlib has no bare stream with a window of 8 bits
        elif name == "client_max_window_bits" and (value is None or _bits(value) is not None):
            client = None if value is None else _bits(value)
        elif name not in _FLAGS or value is not None:
            return None
    if window is None:
        return Terms(client_bits=client)
    return Terms(min(window, _WINDOW_BITS), client, says_window=True)


_FLAGS = frozenset({"server_no_context_takeover", "client_no_context_takeover"})


def _parameters(parts: list[str]) -> Iterator[tuple[str, str | None]]:
    for part in parts:
        name, equals, value = part.partition("=")
        yield name.strip().lower(), value.strip().strip('"') if equals else None


def _bits(value: str | None) -> int | None:
    return int(value) if value is not None and value in _BITS else None


_BITS = frozenset(map(str, range(8, _ALL_BITS + 1)))
