"""Where stations reach this server: the URLs to enter in them, the best first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from csms.host import Listen, Security, is_loopback, names_by_interface

PATH = "/ocpp"
_PROFILES = {Security.PLAIN: 1, Security.TLS: 2, Security.MTLS: 3}


@dataclass(frozen=True, slots=True)
class Reach:
    """One URL for stations, without the identity."""

    url: str
    interface: str | None
    """The network interface that has the address; None: your `external_url`."""
    security_profile: int
    """As OCPP numbers them: 1 a password, 2 a password over TLS, 3 a certificate."""
    is_local: bool = False
    """Only this machine reaches it."""

    def of(self, identity: str) -> str:
        """The URL of one station."""
        return f"{self.url}/{quote(identity, safe='')}"


def reaches(listening: Iterable[Listen], external_url: str) -> list[Reach]:
    """Your own URL first, then every address of every listener; this machine's own last."""
    found = []
    if external_url:
        profile = 2 if external_url.startswith("wss:") else 1
        found.append(Reach(external_url, None, profile))
    for one in listening:
        if one.programs_only:
            continue
        scheme = "ws" if one.security is Security.PLAIN else "wss"
        for interface, name in names_by_interface(one.host):
            url = f"{scheme}://{name}:{one.port}{PATH}"
            is_local = is_loopback(name.strip("[]"))
            found.append(Reach(url, interface, _PROFILES[one.security], is_local))
    return sorted(found, key=lambda reach: reach.is_local)


def open_to_the_network(found: list[Reach]) -> str:
    """What `--listen` is to say where only this machine reaches us."""
    if not found:
        return "0.0.0.0:9000"
    option = {1: "", 2: ",tls", 3: ",mtls"}[found[0].security_profile]
    return f"0.0.0.0:{urlsplit(found[0].url).port}{option}"
