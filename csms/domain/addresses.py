"""Network addresses: which count as one, and which ones we believe about others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


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
