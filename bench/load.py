"""The load generator, a process of its own: a thousand stations with one message in flight each.

`mix` sends the mix and prints a JSON line with the server's CPU time over it. `hold` connects
and boots every station at once, prints a line when all are answered, then answers whatever the
server sends until its standard input closes. A run with an answer missing or wrong is no run:
it ends with exit code 1 and the reasons.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import uvloop

from bench.mix import CYCLE, Script, Timestamps
from bench.wire import Wire

# Handshakes under way at once: a storm, but not one that only measures the accept queue.
CONNECTING = 500
DEADLINE_S = 300.0
# The message log is written a few times a second; its work belongs to the messages it logs.
TAIL_S = 0.5


class Failed(Exception):
    """The run proves nothing."""


class Station:
    """One simulated station: sends its script, answers what it is asked."""

    __slots__ = ("_gate", "_left", "_progress", "asked", "script", "wire")

    def __init__(
        self, identity: str, script: Script, progress: Progress, gate: asyncio.Semaphore
    ) -> None:
        self.script = script
        self.asked: Counter[str] = Counter()
        self._progress = progress
        self._gate = gate
        self._left = 0
        self.wire = Wire(
            identity, on_open=self._opened, on_text=self._text, on_lost=progress.failed
        )

    def run(self, messages: int) -> None:
        """Send that many messages of the mix, one after the other's answer."""
        self._left = messages
        self._send_next()

    def _opened(self) -> None:
        self._gate.release()
        self.wire.send(self.script.boot())

    def _text(self, payload: bytes) -> None:
        if payload.startswith(b"[2,"):
            self._answer(payload)
            return
        wrong = self.script.accept(payload)
        if wrong is not None:
            self._progress.failed(wrong)
        elif self.script.kind == "boot" and self.script.starts_inside_a_transaction:
            self.wire.send(self.script.start())
        elif self._left:
            self._send_next()
        else:
            self._progress.one_done()

    def _send_next(self) -> None:
        self._left -= 1
        self.wire.send(self.script.advance())

    def _answer(self, payload: bytes) -> None:
        _, message_id, action, _ = orjson.loads(payload)
        self.asked[action] += 1
        self.wire.send(orjson.dumps([3, message_id, {"status": "Accepted"}]))


class Progress:
    """Waits until each station has come to the end of a stage."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.over = False
        self._missing = 0
        self._reached = asyncio.Event()

    def expect(self, stations: int) -> None:
        """Begin a stage."""
        self._missing = stations
        self._reached.clear()

    def one_done(self) -> None:
        """One station is at its end."""
        self._missing -= 1
        if self._missing == 0:
            self._reached.set()

    def failed(self, reason: str) -> None:
        """The run is worthless."""
        if not self.over:
            self.reasons.append(reason)
            self._reached.set()

    async def reached(self) -> None:
        """Return when every station is there; raises Failed."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._reached.wait()
        except TimeoutError:
            self.reasons.append(f"{self._missing} stations without an answer")
        if self.reasons:
            raise Failed("; ".join(self.reasons[:3]))


class Crowd:
    """All the stations of a run; `spread` starts them at different places of the cycle."""

    def __init__(self, count: int, port: int, prefix: str, *, spread: bool) -> None:
        stamps = Timestamps()
        self.progress = Progress()
        self._port = port
        self._gate = asyncio.Semaphore(CONNECTING)
        self.stations = []
        for number in range(count):
            identity = f"{prefix}{number:05d}"
            script = Script(identity, number if spread else 0, stamps)
            self.stations.append(Station(identity, script, self.progress, self._gate))
        self.opened_before = sum(
            station.script.starts_inside_a_transaction for station in self.stations
        )

    async def connect(self) -> float:
        """Connect and boot all of them at once; returns the seconds until all are answered."""
        self.progress.expect(len(self.stations))
        started = time.perf_counter()
        dialling = asyncio.create_task(self._dial())
        try:
            await self.progress.reached()
        finally:
            dialling.cancel()
        return time.perf_counter() - started

    async def mix(self, rounds: int) -> float:
        """Let every station go through the cycle that often; returns the seconds."""
        self.progress.expect(len(self.stations))
        started = time.perf_counter()
        for station in self.stations:
            station.run(rounds * len(CYCLE))
        await self.progress.reached()
        return time.perf_counter() - started

    def close(self) -> None:
        """Drop every socket."""
        self.progress.over = True
        for station in self.stations:
            station.wire.close()

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            for station in self.stations:
                await self._gate.acquire()
                tasks.create_task(self._connect(loop, station))

    async def _connect(self, loop: asyncio.AbstractEventLoop, station: Station) -> None:
        try:
            await loop.create_connection(lambda: station.wire, "127.0.0.1", self._port)
        except OSError as error:
            self.progress.failed(f"could not connect: {error}")


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run_mix(crowd: Crowd, rounds: int, pid: int) -> None:
    """The mix, and the server's CPU time over it."""
    await crowd.connect()
    await asyncio.sleep(TAIL_S)
    report(event="begin")
    server, own = cpu_seconds(pid), time.process_time()
    seconds = await crowd.mix(rounds)
    own = time.process_time() - own
    report(event="end")
    await asyncio.sleep(TAIL_S)
    server = cpu_seconds(pid) - server
    messages = len(crowd.stations) * rounds * len(CYCLE)
    report(
        event="done",
        messages=messages,
        opened_before=crowd.opened_before,
        seconds=seconds,
        server_cpu_us=server / messages * 1e6,
        generator_cpu_us=own / messages * 1e6,
    )


async def run_hold(crowd: Crowd) -> None:
    """Connect, boot, stay."""
    seconds = await crowd.connect()
    report(event="ready", stations=len(crowd.stations), seconds=seconds)
    await asyncio.to_thread(sys.stdin.read)
    if crowd.progress.reasons:
        raise Failed("; ".join(crowd.progress.reasons[:3]))
    asked: Counter[str] = Counter()
    for station in crowd.stations:
        asked.update(station.asked)
    report(event="done", asked=dict(asked))


def report(**fields: object) -> None:
    """One JSON line for whoever started us."""
    print(orjson.dumps(fields).decode(), flush=True)


async def main(arguments: argparse.Namespace) -> None:
    """Run one scenario against a server that is up."""
    crowd = Crowd(
        arguments.stations, arguments.port, arguments.prefix, spread=arguments.scenario == "mix"
    )
    gc.collect()
    gc.freeze()
    try:
        if arguments.scenario == "mix":
            await run_mix(crowd, arguments.rounds, arguments.server_pid)
        else:
            await run_hold(crowd)
    finally:
        crowd.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=["mix", "hold"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="sessions of twenty messages each")
    parser.add_argument("--server-pid", type=int, help="whose CPU time `mix` reads")
    parser.add_argument("--prefix", default="BENCH-")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        uvloop.run(main(parser.parse_args()))
    except Failed as failure:
        report(event="failed", reason=str(failure))
        sys.exit(1)
