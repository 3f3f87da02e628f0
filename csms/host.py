"""What a server process asks of its machine: files only it may read, sockets, names."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import resource
import secrets
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

INSTANCE_KEY = "instance.key"
STATIONS_ONLY, PROGRAMS_ONLY = "ocpp-only", "api-only"
_SIOCGIFADDR = 0x8915  # Linux
_LINK_LOCAL = "20"


class Security(str, Enum):
    """What a port asks of those who come."""

    PLAIN = "plain"
    TLS = "tls"
    """We show a certificate."""
    MTLS = "mtls"
    """They show one too."""


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on, as `HOST:PORT[,tls|,mtls][,ocpp-only|,api-only]`."""

    host: str
    port: int
    security: Security = Security.PLAIN
    stations_only: bool = False
    """There is no page and no API."""
    programs_only: bool = False
    """There are no stations."""

    def urls(self) -> list[str]:
        """Where others reach its page and API."""
        return [self._url("http", name) for name in reachable_names(self.host)]

    def websocket_urls(self) -> list[str]:
        """Where stations reach it; nowhere, when it is not for them."""
        if self.programs_only:
            return []
        return [self._url("ws", name) for name in reachable_names(self.host)]

    @property
    def in_the_clear(self) -> bool:
        """Whether others on the network can read what it carries."""
        return self.security is Security.PLAIN and not is_loopback(self.host)

    @property
    def loopback_url(self) -> str:
        """Where this machine itself reaches its API."""
        return self._url("http", loopback_name(self.host))

    def _url(self, scheme: str, name: str) -> str:
        return f"{scheme}{'' if self.security is Security.PLAIN else 's'}://{name}:{self.port}"


def parse_listen(text: str) -> Listen:
    """What a `listen` setting says; raises ValueError."""
    address, *options = (part.strip() for part in text.split(","))
    name, _, port = address.rpartition(":")
    if not name or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("is not HOST:PORT[,tls|,mtls][,ocpp-only|,api-only]")
    words = set(options)
    chosen = words & {Security.TLS.value, Security.MTLS.value}
    only = words & {STATIONS_ONLY, PROGRAMS_ONLY}
    if words - chosen - only or max(len(chosen), len(only)) > 1 or len(words) < len(options):
        raise ValueError(
            "may have one of the options tls and mtls, and one of ocpp-only and api-only"
        )
    return Listen(
        name.strip("[]"),
        int(port),
        Security(chosen.pop()) if chosen else Security.PLAIN,
        stations_only=STATIONS_ONLY in only,
        programs_only=PROGRAMS_ONLY in only,
    )


def tame_garbage_collector() -> None:
    """Keep full collections, 0.1 s and more with thousands of sockets, off the loop.

    What start-up made stays for good and is not looked at, not even once: hardly any of it is
    garbage. What requests make dies young.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 50, 1000)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a socket bound to `host`."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def raise_file_limit() -> None:
    """As many sockets as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def instance_key(directory: Path) -> bytes:
    """The secret that virtual stations' passwords are derived from; made at the first start."""
    path = directory / INSTANCE_KEY
    if not path.exists():
        write_private(path, secrets.token_bytes(32))
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    # Complete under another name first: a crash must not leave half a key behind.
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def loopback_name(host: str) -> str:
    """The name under which this machine itself reaches a socket bound to `host`."""
    wildcard = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - a name is mapped, not bound
    return wildcard.get(host, f"[{host}]" if ":" in host else host)


def reachable_names(host: str) -> list[str]:
    """Names under which others reach a socket bound to `host`."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return [f"[{host}]" if ":" in host else host]
    names = [loopback_name(host)]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: connecting a datagram socket only asks the routing table.
        probe.connect(("192.0.2.1", 9))
        names.insert(0, probe.getsockname()[0])
    return names


def names_by_interface(host: str) -> list[tuple[str | None, str]]:
    """Each interface, where it is known, and the name under which it reaches a socket at `host`."""
    wildcard = {"0.0.0.0": 4, "::": 6}  # noqa: S104 - compared, not bound
    if host not in wildcard:
        name = f"[{host}]" if ":" in host else host
        known = {address: interface for interface, address, _ in interface_addresses()}
        return [(known.get(host), name)]
    # The one that the routing table would take comes first; there may be bridges and tunnels.
    first = reachable_names(host)[0]
    found = [
        (interface, f"[{address}]" if family == 6 else address)
        for interface, address, family in interface_addresses()
        if family == wildcard[host]
    ]
    if not found:
        return [(None, name) for name in reachable_names(host)]
    return sorted(found, key=lambda one: one[1] != first)


def interface_addresses() -> list[tuple[str, str, int]]:
    """(interface, address, 4 or 6) of this machine, as far as the system tells; no link-local."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            request = struct.pack("256s", interface.encode()[:15])
            with contextlib.suppress(OSError):  # it has no IPv4 address
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
                found.append((interface, socket.inet_ntoa(answer[20:24]), 4))
    with contextlib.suppress(OSError):  # no IPv6, or not Linux
        for line in Path("/proc/net/if_inet6").read_text("ascii").splitlines():
            digits, _, _, scope, _, interface = line.split()
            if scope != _LINK_LOCAL:
                address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
                found.append((interface, address, 6))
    return found
