"""Signing in to the page: a session is begun for a token, and ended."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata

from csms.domain.sessions import IDLE_FOR, MOST_OF_TOKEN, VALID_FOR, Session
from csms.domain.tokens import Token
from csms.events import Event
from csms.services.tokens import digest
from csms.store import sessions
from csms.store.database import Tx

_ID_BYTES = 8
_SECRET_BYTES = 32
_LONGEST_AGENT = 200


def begin(
    tx: Tx, token: Token, *, address: str, user_agent: str, instead_of: str | None
) -> tuple[Session, str]:
    """A new session and what its cookie says; the one of the former cookie is over."""
    if instead_of is not None:
        former = sessions.find_by_digest(tx, digest(instead_of))
        if former is not None:
            end(tx, former)
    for one in sessions.list_of_token(tx, token.id)[: 1 - MOST_OF_TOKEN or None]:
        end(tx, one)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    session = sessions.insert(
        tx,
        public_id=secrets.token_hex(_ID_BYTES),
        digest=digest(secret),
        token_id=token.id,
        valid_for=VALID_FOR,
        address=address,
        user_agent=_plain(user_agent),
    )
    tx.emit(Event("session.started", {"id": session.public_id, "token": token.public_id}))
    return session, secret


def end(tx: Tx, session: Session) -> None:
    """Refuse its cookie from the commit on."""
    sessions.delete(tx, session.id)
    tx.emit(Event("session.ended", {"id": session.public_id}))


def forget_over(tx: Tx) -> int:
    """Drop those that time has ended; returns how many."""
    return sessions.delete_over(tx, idle_for=IDLE_FOR)


def csrf_token(secret: str) -> str:
    """What a page of ours knows and another site's does not: told in an answer, never a cookie."""
    return hashlib.sha256(b"csrf " + secret.encode()).hexdigest()


def _plain(text: str) -> str:
    # Whatever a browser says it is, it is shown to people.
    return "".join(c for c in text if unicodedata.category(c)[0] != "C")[:_LONGEST_AGENT]
