"""A running engine behind the dialect's routes, and virtual stations at the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pytest

from csms.domain.identity import identity_key
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.fleet.device import Device
from tests.api.live import Live, engine, fleet, live
from tests.fleet.conftest import Bench

__all__ = ["engine", "fleet", "live", "table"]

T = TypeVar("T")


@dataclass
class Seat:
    """A virtual station as the fleet hands it out, talking to a CSMS of the test."""

    bench: Bench
    connected: bool = True

    def let(self, happen: Callable[[Device], T]) -> T:
        try:
            return self.bench.device.let(happen)
        finally:
            self.bench.settle()


@dataclass
class Fleet:
    """Stands where the fleet stands."""

    live: Live
    seats: dict[str, Seat] = field(default_factory=dict)

    def find(self, identity: str) -> Seat | None:
        return self.seats.get(identity_key(identity))

    async def station(
        self, identity: str, version: OcppVersion = OcppVersion.V16, **more: Any
    ) -> tuple[Station, Bench]:
        """A virtual station that is connected, at the table and as the API sees it."""
        station = await self.live.station(identity, virtual=True, ocpp_version=version, **more)
        self.live.hub.versions[station.id] = version
        self.live.hub.connect(station.id)
        bench = Bench(self.live.clock, version, connectors=2)
        bench.connect()
        bench.calls.clear()
        self.seats[identity_key(identity)] = Seat(bench)
        return station, bench


@pytest.fixture
def table(live: Live) -> Fleet:
    """Virtual stations."""
    made = Fleet(live)
    live.deps.fleet = cast("Any", made)
    return made
