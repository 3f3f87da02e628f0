"""Table `sessions`: who is signed in, by the SHA-256 of the cookie."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from csms.clock import from_micros, to_micros
from csms.domain.sessions import Session
from csms.errors import NotFound
from csms.store.database import ReadTx, Row, Tx

_MICROSECOND = timedelta(microseconds=1)
# Those whose token has gone are over too.
_GOOD = (
    "s.last_used_at > ?1 AND s.expires_at > ?2 AND t.revoked_at IS NULL"
    " AND (t.expires_at IS NULL OR t.expires_at > ?2)"
)
_FROM = "FROM sessions AS s JOIN tokens AS t ON t.id = s.token_id"


def insert(
    tx: Tx,
    *,
    public_id: str,
    digest: bytes,
    token_id: int,
    valid_for: timedelta,
    address: str,
    user_agent: str,
) -> Session:
    """A new session, used now."""
    row_id = tx.insert(
        "INSERT INTO sessions (public_id, hash, token_id, created_at, last_used_at, expires_at,"
        " address, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            public_id,
            digest,
            token_id,
            tx.now,
            tx.now,
            tx.now + valid_for // _MICROSECOND,
            address,
            user_agent,
        ),
    )
    row = tx.one("SELECT * FROM sessions WHERE id = ?", (row_id,))
    assert row is not None
    return _session(row)


def get(tx: ReadTx, public_id: str) -> Session:
    """The session with this public id; raises NotFound."""
    row = tx.one("SELECT * FROM sessions WHERE public_id = ?", (public_id,))
    if row is None:
        raise NotFound("Session not found")
    return _session(row)


def find_by_digest(tx: ReadTx, digest: bytes) -> Session | None:
    """The session whose cookie has this SHA-256."""
    row = tx.one("SELECT * FROM sessions WHERE hash = ?", (digest,))
    return None if row is None else _session(row)


def list_page(
    tx: ReadTx,
    *,
    token_id: int | None,
    now: int,
    idle_for: timedelta,
    after_id: int | None,
    limit: int,
) -> list[Session]:
    """Sessions that are good, of one token or of all, oldest first."""
    rows = tx.all(
        f"SELECT s.* {_FROM} WHERE {_GOOD} AND s.id > ?3"
        " AND (?4 IS NULL OR s.token_id = ?4) ORDER BY s.id LIMIT ?5",
        (now - idle_for // _MICROSECOND, now, after_id or 0, token_id, limit),
    )
    return [_session(row) for row in rows]


def list_of_token(tx: ReadTx, token_id: int) -> list[Session]:
    """Good or not, oldest first."""
    rows = tx.all("SELECT * FROM sessions WHERE token_id = ? ORDER BY id", (token_id,))
    return [_session(row) for row in rows]


def update_uses(tx: Tx, used: Iterable[tuple[str, datetime]]) -> None:
    """Store when sessions were last used."""
    tx.many(
        "UPDATE sessions SET last_used_at = ? WHERE public_id = ?",
        [(to_micros(at), public_id) for public_id, at in used],
    )


def delete(tx: Tx, session_id: int) -> None:
    """It is over."""
    tx.run("DELETE FROM sessions WHERE id = ?", (session_id,))


def delete_over(tx: Tx, *, idle_for: timedelta) -> int:
    """Delete those that time has ended; returns how many."""
    return tx.run(
        f"DELETE FROM sessions WHERE id NOT IN (SELECT s.id {_FROM} WHERE {_GOOD})",  # noqa: S608
        (tx.now - idle_for // _MICROSECOND, tx.now),
    )


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        public_id=row["public_id"],
        token_id=row["token_id"],
        created_at=from_micros(row["created_at"]),
        last_used_at=from_micros(row["last_used_at"]),
        expires_at=from_micros(row["expires_at"]),
        address=row["address"],
        user_agent=row["user_agent"],
    )
