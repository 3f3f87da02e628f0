"""Every security profile that a station may need, with every way of coming and all it may show.

Once before a restart and once after it: who comes in is written down here, and is the same.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.processes import eventually, free_port
from tests.attacks.raw import Answer, knock, upgrade
from tests.attacks.witness import Attacked, Known, bystanders, register
from tests.attacks.words import basic
from tests.pki import Authority, client

# What is shown: a password, and on a port for certificates one of these.
PASSWORDS = ("right", "none", "empty", "wrong", "another's", "another's name", "not set", "waived")
CERTIFICATES = ("own", "none", "another's", "of nobody we know", "not for clients", "over")
WAYS = ("plain", "tls", "mtls")


@dataclass(frozen=True)
class Cell:
    """One attempt of the matrix."""

    needed: int
    way: str
    shown: str

    @property
    def profile(self) -> int:
        """What it comes with, if what it shows is right."""
        return 0 if self.shown == "waived" else 1 + WAYS.index(self.way)

    @property
    def comes_in(self) -> bool:
        """The rule, in full: nothing opens the door but the right thing, with enough security."""
        return self.shown in {"right", "own", "waived"} and self.profile >= self.needed


CELLS = [
    Cell(needed, way, shown)
    for needed, way in itertools.product(range(4), WAYS)
    for shown in (CERTIFICATES if way == "mtls" else PASSWORDS)
]


class Site:
    """A server with a door of each kind, and whom they know."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        strange = folder / "strange"
        strange.mkdir()
        self.stranger = Authority(strange, "Another CA")
        own = self.authority.server()
        self.ports = {"tls": free_port(), "mtls": free_port()}
        self.server = Attacked(
            folder / "server",
            dev=False,
            also=[f"127.0.0.1:{port},{way}" for way, port in self.ports.items()],
            CSMS_LOG__LEVEL="warning",
            CSMS_ONBOARDING__MODE="closed",
            CSMS_TLS__CERTIFICATES=str(own.certificate),
            CSMS_TLS__KEYS=str(own.key),
            CSMS_TLS__CLIENT_CA=str(self.authority.file),
        )
        self.ports["plain"] = self.server.port
        self._sources = (f"127.0.{n // 200 + 1}.{n % 200 + 1}" for n in itertools.count())

    async def status(self, cell: Cell, station: Known, other: Known) -> int:
        """What the door says; 0 where TLS says it already."""
        tls = None if cell.way == "plain" else self._context(cell, station, other)
        lines = [f"{name}: {value}" for name, value in _headers(cell, station, other).items()]
        request = upgrade(station.identity, "1.6", *lines)
        try:
            # Each from an address of its own, so that no guess is one too many.
            answer: Answer = await knock(
                self.ports[cell.way], request, source=next(self._sources), tls=tls
            )
        except (ConnectionError, ssl.SSLError):
            return 0
        answer.writer.close()
        return answer.status

    def _context(self, cell: Cell, station: Known, other: Known) -> ssl.SSLContext:
        if cell.way == "tls" or cell.shown == "none":
            return client(self.authority)
        pair = {
            "own": lambda: self.authority.station(station.identity),
            "another's": lambda: self.authority.station(other.identity),
            "of nobody we know": lambda: self.stranger.station(station.identity),
            "not for clients": lambda: self.authority.server(),
            "over": lambda: self.authority.station(station.identity, days=(-9, -1)),
        }[cell.shown]()
        return client(self.authority, pair)


def _headers(cell: Cell, station: Known, other: Known) -> dict[str, str]:
    if cell.way == "mtls":
        return {}  # it says all that there is to say
    return {
        "right": basic(station.identity, station.password),
        "none": {},
        "empty": basic(station.identity, ""),
        "wrong": basic(station.identity, "x" * 20),
        "another's": basic(station.identity, other.password),
        "another's name": basic(other.identity, other.password),
        "not set": basic(station.identity, "x" * 20),
        "waived": {},
    }[cell.shown]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.server.start()
    yield made
    assert 0 == made.server.stop()


@pytest.mark.timeout(300)
async def test_who_comes_in_before_and_after_a_restart(site: Site) -> None:
    server = site.server
    unset = _without_password(server, sum(cell.shown == "not set" for cell in CELLS))
    stations = {
        cell: unset.pop() if cell.shown == "not set" else register(server, "P") for cell in CELLS
    }
    for cell, station in stations.items():
        if cell.shown == "waived":
            server.client.post(f"/api/v1/stations/{station.id}/credentials/waive", {})
        changes = {"security_profile": cell.needed}
        server.client.patch(f"/api/v1/stations/{station.id}", changes)
    other = register(server, "OTHER")
    async with bystanders(server):
        before = await _try_all(site, stations, other)
    profiles = {cell: _profile_of(one) for cell, one in stations.items()}
    assert 0 == server.stop()
    server.start()
    after = await _try_all(site, stations, other)
    for found in (before, after):
        wrong = {cell: status for cell, status in found.items() if not _is_right(cell, status)}
        assert not wrong
    # What it came with once it needs from then on, a restart or not; who was refused needs no more.
    for cell, needed in profiles.items():
        came_with = cell.profile if cell.comes_in and cell.profile > 1 else 0
        assert max(cell.needed, came_with) == needed == _profile_of(stations[cell]), cell
    lower = [cell for cell in CELLS if cell.comes_in and cell.profile == 2 and cell.needed < 2]
    for cell in lower:
        plain = Cell(cell.needed, "plain", "right")
        assert 401 == await site.status(plain, stations[cell], other)
    print(f"{len(CELLS)} cells, {sum(cell.comes_in for cell in CELLS)} come in, twice")


async def _try_all(site: Site, stations: dict[Cell, Known], other: Known) -> dict[Cell, int]:
    slots = asyncio.Semaphore(10)

    async def one(cell: Cell) -> int:
        async with slots:
            return await site.status(cell, stations[cell], other)

    return dict(zip(CELLS, await asyncio.gather(*map(one, CELLS)), strict=True))


def _without_password(server: Attacked, number: int) -> list[Known]:
    """As a bulk job leaves them until somebody draws their passwords."""
    place = server.client.post("/api/v1/locations", {"name": "Yard"})
    groups = [{"identity_prefix": "UNSET-", "number": number, "virtual": False}]
    spec = {"location_id": place["id"], "groups": groups}
    job = server.client.post("/api/v1/jobs", {"kind": "station_create", "spec": spec})
    path = f"/api/v1/jobs/{job['id']}"
    eventually(lambda: server.client.get(path)["state"] == "done", what="the stations")
    made = server.client.pages("/api/v1/stations", location_id=place["id"])
    assert number == len(made)
    return [Known(server, one["identity"], one["id"], "") for one in made]


def _is_right(cell: Cell, status: int) -> bool:
    if cell.comes_in:
        return status == 101
    # TLS itself refuses a certificate that it cannot check.
    return status == 401 or (cell.way == "mtls" and status == 0)


def _profile_of(station: Known) -> int:
    return int(station.show()["security_profile"])
