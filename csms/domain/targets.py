"""Which addresses our own virtual stations may dial: they sit inside somebody's network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}


def may_dial(url: str, allowed: Iterable[str]) -> bool:
    """Whether `url` is loopback or one of the `allowed` origins.

    An origin is `scheme://host:port` or `host:port`; without a port it is the scheme's own,
    and a bare host allows every port.
    """
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and (_is_loopback(host) or is_among(url, allowed))


def is_among(url: str, origins: Iterable[str]) -> bool:
    """Whether the URL is of one of the origins, written as for `may_dial`."""
    try:
        target = urlsplit(url)
        host, port = target.hostname, _port(target)
    except ValueError:
        return False
    return host is not None and any(_matches(origin, target, host, port) for origin in origins)


def _matches(origin: str, target: SplitResult, host: str, port: int | None) -> bool:
    try:
        allowed = urlsplit(origin if "://" in origin else f"//{origin}")
        allowed_port = _port(allowed)
    except ValueError:
        return False
    return (
        allowed.hostname == host
        and allowed.scheme in {"", target.scheme}
        and allowed_port in {None, port}
    )


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
