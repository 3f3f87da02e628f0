"""Where a webhook may lead: to the public internet over https, elsewhere only when allowed.

Whoever may add a webhook chooses what this server connects to, from inside its own network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from csms.domain.targets import is_among
from csms.errors import Invalid

LONGEST_URL = 2000

# IANA special-purpose registries, RFC 6890. Written out, because `is_global` of the standard
# library has not said the same in every version.
_SPECIAL_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
# Of IPv6 only this is given out; mapped, NAT64, local and multicast addresses lie outside of it.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)


def check_url(url: str, allowed: Iterable[str]) -> None:
    """Raises Invalid for a URL that no webhook may have, whatever its name resolves to."""
    if len(url) > LONGEST_URL or any(not "!" <= character <= "~" for character in url):
        raise _refused("must be printable ASCII without spaces, 2000 characters at most", url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refused("is not a URL", url) from error
    if parts.scheme not in {"http", "https"} or not host or port == 0 or "\\" in url:
        raise _refused("must read https://host/path", url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused("must not have a user, a password or a fragment", url)
    if is_among(url, allowed):
        return
    if parts.scheme == "http":
        raise _refused("must begin with https://, unless webhooks.allowed_targets has it", url)
    if _is_literal(host) and not is_public(host):
        raise _refused(
            "is not a public address, and webhooks.allowed_targets does not have it", url
        )


def is_public(address: str) -> bool:
    """Whether it is an address of the public internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _SPECIAL_V4)
    return parsed in _GLOBAL_V6 and not any(parsed in network for network in _SPECIAL_V6)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refused(reason: str, url: str) -> Invalid:
    return Invalid(reason, loc=("url",), given=url[:LONGEST_URL], code="target_not_allowed")
