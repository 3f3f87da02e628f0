"""A fleet as a process of its own, against any CSMS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import orjson

from csms.clock import Clock, SystemClock
from csms.domain.identity import check_identity
from csms.domain.versions import OcppVersion, parse_version
from csms.errors import Invalid
from csms.fleet.backoff import Backoff
from csms.fleet.catalog import Catalog, load
from csms.fleet.faults import Faults
from csms.fleet.frame_file import FrameFile
from csms.fleet.manager import Fleet
from csms.fleet.password_file import PasswordFile
from csms.fleet.spec import StationSpec

REPORT_S = 0.5


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `csms fleet run` was asked for."""

    url: str
    stations: int = 1
    prefix: str = "VCP"
    from_file: Path | None = None
    """NDJSON of `{"identity", "password", "version"}`; replaces `stations` and `prefix`."""
    version: OcppVersion = OcppVersion.V16
    """Of the stations that the file names no version for."""
    passwords: Path | None = None
    """Where they keep the passwords that they are told."""
    frames: Path | None = None
    """Where to record every frame."""
    reject_percent: float = 0.0
    silent_percent: float = 0.0
    flap_percent: float = 0.0
    """Share of the stations that lose their socket now and again."""
    flap_every_s: float = 10.0
    compression: bool = False
    seed: int = 0
    connectors: int = 1
    brand: str = "generic"
    model: str = "ac-22kw"
    reboot_s: float = 1.0
    ramp_per_s: float = 200.0
    """How many stations start dialing each second."""
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class Named:
    """One station that was asked for."""

    identity: str
    password: bytes | None = None
    version: OcppVersion | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the fleet stands."""

    stations: int
    connected: int
    booted: int
    """Stations whose boot was accepted at least once."""
    boots: int
    last_error: str | None
    """Why the latest dial that has not been made good failed."""


def _unheard(counts: Counts) -> None:
    """For callers that do not watch."""


async def run(
    options: RunOptions,
    on_ready: Callable[[Counts], None],
    on_counts: Callable[[Counts], None] = _unheard,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
) -> None:
    """Run the fleet until cancelled. `on_ready` is told once, when every station has booted.

    Raises Invalid for a file or an identity that makes no sense, before anything is dialed.
    """
    clock = clock or SystemClock()
    specs = list(specs_of(options, load()))
    told = None if options.passwords is None else PasswordFile(options.passwords)
    if told is not None:
        specs = [replace(one, password=told.find(one.identity) or one.password) for one in specs]
    record = None if options.frames is None else FrameFile(options.frames, clock=clock)
    fleet = Fleet(
        clock=clock,
        random=random or Random(options.seed),
        backoff=options.backoff,
        on_frame=None if record is None else record.write,
        on_password=None if told is None else told.write,
    )
    try:
        async with fleet:
            fleet.restore(specs, spread_s=len(specs) / options.ramp_per_s)
            await _watch(fleet, on_ready, on_counts)
    finally:
        for file in (record, told):
            if file is not None:
                file.close()


async def _watch(
    fleet: Fleet, on_ready: Callable[[Counts], None], on_counts: Callable[[Counts], None]
) -> None:
    ready = False
    told: Counts | None = None
    while True:
        counts = count(fleet)
        if not ready and counts.booted == counts.stations:
            ready = True
            on_ready(counts)
        if counts != told:
            told = counts
            on_counts(counts)
        await asyncio.sleep(REPORT_S)


def count(fleet: Fleet) -> Counts:
    """Where the fleet stands now."""
    stations = fleet.stations
    return Counts(
        stations=len(stations),
        connected=sum(station.connected for station in stations),
        booted=sum(station.boots > 0 for station in stations),
        boots=sum(station.boots for station in stations),
        last_error=next((s.last_error for s in stations if s.last_error is not None), None),
    )


def specs_of(options: RunOptions, catalog: Catalog) -> Iterator[StationSpec]:
    """The stations to run; raises Invalid."""
    known = _from_file(options.from_file) if options.from_file else _numbered(options)
    for one in known:
        # Which stations flap follows from the seed and the identity alone.
        drawn = Random(f"{options.seed}:flap:{one.identity}").uniform(0, 100)
        flaps = drawn < options.flap_percent
        yield catalog.spec(
            identity=check_identity(one.identity),
            url=options.url,
            brand_slug=options.brand,
            model_slug=options.model,
            connectors=options.connectors,
            version=one.version or options.version,
            password=one.password,
            seed=options.seed,
            compression=options.compression,
            faults=Faults(
                reject_percent=options.reject_percent,
                silent_percent=options.silent_percent,
                drop_every_s=options.flap_every_s if flaps else None,
            ),
            reboot_s=options.reboot_s,
        )


def _numbered(options: RunOptions) -> Iterator[Named]:
    width = max(4, len(str(options.stations)))
    for number in range(1, options.stations + 1):
        yield Named(f"{options.prefix}{number:0{width}d}")


def _from_file(path: Path) -> Iterator[Named]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}", loc=("from_file",)) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _line(line, f"{path}, line {number}")


def _line(line: bytes, where: str) -> Named:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{where}: not valid JSON", loc=("from_file",)) from error
    fields = value if isinstance(value, dict) else {}
    identity, password, version = (fields.get(name) for name in ("identity", "password", "version"))
    optional = (str, type(None))
    if not (
        isinstance(identity, str)
        and isinstance(password, optional)
        and isinstance(version, optional)
    ):
        raise Invalid(
            f'{where}: must be an object with "identity" and, if wanted, "password" and "version"',
            loc=("from_file",),
        )
    secret = None if password is None else password.encode()
    return Named(identity, secret, None if version is None else parse_version(version))
