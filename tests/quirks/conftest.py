"""Scripted stations that behave like real ones, against the real endpoint and hub."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import orjson

from csms.domain.stations import Station
from csms.services import quirks
from csms.store import quirks as store
from csms.store import stations
from tests.ocpp.conftest import Client, Server, basic, server, start

__all__ = ["server", "start"]

HEARTBEAT = '[2,"hb","Heartbeat",{}]'
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def frame(message_id: str, action: str, payload: dict[str, Any]) -> bytes:
    return orjson.dumps([2, message_id, action, payload])


def boot(vendor: str, model: str, firmware: str | None = None) -> bytes:
    payload = {"chargePointVendor": vendor, "chargePointModel": model}
    if firmware is not None:
        payload["firmwareVersion"] = firmware
    return frame("boot", "BootNotification", payload)


async def online(
    server: Server, vendor: str, model: str, firmware: str | None = None, **columns: Any
) -> tuple[Station, Client]:
    """A station of that make, connected and booted and ready."""
    station, password = await server.register("S", **columns)
    client = await server.connect("S", password)
    assert (await client.ask(boot(vendor, model, firmware)))[0] == 3
    await server.until(lambda: server.hub.is_ready(station.id))
    return station, client


async def known(
    server: Server, vendor: str, model: str, firmware: str | None = None, **columns: Any
) -> tuple[Station, str]:
    """A station of that make that has been here before, and its password."""
    station, password = await server.register("S", **columns)

    def remember(tx: Any) -> None:
        tx.run(
            "UPDATE stations SET vendor = ?, model = ?, firmware_version = ? WHERE id = ?",
            (vendor, model, firmware, station.id),
        )

    await server.db.write(remember)
    return await server.db.read(lambda tx: stations.get(tx, station.id)), password


async def override(server: Server, station: Station, **settings: Any) -> None:
    """What an operator sets for one station; it counts at once."""
    await server.db.write(lambda tx: quirks.override(tx, station.id, settings))
    for _ in range(50):
        await asyncio.sleep(0)
    link = server.hub._links.get(station.id)
    if link is not None:
        await server.until(lambda: dict(link.context.quirks.overrides) == settings)


async def fired(server: Server, station: Station, quirk: str) -> Any:
    """The row of a quirk, once it is there."""
    found: list[Any] = []

    async def look() -> bool:
        rows = await server.db.read(lambda tx: store.list_fired(tx, station.id))
        found[:] = [row for row in rows if row.quirk == quirk]
        return bool(found)

    async with asyncio.timeout(10):
        while not await look():  # noqa: ASYNC110 - rows have no event
            await asyncio.sleep(0)
    return found[0]


async def never_fired(server: Server, station: Station) -> bool:
    """Whether nothing is on record, after everything that is on its way."""
    await server.until(lambda: not server.hub._tasks)
    return await server.db.read(lambda tx: store.list_fired(tx, station.id)) == []


def call(server: Server, station: Station, action: str, **more: Any) -> asyncio.Task[Any]:
    return asyncio.create_task(
        server.hub.call(
            station.id,
            action=action,
            payload=more.pop("payload", {}),
            message_id=more.pop("message_id", "ours"),
            timeout_s=more.pop("timeout_s", 5.0),
            **more,
        )
    )


async def answering(client: Client, payload: str, kind: int = 3) -> Any:
    """Read one CALL and answer it."""
    asked = await client.receive()
    assert asked[0] == 2, asked
    await client.send(f'[{kind},"{asked[1]}",{payload}]')
    return asked


class RawStation:
    """A station that speaks TCP and writes every byte itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(
        cls,
        server: Server,
        password: str,
        *,
        target: str = "/ocpp/S",
        user: str = "S",
        without: tuple[str, ...] = (),
        **headers: str,
    ) -> RawStation:
        wanted = {
            "Host": "x",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol": "ocpp1.6",
            "Authorization": basic(user, password),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{name}: {value}" for name, value in wanted.items() if name not in without]
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write("\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode())
        return cls(reader, writer)

    async def head(self) -> str:
        async with asyncio.timeout(10):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    def send(self, data: bytes, first: int = 0x81) -> None:
        """One masked frame; the mask is zero, so the data stays as it is."""
        size = len(data)
        head = bytes((first, 0x80 | size)) if size < 126 else struct.pack("!BBH", first, 254, size)
        self.writer.write(head + bytes(4) + data)

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: its first byte and its payload."""
        async with asyncio.timeout(10):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            return first, await self.reader.readexactly(size)
