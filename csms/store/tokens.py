"""Table `tokens`: bearer tokens by the SHA-256 of the whole string."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from csms.clock import from_micros, to_micros
from csms.domain.permissions import SYSTEM, Role, Scope
from csms.domain.tokens import Token, TokenSource
from csms.errors import NotFound
from csms.store import columns
from csms.store.columns import instant
from csms.store.database import ReadTx, Row, Tx

_KNOWN = frozenset(scope.value for scope in Scope)


def insert(
    tx: Tx,
    *,
    public_id: str,
    name: str,
    digest: bytes,
    role: Role,
    location_ids: frozenset[int] | None,
    source: TokenSource,
    expires_at: datetime | None,
    scopes: frozenset[Scope] | None = None,
) -> Token:
    """A new token."""
    row_id = tx.insert(
        "INSERT INTO tokens (public_id, name, hash, role, location_ids, source, created_at,"
        " expires_at, scopes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            public_id,
            name,
            digest,
            role.value,
            _list(location_ids),
            source.value,
            tx.now,
            columns.micros(expires_at),
            _list(scopes),
        ),
    )
    return get_by_id(tx, row_id)


def get(tx: ReadTx, public_id: str) -> Token:
    """The token with this public id, revoked or not; raises NotFound."""
    return _token(_existing(tx.one("SELECT * FROM tokens WHERE public_id = ?", (public_id,))))


def check_principal(tx: ReadTx, principal: str | None) -> None:
    """Whether there is or was such a token, or it is ourselves; raises NotFound."""
    if principal not in {None, SYSTEM.id}:
        _existing(tx.one("SELECT 1 FROM tokens WHERE public_id = ?", (principal,)))


def get_by_id(tx: ReadTx, token_id: int) -> Token:
    """The token with this row id, revoked or not; raises NotFound."""
    return _token(_existing(tx.one("SELECT * FROM tokens WHERE id = ?", (token_id,))))


def find_by_digest(tx: ReadTx, digest: bytes) -> Token | None:
    """The token whose whole string has this SHA-256, revoked or not."""
    row = tx.one("SELECT * FROM tokens WHERE hash = ?", (digest,))
    return None if row is None else _token(row)


def list_page(tx: ReadTx, *, after_id: int | None, limit: int) -> list[Token]:
    """Tokens of any kind, oldest first."""
    rows = tx.all("SELECT * FROM tokens WHERE id > ? ORDER BY id LIMIT ?", (after_id or 0, limit))
    return [_token(row) for row in rows]


def list_all(tx: ReadTx, *, source: TokenSource | None = None) -> list[Token]:
    """Every token ever made, or those of one source, oldest first."""
    if source is None:
        rows = tx.all("SELECT * FROM tokens ORDER BY id")
    else:
        rows = tx.all("SELECT * FROM tokens WHERE source = ? ORDER BY id", (source.value,))
    return [_token(row) for row in rows]


def update(tx: Tx, token: Token) -> None:
    """The token is as given from the commit on: its name, its expiry and what it may do."""
    tx.run(
        "UPDATE tokens SET name = ?, role = ?, scopes = ?, location_ids = ?, expires_at = ?"
        " WHERE id = ?",
        (
            token.name,
            token.role.value,
            _list(token.scopes),
            _list(token.location_ids),
            columns.micros(token.expires_at),
            token.id,
        ),
    )


def update_to_environment_admin(tx: Tx, token_id: int) -> None:
    """Whatever the token was, it is the operator's own admin token from now on."""
    tx.run(
        "UPDATE tokens SET role = ?, scopes = NULL, location_ids = NULL, source = ?,"
        " expires_at = NULL, revoked_at = NULL WHERE id = ?",
        (Role.ADMIN.value, TokenSource.ENVIRONMENT.value, token_id),
    )


def update_digest(tx: Tx, token_id: int, digest: bytes) -> None:
    """The token has another value from the commit on."""
    tx.run("UPDATE tokens SET hash = ? WHERE id = ?", (digest, token_id))


def revoke(tx: Tx, token_id: int) -> None:
    """The token is refused from the commit on; its row stays."""
    tx.run(
        "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (tx.now, token_id)
    )


def flush_uses(tx: Tx, used: Iterable[tuple[str, datetime]]) -> None:
    """Store when tokens were last used."""
    tx.many(
        "UPDATE tokens SET last_used_at = ? WHERE public_id = ?",
        [(to_micros(at), public_id) for public_id, at in used],
    )


def _list(values: frozenset[int] | frozenset[Scope] | None) -> str | None:
    return None if values is None else columns.to_json(sorted(values))


def _existing(row: Row | None) -> Row:
    if row is None:
        raise NotFound("Token not found")
    return row


def _token(row: Row) -> Token:
    location_ids = columns.from_json(row["location_ids"])
    scopes = columns.from_json(row["scopes"])
    return Token(
        id=row["id"],
        public_id=row["public_id"],
        name=row["name"],
        role=Role(row["role"]),
        location_ids=None if location_ids is None else frozenset(location_ids),
        source=TokenSource(row["source"]),
        created_at=from_micros(row["created_at"]),
        expires_at=instant(row["expires_at"]),
        last_used_at=instant(row["last_used_at"]),
        revoked_at=instant(row["revoked_at"]),
        # A scope that a later release made is nothing to this one.
        scopes=None if scopes is None else frozenset(Scope(s) for s in scopes if s in _KNOWN),
    )
