"""The page's cookie: how it is given and taken back, and what a request with it must show.

A browser sends the cookie along whoever made it ask. So what changes something must also come from
a page of ours: the browser says so in a header that no page can write, and the page shows a token
that it has from an answer, which other sites cannot read.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import replace

from aiohttp import web

from csms.api import peers
from csms.api.routing import Reply
from csms.domain.sessions import VALID_FOR
from csms.errors import Forbidden
from csms.services.sessions import csrf_token

CSRF_HEADER = "X-CSRF-Token"
_NAME = "csms"
_PORT = re.compile(r":(\d{1,5})$")
_LONGEST = 128


def cookie_of(request: web.Request) -> str | None:
    """What the cookie says; None when there is none that could be ours."""
    value = request.cookies.get(_name(request), "")
    return value if 0 < len(value) <= _LONGEST else None


def given(request: web.Request, reply: Reply, secret: str) -> Reply:
    """The reply with the cookie."""
    return _with_cookie(request, reply, secret, int(VALID_FOR.total_seconds()))


def taken_back(request: web.Request, reply: Reply) -> Reply:
    """The reply that makes the browser forget it."""
    return _with_cookie(request, reply, "", 0)


def require_own_page(request: web.Request) -> None:
    """Raises Forbidden when a page of another site asks, as far as the browser says who does."""
    if _is_own(request) is False:
        raise Forbidden("Another site's page made the browser ask this", code="cross_site")


def require_csrf(request: web.Request, secret: str) -> None:
    """Raises Forbidden unless a page of ours asks that was told the session's token."""
    if not _is_own(request):
        raise Forbidden("With a cookie, a browser must say which page asks", code="cross_site")
    shown = request.headers.get(CSRF_HEADER, "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(shown, csrf_token(secret).encode()):
        raise Forbidden(f"{CSRF_HEADER} is not that of the session", code="csrf_token_wrong")


def _is_own(request: web.Request) -> bool | None:
    """Whether a page of ours asks; None: the browser, or what asks instead, does not say."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    return None if origin is None else origin.partition("://")[2].lower() == request.host.lower()


def _with_cookie(request: web.Request, reply: Reply, value: str, max_age_s: int) -> Reply:
    cookie = f"{_name(request)}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}"
    if peers.is_encrypted(request):
        cookie += "; Secure"
    headers = {**reply.headers, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return replace(reply, headers=headers)


def _name(request: web.Request) -> str:
    """Cookies know no ports: the names of two servers on one machine must differ."""
    port = _PORT.search(request.host)
    name = f"{_NAME}-{port[1]}" if port else _NAME
    # A browser takes this name only over TLS, and never from a neighbouring host.
    return f"__Host-{name}" if peers.is_encrypted(request) else name
