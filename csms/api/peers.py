"""The other end of a request: where it comes from, and whether on the way it can be read."""

from __future__ import annotations

import re

from aiohttp import web

from csms.api.deps import DEPS
from csms.errors import BadRequest

# RFC 9110 7.2, without what no name and no address has.
_HOST = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?")
_LAST_PORT = 65535


def check_host(request: web.Request) -> None:
    """Raises BadRequest for a name of ours that no URL of an answer could be made of."""
    # Of HTTP/1.0 it may be absent; a target with a host in it was read by the parser.
    given = request.headers.get("Host", "any")
    found = _HOST.fullmatch(given)
    fits = found is not None and int(found[2] or 0) <= _LAST_PORT
    try:
        fits = fits and request.url.raw_user is None and request.url.raw_host is not None
    except ValueError:  # brackets around what is no address
        fits = False
    if not fits:
        raise BadRequest("the Host header is not the name of a server", code="invalid_host")


def authority_of(request: web.Request) -> str:
    """The host and port that the caller asked for."""
    return request.url.raw_authority


def address_of(request: web.Request) -> str:
    """The caller's address; behind one of our proxies the one that the proxy tells."""
    remote = request.remote or ""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
    proxies = request.app[DEPS].settings.proxies
    return proxies.client_of(remote, {"x-forwarded-for": forwarded})


def is_encrypted(request: web.Request) -> bool:
    """Whether it came over TLS, to us or to one of our proxies."""
    if request.secure:
        return True
    if not request.app[DEPS].settings.proxies.trusts(request.remote or ""):
        return False
    return request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def is_for_programs_only(request: web.Request) -> bool:
    """Whether it came in by a port that takes no stations."""
    ours = None if request.transport is None else request.transport.get_extra_info("sockname")
    listening = request.app[DEPS].settings.listening
    return isinstance(ours, tuple) and any(
        one.programs_only and one.port == ours[1] for one in listening
    )
