"""A websocket client whose every byte is the test's: it masks, cuts and lies as it is told."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.acceptance.processes import Server
from tests.attacks.witness import COMES_IN_WITHIN_S, Known
from tests.attacks.words import basic

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
UNFINISHED = 0
SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
BOOTS = {
    "1.6": {"chargePointVendor": "V", "chargePointModel": "M"},
    "2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}},
    "2.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}},
}


def frame(
    payload: bytes = b"",
    *,
    first: int = FIN | TEXT,
    masked: bool = True,
    declared: int | None = None,
) -> bytes:
    """One frame; `first` is its first byte, `declared` a length that need not be true."""
    size = len(payload) if declared is None else declared
    mark = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, mark | size))
    elif size < 2**16:
        head = struct.pack("!BBH", first, mark | 126, size)
    else:
        head = struct.pack("!BBQ", first, mark | 127, size)
    if not masked:
        return head + payload
    return head + bytes(4) + payload  # a mask of zeros is one, too


def upgrade(identity: str, version: str, *lines: str) -> bytes:
    """The request of a station."""
    return "\r\n".join(
        [
            f"GET /ocpp/{identity} HTTP/1.1",
            "Host: csms",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            f"Sec-WebSocket-Protocol: {SUBPROTOCOLS[version]}",
            *lines,
            "",
            "",
        ]
    ).encode()


@dataclass
class Answer:
    """What the door said, and the stream behind it."""

    status: int
    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def knock(
    port: int,
    request: bytes,
    *,
    source: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send a request head and read the one that answers it; ConnectionError where none does."""
    reader, writer = await asyncio.open_connection(
        "localhost" if tls is not None else "127.0.0.1",
        port,
        local_addr=(source, 0),
        ssl=tls,
    )
    try:
        writer.write(request)
        async with asyncio.timeout(COMES_IN_WITHIN_S * 6):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        writer.close()
        raise ConnectionResetError("no answer") from error
    except BaseException:
        writer.close()
        raise
    return Answer(int(head.split(b" ", 2)[1]), head, reader, writer)


class Raw:
    """A connected station."""

    def __init__(self, answer: Answer, version: str) -> None:
        self.version = version
        self._reader, self._writer = answer.reader, answer.writer
        self._number = 0

    @classmethod
    async def open(cls, server: Server, station: Known, version: str, *lines: str) -> Raw:
        """Connected as the station, and not booted."""
        headers = [f"{name}: {value}" for name, value in credentials(station).items()]
        request = upgrade(station.identity, version, *headers, *lines)
        answer = await knock(server.port, request)
        if answer.status != 101:
            answer.writer.close()
        assert 101 == answer.status, answer.head
        return cls(answer, version)

    @classmethod
    async def booted(cls, server: Server, station: Known, version: str, *lines: str) -> Raw:
        """Connected, booted and accepted."""
        made = await cls.open(server, station, version, *lines)
        answer = await made.ask("BootNotification", BOOTS[version])
        assert "Accepted" == answer[2]["status"], answer
        return made

    def write(self, data: bytes) -> None:
        """Any bytes."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Until the other end has taken them, as far as TCP tells."""
        await self._writer.drain()

    async def read(self) -> tuple[int, bytes]:
        """The next frame: its opcode and payload; IncompleteReadError at the end."""
        first, size = await self._reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return first & 0x0F, await self._reader.readexactly(size)

    async def read_on(self) -> None:
        """Read whatever comes, until the end."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self.read()

    async def ask(self, action: str, payload: Any) -> list[Any]:
        """Send a CALL and skip to its answer."""
        message_id = self.send(action, payload)
        async with asyncio.timeout(60):
            while True:
                opcode, data = await self.read()
                if opcode == TEXT:
                    found: list[Any] = json.loads(data)
                    if found[1] == message_id:
                        return found

    async def next_call(self) -> list[Any]:
        """The next CALL of the server; TimeoutError when it asks nothing for long."""
        async with asyncio.timeout(30):
            while True:
                opcode, data = await self.read()
                if opcode == TEXT and (found := json.loads(data))[0] == 2:
                    call: list[Any] = found
                    return call

    def send(self, action: str, payload: Any) -> str:
        """Send a CALL; its id."""
        self._number += 1
        message_id = f"raw-{self._number}"
        self.write(frame(json.dumps([2, message_id, action, payload]).encode()))
        return message_id

    async def until(
        self, message_id: str, *, patience_s: float = 60
    ) -> tuple[list[Any], int | None]:
        """What comes before the answer to that CALL, and what the socket was closed with instead.

        1006 is a socket that ended without a word, UNFINISHED one on which nothing comes.
        """
        found: list[Any] = []
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    opcode, data = await self.read()
            except (asyncio.IncompleteReadError, ConnectionError):
                return found, 1006
            except TimeoutError:
                return found, UNFINISHED
            if opcode == CLOSE:
                return found, int.from_bytes(data[:2], "big") if data else 1005
            if opcode != TEXT:
                continue
            answer = json.loads(data)
            if answer[1] == message_id:
                return found, None
            if answer[0] != 2:  # what it asks on its own account is no answer
                found.append(answer)

    async def close(self) -> None:
        """Gone."""
        self._writer.close()

    def abort(self) -> None:
        """Gone, with what was not taken from it."""
        self._writer.transport.abort()


def credentials(station: Known) -> dict[str, str]:
    """The header with its password."""
    return basic(station.identity, station.password)
