"""Network addresses: which count as one, which we believe about others, what names a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
# What ends in a number is an address, or meant to be one.
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+$){_LABEL}")
_MAX_HOST_NAME = 253
_AUTHORITY = re.compile(r"(\[[^]]*\]|[^]:[]*)(?::([0-9]{1,5}))?")


@lru_cache(maxsize=1024)
def origin_of(address: str) -> str:
    """An address, or the network of one who has many (a /64 of IPv6)."""
    parsed = _parse(address)
    if parsed is None:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(ip_network((parsed, 64), strict=False))


def read_network(text: str) -> Network:
    """`10.0.0.7` or `10.0.0.0/24`; raises ValueError."""
    return ip_network(text.strip())


def read_host(text: str) -> str:
    """A host name or an IP address, as a certificate has it; raises ValueError."""
    in_brackets = text.startswith("[") and text.endswith("]")
    parsed = _parse(text[1:-1] if in_brackets else text)
    if parsed is not None and "%" not in text and (not in_brackets or ":" in text):
        return str(parsed)
    try:
        name = text.encode("idna").decode()
    except UnicodeError:
        name = ""
    if len(name) > _MAX_HOST_NAME or not _HOST_NAME.fullmatch(name):
        raise ValueError(f"{text!r} is neither a host name nor an IP address")
    return name


def read_station_url(text: str) -> str:
    """A URL that stations dial, so that `/` and an identity may follow; raises ValueError."""
    if not text.isprintable() or " " in text:
        raise ValueError("has blanks or control characters")
    scheme, colon, rest = text.partition("://")
    if not colon or scheme.lower() not in {"ws", "wss"}:
        raise ValueError("does not begin with ws:// or wss://")
    if "?" in rest or "#" in rest:
        raise ValueError("has a query or a fragment, behind which no identity can be")
    authority, _, path = rest.partition("/")
    if "@" in authority:
        raise ValueError("has a user; stations have their own")
    found = _AUTHORITY.fullmatch(authority)
    if found is None or (found[2] and not 0 < int(found[2]) < 65536):
        raise ValueError("needs a host or host:port behind the //, an IPv6 address in []")
    if not path.isascii():
        raise ValueError("has characters in its path that have to be written as %XX")
    host = read_host(found[1])
    shown = f"[{host}]" if ":" in host else host
    port = f":{int(found[2])}" if found[2] else ""
    return f"{scheme.lower()}://{shown}{port}/{path}".rstrip("/")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies in front of us: what they say of the other end counts, and nobody else's word."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, networks: Iterable[str]) -> Proxies:
        """Those of a setting; raises ValueError."""
        return cls(tuple(read_network(text) for text in networks))

    def trusts(self, address: str) -> bool:
        """Whether it is one of them."""
        parsed = _parse(address) if self.networks else None
        return parsed is not None and any(parsed in network for network in self.networks)

    def client_of(self, address: str, headers: Mapping[str, str]) -> str:
        """Whom a connection from `address` is for; `headers` by name in lower case.

        Each proxy appends to X-Forwarded-For whom it saw, so the list is believed from its end:
        the last one that is not a proxy of ours. What stands before it anybody can have written.
        """
        if not self.trusts(address):
            return address
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
            parsed = _parse(hop.strip())
            if parsed is None:
                break
            address = str(parsed)
            if not self.trusts(address):
                break
        return address


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
