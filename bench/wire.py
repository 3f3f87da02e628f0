"""A websocket client of as few instructions as possible: it must never be what is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

_UPGRADE = (
    "GET /ocpp/{identity} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
# A mask of zeros is a legal mask, and leaves the payload as it is.
_NO_MASK = b"\0\0\0\0"


def frame(payload: bytes, opcode: int = _TEXT) -> bytes:
    """A masked client frame around `payload`."""
    size = len(payload)
    if size < 126:
        return bytes((opcode, 0x80 | size)) + _NO_MASK + payload
    return bytes((opcode, 0xFE)) + size.to_bytes(2, "big") + _NO_MASK + payload


class Wire(asyncio.Protocol):
    """One client socket. `on_text` gets each message, `on_lost` the reason of the end."""

    __slots__ = ("_buffer", "_identity", "_open", "_transport", "on_lost", "on_open", "on_text")

    def __init__(
        self,
        identity: str,
        *,
        on_open: Callable[[], None],
        on_text: Callable[[bytes], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._identity = identity
        self._buffer = b""
        self._open = False
        self._transport: asyncio.Transport | None = None
        self.on_open = on_open
        self.on_text = on_text
        self.on_lost = on_lost

    def send(self, payload: bytes) -> None:
        """Send one text message."""
        assert self._transport is not None
        self._transport.write(frame(payload))

    def close(self) -> None:
        """Drop the socket without a word, as a station does that loses power."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by descent
        self._transport.write(_UPGRADE.format(identity=self._identity).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        self.on_lost(str(exc or "closed"))

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames."""
        buffer = self._buffer + data if self._buffer else data
        if not self._open:
            head, mark, buffer = buffer.partition(b"\r\n\r\n")
            if not mark:
                self._buffer = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.on_lost(head.split(b"\r\n", 1)[0].decode())
                self.close()
                return
            self._open = True
            self.on_open()
        position, end = 0, len(buffer)
        while end - position >= 2:
            size, start = buffer[position + 1], position + 2
            if size >= 126:
                start += 2 if size == 126 else 8
                size = int.from_bytes(buffer[position + 2 : start], "big")
            if end < start + size:  # when the length itself is cut short, start is beyond the end
                break
            self._take(buffer[position], buffer[start : start + size])
            position = start + size
        self._buffer = buffer[position:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            self.on_text(payload)
        elif opcode == _PING:
            assert self._transport is not None
            self._transport.write(frame(payload, _PONG))
        elif opcode == _CLOSE:
            self.on_lost(f"closed by the server: {payload[:2].hex()} {payload[2:]!r}")
            self.close()
        else:
            self.on_lost(f"unexpected frame {opcode:#x}")
            self.close()
