"""The server's end of a websocket (RFC 6455) on a bare transport: frames in, frames out.

Bytes become a message in the same call of the loop in which they arrive, and an idle connection
is this object and its transport: no task, no queue, no parser. aiohttp's websocket took 20 µs a
message and 12 KiB a connection for that; its place ends with the upgrade. The one extension that is
spoken is permessage-deflate, where it was agreed on.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Protocol, cast

from csms.ocpp import deflate
from csms.ocpp.bursts import Bursts

MAX_MESSAGE_BYTES = 1024 * 1024
NORMAL, PROTOCOL_ERROR, UNSUPPORTED, NO_CODE, ABNORMAL = 1000, 1002, 1003, 1005, 1006
INVALID_TEXT, TOO_BIG = 1007, 1009
RESERVED_BITS = "reserved bits"

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_COMPRESSED = 0x40
_FIN, _RESERVED, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_SMALL, _LENGTH_16, _LENGTH_64 = 125, 126, 127
_MAX_HEAD = 14
# Then everybody else gets a turn.
MAX_AT_ONCE = 200
_TEXT_HEADS = tuple(bytes((_FIN | _TEXT, size)) for size in range(_SMALL + 1))
# RFC 6455 7.4: the codes an endpoint may send.
_CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class Owner(Protocol):
    """Who reads from a socket; called synchronously, never raises."""

    def on_open(self) -> None:
        """The first call, before anything is read; the socket may be held."""

    def on_text(self, data: bytes) -> None:
        """One text message; whether it is UTF-8 is not checked."""

    def on_ping(self) -> None:
        """The other end asked for a sign of life, and got it."""

    def on_pong(self) -> None:
        """The other end gave one."""

    def on_reading(self) -> float:
        """Bytes came; what it returns is when, for `on_read`."""

    def on_read(self, size: int, count: int, began: float, *, is_more: bool) -> None:
        """So many bytes and frames were read; with more of them, the socket is held.

        What was compressed counts once more as what it became.
        """

    def on_writing(self, *, stalled: bool) -> None:
        """The other end does not read what was written, or has read it after all."""

    def on_violation(self, code: int, reason: str) -> None:
        """What comes is no websocket any more; nothing of it is read."""

    def on_lost(self) -> None:
        """The socket is gone. The last call."""


class Socket(asyncio.Protocol):
    """One websocket, from the upgrade to its end."""

    __slots__ = (
        "_buffer",
        "_bursts",
        "_deaf",
        "_deflate",
        "_fragments",
        "_held",
        "_is_compressed",
        "_missing",
        "_owner",
        "_said_goodbye",
        "_unpacked",
        "close_code",
        "stalled",
        "transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        bursts: Bursts,
        compression: deflate.Terms | None = None,
    ) -> None:
        self.transport = transport
        self._bursts = bursts
        self._deflate = compression
        self.close_code = ABNORMAL
        """What the other end closed with, or we; 1006 while and when nobody did."""
        self.stalled = False
        """Whether written bytes wait for the other end to read."""
        self._owner: Owner
        self._buffer: bytearray | None = None
        self._missing = 0
        """The buffer is of no use before it has so many bytes."""
        self._fragments: bytearray | None = None
        self._is_compressed = False
        """Whether the fragments are."""
        self._held = False
        self._deaf = False
        self._said_goodbye = False
        self._unpacked = 0
        """Bytes that the owner was not told of so far."""

    def start(self, owner: Owner, unread: bytes = b"") -> None:
        """Take the transport over; `unread` came after the request for the upgrade."""
        self._owner = owner
        self.transport.set_protocol(self)
        owner.on_open()
        if unread:
            self.data_received(unread)

    @property
    def is_open(self) -> bool:
        """Whether a frame written now could reach the wire."""
        return not (self._said_goodbye or self.transport.is_closing())

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the other end has not taken yet."""
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    # ---- writing -----------------------------------------------------------------------------

    def send(self, data: bytes) -> bool:
        """Write one text message soon; False when the socket is gone or being closed."""
        if self._said_goodbye or self.transport.is_closing():
            return False
        size = len(data)
        if size <= _SMALL:
            self._bursts.put(self.transport, _TEXT_HEADS[size] + data)
        elif self._deflate is not None and (small := self._deflate.deflate(data)) is not None:
            self._bursts.put(self.transport, _head(_COMPRESSED | _TEXT, len(small)) + small)
        else:
            self._bursts.put(self.transport, _head(_TEXT, size) + data)
        return True

    def ping(self) -> None:
        """Ask for a sign of life."""
        if self.is_open:
            self._write_now(_head(_PING, 0))

    def close(self, code: int, reason: bytes = b"") -> bool:
        """Say goodbye; the other end answers that by closing. False when it was said before."""
        if not self.is_open:
            return False
        self._said_goodbye = True
        self.close_code = code
        payload = b"" if code == NO_CODE else code.to_bytes(2, "big") + reason[: _SMALL - 2]
        self._write_now(_head(_CLOSE, len(payload)) + payload)
        return True

    def _write_now(self, frame: bytes) -> None:
        self._bursts.flush()  # what was sent before it
        self.transport.write(frame)

    def abort(self) -> None:
        """Cut the connection without a word."""
        self.transport.abort()

    # ---- reading -----------------------------------------------------------------------------

    def hold(self) -> None:
        """Give the owner nothing more, and let TCP tell the other end to wait."""
        self._held = True
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def release(self) -> None:
        """Go on after `hold`, with what had been received by then."""
        if not self._held:
            return
        self._held = False
        if self._buffer is not None and not self._deaf:
            unread, self._buffer = bytes(self._buffer), None
            self._read(unread)
        if not self._held and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames."""
        if self._deaf:  # thrown away, and not for nothing: they may be many
            self._owner.on_read(len(data), 0, self._owner.on_reading(), is_more=False)
            return
        if self._buffer is not None:
            self._buffer += data
            if self._held or len(self._buffer) < self._missing:
                return
            data, self._buffer = bytes(self._buffer), None
        elif self._held:
            self._buffer = bytearray(data)
            return
        self._read(data)

    def _read(self, data: bytes) -> None:
        began = self._owner.on_reading()
        frames = self._cut(data)
        is_more = frames == MAX_AT_ONCE and self._buffer is not None
        if is_more:
            self.hold()
        size = len(data) - len(self._buffer or b"") + self._unpacked
        self._unpacked = 0
        self._owner.on_read(size, frames, began, is_more=is_more)

    def _cut(self, data: bytes) -> int:
        """Take the frames out of it; returns how many, perhaps with one that is not whole yet."""
        position, end, frames = 0, len(data), 0
        while end - position >= 2 and not self._held and frames < MAX_AT_ONCE:
            frames += 1
            first, second = data[position], data[position + 1]
            start, size = position + 2, second & _LENGTH
            if size >= _LENGTH_16:
                start += 2 if size == _LENGTH_16 else 8
                size = int.from_bytes(data[position + 2 : start], "big")
            if second & _MASKED:
                start += 4
            if start > end:
                break
            refused = self._why_not(first, second, size)
            if refused is not None:
                self._give_up(*refused)
                return frames
            stop = start + size
            if stop > end:
                self._missing = stop - position
                self._buffer = bytearray(data[position:])
                return frames
            payload = _unmasked(data[start:stop], data[start - 4 : start])
            position = stop
            if first == _FIN | _TEXT and self._fragments is None:
                self._owner.on_text(payload)
            elif not self._take(first, payload):
                return frames
        if position < end:
            is_whole = self._held or frames == MAX_AT_ONCE
            self._missing = 0 if is_whole else min(end - position + 1, _MAX_HEAD)
            self._buffer = bytearray(data[position:])
        return frames

    def _why_not(self, first: int, second: int, size: int) -> tuple[int, str] | None:
        """What is wrong with the head of a frame."""
        if first & _RESERVED and not self._may_be_compressed(first):
            return PROTOCOL_ERROR, RESERVED_BITS
        if not second & _MASKED:
            return PROTOCOL_ERROR, "not masked"
        return (TOO_BIG, "too large") if size > MAX_MESSAGE_BYTES else None

    def _may_be_compressed(self, first: int) -> bool:
        """RFC 7692 6: the first frame of a message says it, and no control frame."""
        is_message = first & _OPCODE in {_TEXT, _BINARY}
        return self._deflate is not None and first & _RESERVED == _COMPRESSED and is_message

    def _take(self, first: int, payload: bytes) -> bool:
        """Take any other frame; returns whether to go on reading."""
        opcode, is_last = first & _OPCODE, bool(first & _FIN)
        if opcode >= _CLOSE:
            return self._take_control(opcode, payload, is_last=is_last)
        if opcode == _BINARY:
            self._give_up(UNSUPPORTED, "text frames only")
        elif opcode > _BINARY or (opcode == _CONTINUATION) is (self._fragments is None):
            self._give_up(PROTOCOL_ERROR, "unexpected frame")
        else:
            if opcode == _TEXT:
                self._is_compressed = bool(first & _COMPRESSED)
            self._gather(payload, is_last=is_last)
        return not self._deaf

    def _gather(self, payload: bytes, *, is_last: bool) -> None:
        if self._fragments is None:
            self._fragments = bytearray()
        self._fragments += payload
        if len(self._fragments) > MAX_MESSAGE_BYTES:
            self._give_up(TOO_BIG, "too large")
        elif is_last:
            whole, self._fragments = bytes(self._fragments), None
            if self._is_compressed:
                self._inflate(whole)
            else:
                self._owner.on_text(whole)

    def _inflate(self, data: bytes) -> None:
        try:
            whole = deflate.inflate(data, MAX_MESSAGE_BYTES)
        except deflate.Garbled:
            self._give_up(INVALID_TEXT, "not compressed as agreed")
        except deflate.TooLarge:
            self._unpacked += MAX_MESSAGE_BYTES + 1
            self._give_up(TOO_BIG, "too large")
        else:
            self._unpacked += len(whole)
            self._owner.on_text(whole)

    def _take_control(self, opcode: int, payload: bytes, *, is_last: bool) -> bool:
        if len(payload) > _SMALL or not is_last or opcode > _PONG:
            self._give_up(PROTOCOL_ERROR, "bad control frame")
        elif opcode == _PING:
            if self.is_open and not self.stalled:
                self._write_now(_head(_PONG, len(payload)) + payload)
            self._owner.on_ping()
        elif opcode == _PONG:
            self._owner.on_pong()
        else:
            self._goodbye(payload)
        return not self._deaf

    def _goodbye(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_CODE
        if payload and code not in _CLOSE_CODES:
            self._give_up(PROTOCOL_ERROR, "bad close code")
            return
        self._deaf = True
        self.close(code)
        self.close_code = code
        self.transport.close()

    def _give_up(self, code: int, reason: str) -> None:
        """Read nothing more."""
        self._deaf = True
        self._buffer = self._fragments = None
        self._owner.on_violation(code, reason)

    # ---- what the transport tells ------------------------------------------------------------

    def pause_writing(self) -> None:
        """The other end does not read."""
        self.stalled = True
        self._owner.on_writing(stalled=True)

    def resume_writing(self) -> None:
        """It does again."""
        self.stalled = False
        self._owner.on_writing(stalled=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._deaf = True
        self._owner.on_lost()


def transport_of(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """The transport as what it is; uvloop's is none by descent."""
    return cast("asyncio.Transport", transport)


def _head(opcode: int, size: int) -> bytes:
    first = _FIN | opcode
    if size <= _SMALL:
        return bytes((first, size))
    if size < 2**16:
        return struct.pack("!BBH", first, _LENGTH_16, size)
    return struct.pack("!BBQ", first, _LENGTH_64, size)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    mixed = int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")
    return mixed.to_bytes(size, "little")
