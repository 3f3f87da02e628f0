"""What `csms doctor` looks at: each check says how it is, and what to do about it."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from csms.cli.failures import ServerUnreachable
from csms.cli.http import Client
from csms.cli.place import DATABASE_FILE
from csms.errors import CsmsError
from csms.host import INSTANCE_KEY, parse_listen
from csms.services.reach import Reach, open_to_the_network, reaches

if TYPE_CHECKING:
    from csms.config import Config

# SQLite's WAL needs shared memory and locks that these do not have.
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"}
)
_LITTLE_SPACE, _NO_SPACE = 1024**3, 100 * 1024**2
_EXPIRES_SOON = timedelta(days=30)
_CLOCK_SLACK = timedelta(minutes=1)


class Verdict(str, Enum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    verdict: Verdict
    found: str
    fix: str | None = None


def all_checks(
    config: Config, client: Client | None, identity: str | None = None
) -> Iterator[Finding]:
    """Everything that can be looked at from outside of the server."""
    directory = config.data_dir
    yield check_directory(directory)
    yield check_file_system(directory, Path("/proc/mounts"))
    yield check_space(directory)
    if (directory / DATABASE_FILE).exists():
        yield from check_database(directory)
    yield check_file_limit(config.ocpp.max_sockets)
    yield from check_tls(config)
    if config.onboarding.allow_no_password:
        everybody = "onboarding.allow_no_password lets every station in that has none"
        yield Finding("passwords", Verdict.WARN, everybody, "for development only; turn it off")
    if client is None:
        yield from (check_port(address) for address in config.listen)
    else:
        yield check_server(client)
        yield check_door(client)
    if config.external_url:
        yield check_external_url(config.external_url)
    yield from station_urls(reaches_of(config) if client is None else _told(client), identity)


def check_directory(directory: Path) -> Finding:
    """Ours, writable, and nobody else's."""
    check = "data directory"
    if not directory.exists():
        return Finding(check, Verdict.OK, f"{directory} is made at the first start")
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        fix = "run csms as its owner, or change the owner"
        return Finding(check, Verdict.FAIL, f"{directory} cannot be written", fix)
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        return Finding(
            check, Verdict.WARN, f"others can look into {directory}", f"chmod 700 {directory}"
        )
    return Finding(check, Verdict.OK, str(directory))


def check_file_system(directory: Path, mounts: Path) -> Finding:
    """A local one."""
    kind = _file_system_of(directory, mounts)
    if kind in _NETWORK_FILE_SYSTEMS:
        fix = "move the data directory to a local disk: the database can be damaged here"
        return Finding("file system", Verdict.FAIL, f"{kind} is a network file system", fix)
    return Finding("file system", Verdict.OK, kind or "cannot be told")


def check_space(directory: Path) -> Finding:
    """Room to write."""
    free = shutil.disk_usage(_nearest(directory)).free
    shown = f"{free // 1024**2:,} MiB are free"
    if free < _LITTLE_SPACE:
        verdict = Verdict.FAIL if free < _NO_SPACE else Verdict.WARN
        return Finding("disk", verdict, shown, "make room; when it is full nothing is stored")
    return Finding("disk", Verdict.OK, shown)


def check_database(directory: Path) -> Iterator[Finding]:
    """Sound, known, not from the future, and with its key."""
    from csms.store import backups

    try:
        found = backups.inspect(directory / DATABASE_FILE)
    except CsmsError as error:
        yield Finding("database", Verdict.FAIL, error.message, "restore a backup")
        return
    if found.verdict != "ok":
        yield Finding("database", Verdict.FAIL, f"damaged: {found.verdict}", "restore a backup")
    elif found.schema > found.newest_schema:
        newer = f"schema {found.schema}, this release knows {found.newest_schema}"
        yield Finding("database", Verdict.FAIL, newer, "use a newer csms")
    else:
        sound = f"sound, schema {found.schema}, {len(found.unfinished)} unfinished jobs"
        yield Finding("database", Verdict.OK, sound)
    if not (directory / INSTANCE_KEY).exists():
        fix = "put it back from a backup; stations that were told a password are refused without"
        yield Finding("instance key", Verdict.FAIL, f"{INSTANCE_KEY} is missing", fix)
    if found.passwords_waived:
        many = f"stations that come in without one: {found.passwords_waived}"
        fix = "csms stations password <identity>, where it can show one"
        yield Finding("passwords", Verdict.WARN, many, fix)
    yield check_clock(found.last_event_at, datetime.now(UTC))


def check_clock(last_event_at: datetime | None, now: datetime) -> Finding:
    """Time goes forward."""
    if last_event_at is not None and now < last_event_at - _CLOCK_SLACK:
        went_back = (
            f"it is {now:%Y-%m-%d %H:%M}, but something happened at {last_event_at:%Y-%m-%d %H:%M}"
        )
        return Finding("clock", Verdict.FAIL, went_back, "set the clock; use NTP")
    return Finding("clock", Verdict.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def check_file_limit(max_sockets: int) -> Finding:
    """A file descriptor for each station."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < max_sockets:
        fix = f"LimitNOFILE={max_sockets} in the unit, or a lower ocpp.max_sockets"
        few = f"{hard} open files are allowed, fewer than ocpp.max_sockets"
        return Finding("open files", Verdict.WARN, few, fix)
    return Finding("open files", Verdict.OK, str(hard))


def check_tls(config: Config) -> Iterator[Finding]:
    """Files that fit each other and last."""
    from csms import app
    from csms.ocpp import tls

    try:
        files = app.tls_files(config)
        if files is None:
            return
        contexts = tls.load(files)
    except CsmsError as error:
        yield Finding("tls", Verdict.FAIL, error.message, "stations cannot connect with TLS")
        return
    yield check_expiry(contexts.expires_at, datetime.now(UTC))
    for key in files.keys:
        if stat.S_IMODE(key.stat().st_mode) & 0o077:
            yield Finding("tls", Verdict.WARN, f"others can read {key}", f"chmod 600 {key}")


def check_expiry(expires_at: datetime, now: datetime) -> Finding:
    """Of the certificate that expires first."""
    shown = f"valid until {expires_at:%Y-%m-%d}"
    if expires_at <= now + _EXPIRES_SOON:
        verdict = Verdict.FAIL if expires_at <= now else Verdict.WARN
        return Finding("tls", verdict, shown, "renew it; a running server takes new files up")
    return Finding("tls", Verdict.OK, shown)


def check_port(address: str) -> Finding:
    """Free, as nobody of ours is there."""
    wanted = parse_listen(address)
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    check = f"port {wanted.port}"
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((wanted.host, wanted.port))
    except OSError as error:
        fix = "stop what uses it, or choose another with --listen"
        return Finding(check, Verdict.FAIL, f"{address}: {error.strerror}", fix)
    return Finding(check, Verdict.OK, "no server runs, and it is free")


def check_server(client: Client) -> Finding:
    """It says itself that it works."""
    try:
        checks = client.readiness()["checks"]
    except ServerUnreachable as error:
        return Finding("server", Verdict.FAIL, error.message, "see its log")
    wrong = [f"{name}: {said}" for name, said in checks.items() if said != "ok"]
    if wrong:
        return Finding("server", Verdict.FAIL, ", ".join(wrong), "see its log")
    return Finding("server", Verdict.OK, f"{client.url} is ready")


def check_door(client: Client) -> Finding:
    """An upgrade gets as far as the question who it is."""
    try:
        welcome = client.welcomes_stations()
    except ServerUnreachable as error:
        return Finding("stations", Verdict.FAIL, error.message, "see its log")
    if not welcome:
        fix = "does a proxy in between pass Upgrade and Connection through?"
        return Finding("stations", Verdict.FAIL, f"{client.url} takes no websocket", fix)
    return Finding("stations", Verdict.OK, f"can connect to {client.url}")


def check_external_url(external_url: str) -> Finding:
    """What stations are told to dial leads here."""
    scheme, _, rest = external_url.partition("://")
    url = f"{'https' if scheme == 'wss' else 'http'}://{rest.partition('/')[0]}"
    found = check_door(Client(url, ""))
    return Finding("external url", found.verdict, found.found, found.fix)


def station_urls(found: list[Reach], identity: str | None = None) -> Iterator[Finding]:
    """What to enter in a station, the best URL first; the same as /api/v1/connection-info."""
    alone = all(one.is_local for one in found)
    for one in found:
        whole = f"{one.url}/<identity>" if identity is None else one.of(identity)
        shown = f"{whole}  ({one.interface or 'your external_url'})"
        if alone:
            listen = open_to_the_network(found)
            fix = f"only this machine reaches it: serve with --listen {listen} for stations"
            yield Finding("station url", Verdict.WARN, shown, fix)
        else:
            yield Finding("station url", Verdict.OK, shown)


def of_maker(vendor: str) -> Iterator[Finding]:
    """What has to be done at its stations."""
    from csms.ocpp import makers

    known = [maker for maker in makers.load() if maker.fits(vendor, None)]
    for maker in known:
        found = f"{maker.name}: {maker.steps} ({', '.join(maker.sources)})"
        yield Finding("maker", Verdict.OK, found)
    if not known:
        names = ", ".join(maker.name for maker in makers.load())
        unknown = f"nothing is known of {vendor}"
        yield Finding("maker", Verdict.WARN, unknown, f"makers that are: {names}")


def reaches_of(config: Config) -> list[Reach]:
    """What the settings say, without a server."""
    return reaches(map(parse_listen, config.listen), config.external_url)


def _told(client: Client) -> list[Reach]:
    """As the running server tells, whose flags nobody else knows."""
    try:
        shown = client.get("/api/v1/connection-info")["urls"]
    except CsmsError:  # another check says that it does not answer
        return []
    return [
        Reach(
            one["url"], one["interface"], one["security_profile"], is_local=one["only_this_machine"]
        )
        for one in shown
    ]


def _nearest(path: Path) -> Path:
    """Itself, or the nearest folder above that is there."""
    return next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())


def _file_system_of(directory: Path, mounts: Path) -> str | None:
    """The kind of the deepest mount that the directory is in; None where the kernel tells none."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    place = _nearest(directory).resolve()
    best: tuple[int, str | None] = (-1, None)
    for line in lines:
        _, mounted, kind, *_ = line.split(" ")
        mounted = mounted.replace("\\040", " ")
        if place.is_relative_to(mounted) and len(mounted) >= best[0]:
            best = (len(mounted), kind)
    return best[1]
