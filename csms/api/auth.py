"""Bearer tokens and the page's cookie: what is shown → who calls, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.permissions import Principal, Scope
from csms.domain.sessions import Session
from csms.domain.tokens import Token
from csms.errors import Forbidden, Unauthenticated
from csms.events import Bus, Event
from csms.services import sessions as session_service
from csms.services.tokens import digest
from csms.store import sessions, tokens
from csms.store.database import Database, ReadTx, Tx

_MOST_CACHED = 1000
_CACHED_FOR = timedelta(seconds=60)
# Longer than any token of ours; a megabyte in a header is not worth a hash.
_LONGEST_BEARER = 512


@dataclass(frozen=True, slots=True)
class _Known:
    token: Token
    session: Session | None
    until: datetime


_Found = tuple[Token, Session | None]


class Authenticator:
    """Looks tokens and sessions up by digest, with a small cache that a revocation empties."""

    def __init__(self, *, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._used: dict[str, datetime] = {}
        self._sessions_used: dict[str, datetime] = {}
        self._revocations = 0
        bus.subscribe(Event, self._on_event)

    async def principal(self, authorization: str | None) -> Principal:
        """The caller behind an Authorization header; raises Unauthenticated."""
        return self._valid((await self._known_by(digest(_bearer(authorization)), _by_bearer)).token)

    async def signed_in(self, cookie: str) -> Principal:
        """The caller behind the page's cookie, which counts as used; raises Unauthenticated."""
        known = await self._known_by(digest(cookie), _by_cookie)
        session, now = known.session, self._clock.now()
        assert session is not None
        used_at = self._sessions_used.get(session.public_id, session.last_used_at)
        if session.ends_at(used_at) <= now:
            raise Unauthenticated("The session is over; sign in again.")
        principal = self._valid(known.token)
        self._sessions_used[session.public_id] = now
        ends_at = session.ends_at(now)
        if principal.expires_at is not None:
            ends_at = min(ends_at, principal.expires_at)
        return replace(principal, expires_at=ends_at, session_id=session.public_id)

    async def flush(self) -> None:
        """Store when tokens were last used; called now and then, and at the end."""
        used, self._used = self._used, {}
        signed_in, self._sessions_used = self._sessions_used, {}

        def store(tx: Tx) -> None:
            tokens.flush_uses(tx, used.items())
            sessions.update_uses(tx, signed_in.items())
            if signed_in:
                session_service.forget_over(tx)

        if used or signed_in:
            await self._db.write(store)

    def _valid(self, token: Token) -> Principal:
        now = self._clock.now()
        if not token.valid_at(now):
            raise Unauthenticated("The token is not valid.")
        self._used[token.public_id] = now
        return token.principal

    async def _known_by(self, key: bytes, find: Callable[[ReadTx, bytes], _Found]) -> _Known:
        now = self._clock.now()
        known = self._known.get(key)
        if known is not None and now < known.until:
            return known
        revocations = self._revocations
        token, session = await self._db.read(lambda tx: find(tx, key))
        known = _Known(token, session, now + _CACHED_FOR)
        # A revocation that came while we read must not be undone by an older row.
        if revocations == self._revocations:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            self._known[key] = known
        return known

    def _on_event(self, event: Event) -> None:
        if event.type.startswith("token.") or event.type == "session.ended":
            self._revocations += 1
            self._known.clear()


def require(principal: Principal, scope: Scope) -> None:
    """Raises Forbidden when the token lacks the scope."""
    if not principal.may(scope):
        whose = "token" if principal.only is not None else f"token's role {principal.role.value}"
        raise Forbidden(f"The {whose} does not include {scope.value}.")


def _by_bearer(tx: ReadTx, key: bytes) -> _Found:
    token = tokens.find_by_digest(tx, key)
    if token is None:
        raise Unauthenticated("The token is not valid.")
    return token, None


def _by_cookie(tx: ReadTx, key: bytes) -> _Found:
    session = sessions.find_by_digest(tx, key)
    if session is None:
        raise Unauthenticated("The session is over; sign in again.")
    return tokens.get_by_id(tx, session.token_id), session


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise Unauthenticated("A bearer token is required.")
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not 0 < len(value) <= _LONGEST_BEARER:
        raise Unauthenticated("The Authorization header must read: Bearer <token>.")
    return value
