"""Making, finding and revoking the bearer tokens of the API."""

from __future__ import annotations

import hashlib
import secrets
import string
from datetime import datetime

from csms.domain.permissions import Principal, Role, Scope
from csms.domain.tokens import Token, TokenSource
from csms.errors import Conflict, Forbidden, Invalid
from csms.events import Event
from csms.store import locations, tokens
from csms.store.database import Database, ReadTx, Tx

_ALPHABET = string.ascii_letters + string.digits
_ID_LENGTH = 10
_SECRET_LENGTH = 32  # 190 bit
# Contract: an operator may choose the string, but not a guessable one.
SHORTEST_CHOSEN = 16


def digest(bearer: str) -> bytes:
    """What is stored and looked up: SHA-256 of the whole string."""
    return hashlib.sha256(bearer.encode("utf-8", "surrogateescape")).digest()


def create(
    tx: Tx,
    *,
    name: str,
    role: Role,
    location_ids: frozenset[int] | None = None,
    source: TokenSource = TokenSource.CREATED,
    expires_at: datetime | None = None,
    scopes: frozenset[Scope] | None = None,
) -> tuple[Token, str]:
    """A new token and the string that is shown once; raises NotFound for a dead location."""
    for location_id in location_ids or ():
        locations.get(tx, location_id)
    public_id = _random(_ID_LENGTH)
    bearer = f"csms_{public_id}_{_random(_SECRET_LENGTH)}"
    token = tokens.insert(
        tx,
        public_id=public_id,
        name=name,
        digest=digest(bearer),
        role=role,
        location_ids=location_ids,
        source=source,
        expires_at=expires_at,
        scopes=scopes,
    )
    _announce(tx, "token.created", token)
    return token, bearer


def change(tx: Tx, token: Token) -> Token:
    """The token as given, in force from the commit on; its value stays.

    Raises Conflict for one that was revoked or that a start of the server makes.
    """
    before = tokens.get(tx, token.public_id)
    if before.revoked_at is not None:
        raise Conflict("the token is revoked", code="token_revoked")
    if before.source is not TokenSource.CREATED:
        raise Conflict("this token is the server's own and stays as it is", code="token_fixed")
    tokens.update(tx, token)
    _announce(tx, "token.updated", token)
    return token


def require_grantable(giver: Principal, token: Principal) -> None:
    """Nobody gives more than they have; raises Forbidden."""
    excess = token.scopes - giver.scopes
    if excess:
        missing = ", ".join(sorted(scope.value for scope in excess))
        raise Forbidden(f"You cannot give what you do not have: {missing}")


def revoke(tx: Tx, public_id: str) -> Token:
    """Refuse the token from the commit on; revoking twice is fine. Raises NotFound."""
    token = tokens.get(tx, public_id)
    if token.revoked_at is None:
        _revoke(tx, token)
    return tokens.get(tx, public_id)


async def ensure_environment_token(db: Database, value: str | None) -> None:
    """An admin token with exactly this value exists; the one of a former value is revoked."""
    if value is not None and len(value) < SHORTEST_CHOSEN:
        raise Invalid(f"CSMS_ADMIN_TOKEN needs at least {SHORTEST_CHOSEN} characters")
    await db.write(lambda tx: _ensure_environment_token(tx, value))


async def renew_cli_token(db: Database) -> str:
    """A new value for the admin token of this machine's commands; the last start's is dead.

    The token stays the same one, so that what it has submitted goes on being its own.
    """

    def renew(tx: Tx) -> str:
        for token in tokens.list_all(tx, source=TokenSource.CLI):
            if token.revoked_at is None:
                bearer = f"csms_{token.public_id}_{_random(_SECRET_LENGTH)}"
                tokens.update_digest(tx, token.id, digest(bearer))
                return bearer
        _, bearer = create(tx, name="command line", role=Role.ADMIN, source=TokenSource.CLI)
        return bearer

    return await db.write(renew)


def has_admin(tx: ReadTx, now: datetime) -> bool:
    """Whether somebody may do everything; the command line on this machine is nobody."""
    return any(
        token.role is Role.ADMIN
        and token.location_ids is None
        and token.source is not TokenSource.CLI
        and token.scopes is None
        and token.valid_at(now)
        for token in tokens.list_all(tx)
    )


def _ensure_environment_token(tx: Tx, value: str | None) -> None:
    wanted = None if value is None else digest(value)
    current = None if wanted is None else tokens.find_by_digest(tx, wanted)
    for token in tokens.list_all(tx, source=TokenSource.ENVIRONMENT):
        if token.revoked_at is None and (current is None or token.id != current.id):
            _revoke(tx, token)
    if current is not None:
        tokens.update_to_environment_admin(tx, current.id)
    elif wanted is not None:
        token = tokens.insert(
            tx,
            public_id=_random(_ID_LENGTH),
            name="CSMS_ADMIN_TOKEN",
            digest=wanted,
            role=Role.ADMIN,
            location_ids=None,
            source=TokenSource.ENVIRONMENT,
            expires_at=None,
        )
        _announce(tx, "token.created", token)


def _revoke(tx: Tx, token: Token) -> None:
    tokens.revoke(tx, token.id)
    _announce(tx, "token.revoked", token)


def _announce(tx: Tx, what: str, token: Token) -> None:
    data = {"id": token.public_id, "name": token.name, "role": token.role.value}
    tx.emit(Event(what, data))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
