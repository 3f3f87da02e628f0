"""Who else is there during an attack: a station that charges, and one that comes in meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.processes import Server
from tests.attacks.words import basic

# The worst that another station may notice is twice its quiet time. What lies below this is the
# noise of a machine on which server, attacker and station share two cores.
FLOOR_S = 0.25
COMES_IN_WITHIN_S = 5.0
ARRIVES_EVERY_S = 1.0
# Above what the process took before an attack, when that is over.
AFTER_MIB = 48
_ids = itertools.count(1)


class Attacked(Server):
    """A server with a station that charges while it is attacked."""

    def start(self, **how: Any) -> None:
        """With the station connected."""
        super().start(**how)
        station = register(self, "BY")
        self._witness = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.attacks.charging"),
                *(self.url, station.identity, station.password),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.p99("quiet")

    def p99(self, which: str) -> float:
        """How long the answers to that station take, in seconds."""
        assert self._witness.stdin is not None
        assert self._witness.stdout is not None
        print(which, file=self._witness.stdin, flush=True)
        return float(self._witness.stdout.readline())

    def memory_mib(self) -> float:
        """What the process takes."""
        assert self.process is not None
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def processor_s(self) -> float:
        """How long it has been computing so far."""
        assert self.process is not None
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def files(self) -> int:
        """How many it has open; nearly all of them are sockets."""
        assert self.process is not None
        return int(psutil.Process(self.process.pid).num_fds())

    def stop(self) -> int:
        """The station goes first."""
        self._witness.communicate(timeout=10)
        return super().stop()


@dataclass
class Known:
    """A registered station and its password."""

    server: Server
    identity: str
    id: str
    password: str

    def dial(self, **more: Any) -> connect:
        """A connection with its own credentials."""
        return dial(self.server, self.identity, self.password, **more)

    def show(self) -> dict[str, Any]:
        """What the server says of it."""
        shown: dict[str, Any] = self.server.client.get(f"/api/v1/stations/{self.id}")
        return shown


def register(server: Server, name: str) -> Known:
    """A new station; its identity begins with the name."""
    identity = f"{name}-{next(_ids)}"
    made = server.client.post("/api/v1/stations", {"identity": identity})
    return Known(server, identity, made["id"], made["password"])


def dial(
    server: Server, identity: str, password: str | bytes | None = None, **more: Any
) -> connect:
    """A connection as `identity`; without a password, without any."""
    headers = {} if password is None else basic(identity, password)
    return connect(
        f"{server.url}/{identity}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers={**headers, **more.pop("headers", {})},
        open_timeout=COMES_IN_WITHIN_S * 6,
        ping_interval=None,
        compression=None,
        **more,
    )


async def ask(socket: ClientConnection, action: str, payload: Any) -> list[Any]:
    """Send a CALL; returns the whole frame of its answer."""
    message_id = f"c{next(_ids)}"
    await socket.send(json.dumps([2, message_id, action, payload]))
    async with asyncio.timeout(30):
        while True:
            frame: list[Any] = json.loads(await socket.recv())
            if frame[1] == message_id:
                return frame


async def boot(socket: ClientConnection) -> None:
    """Boot, and be accepted."""
    answer = await ask(
        socket, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}
    )
    assert "Accepted" == answer[2]["status"]


@asynccontextmanager
async def bystanders(server: Attacked, *, floor_s: float = FLOOR_S) -> AsyncIterator[None]:
    """Around an attack: another station is hardly slower, a real one comes in, nothing breaks."""
    quiet = await asyncio.to_thread(server.p99, "quiet")
    over = asyncio.Event()
    arrivals = asyncio.create_task(_come_in_until(over, register(server, "NEW")))
    try:
        yield
    finally:
        over.set()
        slowest = await arrivals
    assert slowest < COMES_IN_WITHIN_S
    meanwhile = await asyncio.to_thread(server.p99, "since")
    print(f"p99 {quiet * 1000:.0f} ms, then {meanwhile * 1000:.0f}; came in within {slowest:.2f} s")
    assert meanwhile < max(2 * quiet, floor_s)
    log = server.log.read_text()
    assert "Traceback" not in log, log[-4000:]


async def _come_in_until(over: asyncio.Event, station: Known) -> float:
    """Again and again, from the beginning of the attack to its end; the longest it took."""
    slowest = 0.0
    while True:
        slowest = max(slowest, await _come_in(station))
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), ARRIVES_EVERY_S)
        if over.is_set():
            return slowest


async def _come_in(station: Known) -> float:
    began = time.monotonic()
    async with station.dial() as socket:
        await boot(socket)
    return time.monotonic() - began
