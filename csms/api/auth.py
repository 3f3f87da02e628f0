"""Bearer tokens: the string in the header → who calls, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.permissions import Principal, Scope
from csms.domain.tokens import Token
from csms.errors import Forbidden, Unauthenticated
from csms.events import Bus, Event
from csms.services.tokens import digest
from csms.store import tokens
from csms.store.database import Database

_MOST_CACHED = 1000
_CACHED_FOR = timedelta(seconds=60)
# Longer than any token of ours; a megabyte in a header is not worth a hash.
_LONGEST_BEARER = 512


@dataclass(frozen=True, slots=True)
class _Known:
    token: Token
    until: datetime


class Authenticator:
    """Looks tokens up by digest, with a small cache that a revocation empties."""

    def __init__(self, *, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._used: dict[str, datetime] = {}
        self._revocations = 0
        bus.subscribe(Event, self._on_event)

    async def principal(self, authorization: str | None) -> Principal:
        """The caller behind an Authorization header; raises Unauthenticated."""
        key = digest(_bearer(authorization))
        now = self._clock.now()
        known = self._known.get(key)
        token = known.token if known is not None and now < known.until else None
        if token is None:
            token = await self._look_up(key, now)
        if not token.valid_at(now):
            raise Unauthenticated("The token is not valid.")
        self._used[token.public_id] = now
        return token.principal

    async def flush(self) -> None:
        """Store when tokens were last used; called now and then, and at the end."""
        used, self._used = self._used, {}
        if used:
            await self._db.write(lambda tx: tokens.flush_uses(tx, used.items()))

    async def _look_up(self, key: bytes, now: datetime) -> Token:
        revocations = self._revocations
        token = await self._db.read(lambda tx: tokens.find_by_digest(tx, key))
        if token is None:
            raise Unauthenticated("The token is not valid.")
        # A revocation that came while we read must not be undone by an older row.
        if revocations == self._revocations:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            self._known[key] = _Known(token, now + _CACHED_FOR)
        return token

    def _on_event(self, event: Event) -> None:
        if event.type.startswith("token."):
            self._revocations += 1
            self._known.clear()


def require(principal: Principal, scope: Scope) -> None:
    """Raises Forbidden when the role lacks the scope."""
    if not principal.may(scope):
        raise Forbidden(f"The token's role {principal.role.value} does not include {scope.value}.")


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise Unauthenticated("A bearer token is required.")
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not 0 < len(value) <= _LONGEST_BEARER:
        raise Unauthenticated("The Authorization header must read: Bearer <token>.")
    return value
