"""Reading server-sent events in tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse


@dataclass
class Received:
    """One event as a browser would see it."""

    event: str
    id: str | None
    data: Any


class Stream:
    """An open stream."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def next(self) -> Received:
        """The next event; raises EOFError when the stream has ended."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            while True:
                line = (await self.response.content.readline()).decode()
                if not line:
                    raise EOFError
                line = line.rstrip("\n")
                if not line and "data" in fields:
                    return Received(fields["event"], fields.get("id"), json.loads(fields["data"]))
                name, _, value = line.partition(": ")
                fields[name] = value

    async def take(self, number: int) -> list[Received]:
        return [await self.next() for _ in range(number)]


@asynccontextmanager
async def listening(api: Any, path: str, **more: Any) -> AsyncIterator[Stream]:
    """Connect and stay connected."""
    response = await api.get(path, **more)
    assert response.status == 200, await response.text()
    assert response.content_type == "text/event-stream"
    try:
        yield Stream(response)
    finally:
        response.close()
