"""How often one may ask: per token, and per address for tokens that are not valid.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10; the commands dialect has its own.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import web

from csms.api import peers, sessions
from csms.api.deps import Deps
from csms.api.routing import SAFE_METHODS, Dialect
from csms.clock import Clock
from csms.domain.addresses import origin_of
from csms.domain.permissions import Principal
from csms.errors import TooManyRequests, Unauthenticated
from csms.services.tokens import digest

WINDOW_S = 60
# Told apart at most in one window; whoever comes after them shares what one may have.
MOST_KEYS = 10_000
_MOST_FAMILIAR = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands in the present window."""

    name: str
    limit: int
    used: int
    reset_s: int
    resets_at: int
    """Unix time."""

    @property
    def remaining(self) -> int:
        """How many more are heard."""
        return max(self.limit - self.used, 0)

    @property
    def exceeded(self) -> bool:
        """This one is not."""
        return self.used > self.limit

    def headers(self, dialect: Dialect) -> dict[str, str]:
        """Told with every answer to a token."""
        if dialect is Dialect.COMMANDS:
            told = {
                "X-RateLimit-Limit": str(self.limit),
                "X-RateLimit-Remaining": str(self.remaining),
            }
            return {**told, "X-RateLimit-Reset": str(self.resets_at)} if self.exceeded else told
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.reset_s}',
        }


STANDING = web.RequestKey("standing", Standing)


class Window:
    """Counts per key, from the beginning of the present minute on."""

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock = clock
        self._name = name
        self._window = -1
        self._used: dict[str, int] = {}

    def take(self, key: str, limit: int) -> Standing:
        """Count one more."""
        standing = self.next(key, limit)
        self._used[self._slot(key)] = standing.used
        return standing

    def next(self, key: str, limit: int) -> Standing:
        """How one more would stand."""
        now_s = self._clock.monotonic()
        window = int(now_s // WINDOW_S)
        if window != self._window:
            self._window = window
            self._used.clear()
        reset_s = math.ceil(WINDOW_S - now_s % WINDOW_S)
        resets_at = int(self._clock.now().timestamp()) + reset_s
        used = self._used.get(self._slot(key), 0) + 1
        return Standing(self._name, limit, used, reset_s, resets_at)

    def _slot(self, key: str) -> str:
        return key if key in self._used or len(self._used) < MOST_KEYS else ""


class Limits:
    """The two limits of an application; a limit of 0 is none."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._requests = Window(deps.clock, "token")
        self._failures = Window(deps.clock, "address")
        self._familiar: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    async def caller(self, request: web.Request) -> Principal:
        """Who asks, once more; raises Unauthenticated or TooManyRequests."""
        principal = await self._caller(request)
        limit = self._deps.settings.requests_per_minute
        if limit:
            self._stands(request, self._requests.take(principal.id, limit))
        return principal

    async def bearer_of(self, request: web.Request, token: str) -> Principal:
        """Whose token it is that a person typed in; raises as `caller` does."""
        return await self._known(request, f"Bearer {token}", None)

    async def _caller(self, request: web.Request) -> Principal:
        authorization = request.headers.get("Authorization")
        cookie = None if authorization is not None else sessions.cookie_of(request)
        principal = await self._known(request, authorization, cookie)
        # No other site can make a browser send a bearer token, so nothing more is asked of one.
        if cookie is not None and request.method not in SAFE_METHODS:
            sessions.require_csrf(request, cookie)
        return principal

    async def _known(
        self, request: web.Request, authorization: str | None, cookie: str | None
    ) -> Principal:
        origin, auth = origin_of(peers.address_of(request)), self._deps.auth
        presented = (origin, digest(authorization or cookie or ""))
        limit = self._deps.settings.failed_tokens_per_minute
        # Whoever shares the address with one that guesses is heard all the same, with the token
        # that was good before.
        if limit and presented not in self._familiar:
            self._stands(request, self._failures.next(origin, limit), heard=False)
        try:
            if cookie is None:
                principal = await auth.principal(authorization)
            else:
                principal = await auth.signed_in(cookie)
        except Unauthenticated:
            self._familiar.pop(presented, None)
            if authorization or cookie:  # who shows none is not trying any
                self._failures.take(origin, limit)
            raise
        self._familiar[presented] = None
        self._familiar.move_to_end(presented)
        if len(self._familiar) > _MOST_FAMILIAR:
            self._familiar.popitem(last=False)
        return principal

    @staticmethod
    def _stands(request: web.Request, standing: Standing, *, heard: bool = True) -> None:
        if heard or standing.exceeded:
            request[STANDING] = standing
        if standing.exceeded:
            raise TooManyRequests(standing.reset_s)


LIMITS = web.AppKey("limits", Limits)
