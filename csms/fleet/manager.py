"""A fleet of virtual stations in this process: who runs, and the one clockwork for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Self

import structlog

from csms.clock import Clock, SystemClock
from csms.domain.identity import identity_key
from csms.fleet.backoff import Backoff
from csms.fleet.client import Dialer, VirtualStation
from csms.fleet.frame_file import OnFrame
from csms.fleet.password_file import OnPassword
from csms.fleet.spec import StationSpec

log = structlog.get_logger(__name__)

SWEEP_S = 0.2
# Stations looked at before others get a turn on the loop.
SWEEP_CHUNK = 100


@dataclass(slots=True)
class _Running:
    station: VirtualStation
    task: asyncio.Task[None]


class Fleet:
    """Starts and stops virtual stations; one task per station and one sweeper for all timers."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        backoff: Backoff | None = None,
        on_frame: OnFrame | None = None,
        on_password: OnPassword | None = None,
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        """Told when a station connected, booted, lost its socket or could not dial."""
        self._clock = clock or SystemClock()
        self._random = random or Random()
        self._backoff = backoff or Backoff()
        self._on_frame = on_frame
        self._on_password = on_password
        self._dialer = Dialer()
        self._running: dict[str, _Running] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open."""
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def open(self) -> None:
        """Ready to start stations."""
        await self._dialer.open()
        self._sweeper = asyncio.create_task(self._sweep(), name="fleet-sweeper")

    async def close(self) -> None:
        """Stop every station, sockets dropped."""
        stopping, self._running = list(self._running.values()), {}
        for running in stopping:
            running.task.cancel()
        await asyncio.gather(*(_ended(running) for running in stopping))
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        await self._dialer.close()

    @property
    def count(self) -> int:
        """How many stations run."""
        return len(self._running)

    @property
    def stations(self) -> list[VirtualStation]:
        """Those that run, in the order they were started."""
        return [running.station for running in self._running.values()]

    def find(self, identity: str) -> VirtualStation | None:
        """The running station of that identity."""
        running = self._running.get(identity_key(identity))
        return None if running is None else running.station

    def start(self, spec: StationSpec, *, first_delay_s: float = 0.0) -> VirtualStation:
        """Run the station; the one that runs already stays as it is."""
        found = self.find(spec.identity)
        if found is not None:
            return found
        station = VirtualStation(
            spec,
            self._dialer,
            clock=self._clock,
            random=Random(f"{spec.seed}:{spec.identity}"),
            backoff=self._backoff,
            on_frame=self._on_frame,
            on_password=self._on_password,
        )
        station.on_change = self._changed
        task = asyncio.create_task(
            station.run(first_delay_s=first_delay_s), name=f"station-{spec.identity}"
        )
        task.add_done_callback(_report)
        self._running[identity_key(spec.identity)] = _Running(station, task)
        return station

    async def stop(self, identity: str) -> None:
        """Drop the station's socket and forget it; nothing happens when none runs."""
        running = self._running.pop(identity_key(identity), None)
        if running is not None:
            running.task.cancel()
            await _ended(running)

    def restore(self, specs: Iterable[StationSpec], *, spread_s: float = 2.0) -> None:
        """Run them all again after a restart, not all at once."""
        for spec in specs:
            self.start(spec, first_delay_s=self._random.uniform(0.0, spread_s))

    async def wait_booted(self, identity: str, timeout_s: float) -> bool:
        """Wait for the station's first accepted boot; False when there was none in time."""
        station = self.find(identity)
        return station is not None and await station.wait_booted(timeout_s)

    def _changed(self) -> None:
        self.on_change()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            for number, running in enumerate(list(self._running.values())):
                if number % SWEEP_CHUNK == SWEEP_CHUNK - 1:
                    await asyncio.sleep(0)
                try:
                    running.station.tick()
                except Exception:  # the others' timers must go on
                    log.exception("virtual station failed", station=running.station.spec.identity)


async def _ended(running: _Running) -> None:
    await asyncio.gather(running.task, return_exceptions=True)
    await running.station.aclose()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("virtual station stopped", task=task.get_name(), exc_info=error)
