"""What an upgrade request says: identity, credentials, subprotocols. Plain text in, values out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from csms.domain.identity import identity_key
from csms.domain.versions import BY_PREFERENCE, OcppVersion


@dataclass(frozen=True, slots=True)
class Basic:
    """Credentials as presented; the password is bytes, because 1.6 keys need not be text."""

    user: bytes
    password: bytes

    def is_for(self, identity: str) -> bool:
        """Whether the user name is the identity of the URL, by the rule of identities."""
        try:
            return identity_key(self.user.decode()) == identity_key(identity)
        except UnicodeDecodeError:
            return False


@dataclass(frozen=True, slots=True)
class Choice:
    """The version to speak and the subprotocol to echo, in the station's own spelling."""

    version: OcppVersion
    echo: str | None


def identity_in(target: str) -> str | None:
    """The last non-empty path segment of a request target, percent-decoded exactly once.

    None when there is no segment or it is not UTF-8.
    """
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path:  # MicroOcpp before April 2024 sent the absolute form
        path = path.partition("://")[2].partition("/")[2]
    segments = [segment for segment in path.split("/") if segment]
    if not segments:
        return None
    try:
        return unquote_to_bytes(segments[-1]).decode()
    except UnicodeError:  # bytes that are no text, as they came or percent-encoded
        return None


def basic_in(header: str | None) -> Basic | None:
    """The credentials of an Authorization header; None when there are none to be read."""
    if header is None:
        return None
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    encoded = encoded.strip()
    try:
        # Some stations leave the padding out.
        pair = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = pair.partition(b":")
    return Basic(user, password) if colon else None


def subprotocols_in(headers: Iterable[str]) -> list[str]:
    """Every subprotocol offered, in order, spelled as it came."""
    return [token for header in headers for part in header.split(",") if (token := part.strip())]


def choose(
    offered: Iterable[str],
    *,
    spoken: Collection[OcppVersion],
    pin: OcppVersion | None,
    assume: OcppVersion | None,
) -> Choice | None:
    """The station's pin when it is offered, else the newest that both speak; None: refuse."""
    offers = list(offered)
    if not offers:
        if assume is None:
            return None
        version = pin or assume
        return Choice(version, None) if version in spoken else None
    by_name = {version.subprotocol: version for version in spoken}
    common = {by_name[name.lower()]: name for name in offers if name.lower() in by_name}
    if pin in common:
        return Choice(pin, common[pin])
    for version in BY_PREFERENCE:
        if version in common:
            return Choice(version, common[version])
    return None


def printable(text: str, limit: int = 200) -> str:
    """What a stranger wrote, fit for a log or a row."""
    return "".join(c if c.isprintable() else "?" for c in text[:limit])


def comes_from_a_browser(header_names: Iterable[str], user_agent: str) -> bool:
    """Whether a page made this request; Origin alone is no proof, some stations send it."""
    names = {name.lower() for name in header_names}
    fetched = any(name.startswith("sec-fetch-") for name in names)
    return "origin" in names and (fetched or user_agent.startswith("Mozilla/"))
