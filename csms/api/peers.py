"""The other end of a request: where it comes from, and whether on the way it can be read."""

from __future__ import annotations

from aiohttp import web

from csms.api.deps import DEPS


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
