"""A station that sends heartbeats all the time, in a process of its own: `charging URL ID PASSWORD`.

Each line on its standard input is answered with the 99th percentile, in seconds, of the times that
answers took: `quiet` waits for ten of them first, `since` is about all since the last line.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.attacks.words import basic

PACE_S = 0.1  # with what `quiet` takes it is within what a station may send
QUIET = 10


async def main(url: str, identity: str, password: str) -> None:
    """Until its input ends."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with connect(
        f"{url}/{identity}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers=basic(identity, password),
        compression=None,
    ) as socket:
        boot = {"chargePointVendor": "V", "chargePointModel": "M"}
        await _ask(socket, "BootNotification", boot)
        took: list[float] = []
        asked = asyncio.ensure_future(lines.readline())
        while True:
            took.append(await _ask(socket, "Heartbeat", {}))
            await asyncio.wait([asked], timeout=PACE_S)
            if not asked.done():
                continue
            line = asked.result().strip()
            if not line:
                return
            if line == b"quiet":
                took = [await _ask(socket, "Heartbeat", {}) for _ in range(QUIET)]
            print(sorted(took)[math.ceil(0.99 * len(took)) - 1], flush=True)
            took.clear()
            asked = asyncio.ensure_future(lines.readline())


async def _ask(socket: ClientConnection, action: str, payload: dict[str, str]) -> float:
    began = time.monotonic()
    await socket.send(json.dumps([2, "c", action, payload]))
    await socket.recv()
    return time.monotonic() - began


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
