"""Table `id_tokens`: every token that was ever shown to us, unique by folded key and type."""

from __future__ import annotations

from datetime import datetime

from csms.clock import from_micros, to_micros
from csms.domain.id_tokens import AuthorizationStatus, IdToken, id_token_key
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx

# Seeing a token again within a minute is not worth a write.
_SEEN_STEP_US = 60_000_000


def find(tx: ReadTx, key: str, token_type: str = "") -> IdToken | None:
    """The token with this folded key."""
    row = tx.one("SELECT * FROM id_tokens WHERE key = ? AND type = ?", (key, token_type))
    return None if row is None else _token(row)


def insert(
    tx: Tx,
    value: str,
    *,
    token_type: str = "",
    status: AuthorizationStatus = AuthorizationStatus.UNKNOWN,
    group: str | None = None,
    expires_at: datetime | None = None,
) -> int:
    """A new token; returns its row id."""
    return tx.insert(
        "INSERT INTO id_tokens (value, key, type, status, group_key, expires_at,"
        " first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            value,
            id_token_key(value),
            token_type,
            status.value,
            group,
            micros(expires_at),
            tx.now,
            tx.now,
        ),
    )


def update_seen(tx: Tx, token: IdToken) -> None:
    """The token was shown again."""
    if to_micros(token.last_seen_at) < tx.now - _SEEN_STEP_US:
        tx.run("UPDATE id_tokens SET last_seen_at = ? WHERE id = ?", (tx.now, token.id))


def _token(row: Row) -> IdToken:
    return IdToken(
        id=row["id"],
        value=row["value"],
        key=row["key"],
        type=row["type"],
        status=AuthorizationStatus(row["status"]),
        group_key=row["group_key"],
        expires_at=instant(row["expires_at"]),
        last_seen_at=from_micros(row["last_seen_at"]),
    )
