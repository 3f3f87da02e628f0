"""What an upgrade request says: identity, credentials, subprotocols. Plain text in, values out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from csms.domain.client_certificates import ClientCertificate
from csms.domain.identity import identity_key
from csms.domain.versions import BY_PREFERENCE, OcppVersion
from csms.services.redaction import as_word

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# What somebody may have taken for the name of a version; tokens are longer.
_VERSION_NAME = re.compile(r"(?=.{1,20}\Z)[\w.+-]*ocpp[\w.+-]*|.{1,6}", re.IGNORECASE)
_VERSIONS = frozenset({"13", "8", "7"})
MAX_DESCRIPTION = 250


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a socket, and what its TLS says of it."""

    address: str
    encrypted: bool = False
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request to become a websocket."""

    method: str
    target: str
    headers: dict[str, str]
    """By name in lower case; what is repeated is one list."""
    peer: Peer

    @property
    def address(self) -> str:
        """Where it comes from."""
        return self.peer.address

    @property
    def security_profile(self) -> int:
        """As OCPP numbers them: 1 a password, 2 a password over TLS, 3 a certificate."""
        if self.peer.certificate is not None:
            return 3
        return 2 if self.peer.encrypted else 1

    @property
    def offered(self) -> list[str]:
        """Every subprotocol offered, in order, spelled as it came."""
        return subprotocols_in([self.headers.get("sec-websocket-protocol", "")])

    @property
    def says_connection_upgrade(self) -> bool:
        """Whether the header is there that we do not ask for; see `read_upgrade`."""
        return "upgrade" in self.headers.get("connection", "").lower()

    @property
    def accept(self) -> str | None:
        """What proves to the other end that we understood; None: not a valid handshake."""
        headers = self.headers
        if headers.get("sec-websocket-version") not in _VERSIONS or has_body(headers):
            return None
        key = headers.get("sec-websocket-key", "")
        try:
            if len(base64.b64decode(key)) != 16:
                return None
        except (binascii.Error, ValueError):
            return None
        return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324


def read_upgrade(head: bytes, peer: Peer) -> Upgrade | None:
    """The upgrade a request head asks for; None when it asks for something else.

    `Connection: Upgrade` is not asked for: Autel MaxiCharger US (1.38.00) leaves it out.
    """
    request = read_request(head, peer) if b"websocket" in head.lower() else None
    if request is None or not is_websocket(request.headers.get("upgrade", "")):
        return None
    return request


def read_request(head: bytes, peer: Peer) -> Upgrade | None:
    """Any request head, as if it asked for an upgrade; None when it is broken."""
    request, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():  # folded lines are among these
            return None
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    words = request.split(" ")
    if len(words) < 3:
        return None
    # Blanks that should have been written as %20 belong to the target.
    return Upgrade(words[0], " ".join(words[1:-1]), headers, peer)


def is_lost_station(request: Upgrade) -> bool:
    """Whether a station, or a proxy before it, forgot to ask for a websocket."""
    if "sec-websocket-key" in request.headers or speaks_soap(request):
        return True
    by_program = request.headers.get("authorization", "").startswith("Bearer ")
    return (
        request.method == "GET" and _path_of(request.target).startswith("/ocpp/") and not by_program
    )


def speaks_soap(request: Upgrade) -> bool:
    """Whether it is the older form of OCPP, a POST of XML, which nobody serves here."""
    kind = request.headers.get("content-type", "").lower()
    is_xml = "soapaction" in request.headers or kind.startswith(("application/soap", "text/xml"))
    return request.method == "POST" and is_xml


def is_websocket(upgrade: str) -> bool:
    """Whether a value of the Upgrade header asks for a websocket."""
    return "websocket" in upgrade.lower()


def has_body(headers: dict[str, str]) -> bool:
    """Whether something other than websocket frames follows the head."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


@dataclass(frozen=True, slots=True)
class Basic:
    """Credentials as presented; the password is bytes, because 1.6 keys need not be text."""

    user: bytes
    password: bytes

    def is_for(self, identity: str) -> bool:
        """Whether the user name is the identity of the URL, by the rule of identities."""
        return _is_identity(self.user, identity)

    def described(self, identity: str) -> str:
        """What a person has to know to find the mistake, and nothing that is to stay secret.

        The user name is not shown either: where the two fields were confused it is the password.
        """
        if self.is_for(identity):
            user = "the id as user name"
        elif not self.user:
            user = "no user name"
        elif _is_identity(self.password, identity):
            return "user name and password in each other's place"
        else:
            user = f"another user name ({len(self.user)} characters)"
        size = len(self.password)
        blanks = ", with a blank at its end" if self.password.strip() != self.password else ""
        return f"{user}, a password of {size} bytes{blanks}" if size else f"{user}, no password"


def _is_identity(text: bytes, identity: str) -> bool:
    try:
        return identity_key(text.decode()) == identity_key(identity)
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
    segments = [segment for segment in _path_of(target).split("/") if segment]
    if not segments:
        return None
    try:
        return unquote_to_bytes(segments[-1]).decode()
    except UnicodeError:  # bytes that are no text, as they came or percent-encoded
        return None


def shown_path(target: str) -> str:
    """The path of a request target, fit for a log or a row, and without a user in it."""
    return printable(_without_user(_path_of(target)))


def shown_identity(target: str) -> str:
    """The identity as `identity_in` reads it, fit for a log or a row; without a password.

    What could be an identity is left alone: none has a colon.
    """
    identity = identity_in(target) or ""
    user, at, name = identity.rpartition("@")
    return printable(f"***@{name}" if at and ":" in user else identity)


def shown_offers(offered: Iterable[str]) -> str:
    """The subprotocols that somebody offers, among which some put a token."""
    return ", ".join(
        name if _VERSION_NAME.fullmatch(name) else f"a name of {len(name)} characters"
        for name in offered
    )


def _without_user(path: str) -> str:
    parts = [part.replace("%40", "@").rpartition("@") for part in path.split("/")]
    return "/".join(f"***@{name}" if at else name for _, at, name in parts)


def _path_of(target: str) -> str:
    """Without query and host, in both of which people put passwords."""
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path:  # MicroOcpp before April 2024 sent the absolute form
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path


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


def described(request: Upgrade) -> str:
    """What a stranger sent, for the person who has to find the mistake; without its secrets."""
    said = [f"{request.method} {shown_path(request.target)}"]
    offered = request.offered
    said.append(f"offers {shown_offers(offered)}" if offered else "offers no subprotocol")
    header = request.headers.get("authorization")
    basic = basic_in(header)
    if basic is not None:
        said.append(basic.described(identity_in(request.target) or ""))
    elif header is not None:
        said.append("an Authorization header that is not Basic")
    elif request.peer.certificate is not None:
        said.append("a certificate")
    else:
        said.append("no password")
    if origin := request.headers.get("origin"):  # the page, if it is one
        page = _without_user(origin.partition("?")[0].partition("#")[0])
        said.append(f"Origin {as_word(page)[:60]}")
    if agent := request.headers.get("user-agent"):
        said.append(f"User-Agent {as_word(agent)[:60]}")
    return printable("; ".join(said), MAX_DESCRIPTION)


def oddities(request: Upgrade) -> str | None:
    """What is unusual about an upgrade although it counts; a person may have mistyped it."""
    found = []
    identity = identity_in(request.target) or ""
    if identity != identity.strip():
        found.append("its id begins or ends with a blank")
    elif " " in request.target:
        found.append("its URL has a blank, which counts as part of the id")
    if not request.says_connection_upgrade:
        found.append("it leaves the header Connection: Upgrade out, which is overlooked")
    return "; ".join(found) or None


def printable(text: str, limit: int = 200) -> str:
    """What a stranger wrote, fit for a log or a row."""
    return "".join(c if c.isprintable() else "?" for c in text[:limit])


def comes_from_a_browser(header_names: Iterable[str], user_agent: str) -> bool:
    """Whether a page made this request; Origin alone is no proof, some stations send it."""
    names = {name.lower() for name in header_names}
    fetched = any(name.startswith("sec-fetch-") for name in names)
    return "origin" in names and (fetched or user_agent.startswith("Mozilla/"))
