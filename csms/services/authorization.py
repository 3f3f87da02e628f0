"""Authorization: what a shown id token is worth here and now."""

from __future__ import annotations

from csms.clock import from_micros
from csms.domain.id_tokens import (
    Authorization,
    AuthorizationStatus,
    TokenPolicy,
    id_token_key,
    standing,
    standing_unknown,
)
from csms.store import id_tokens, transactions
from csms.store.database import ReadTx, Tx


def authorize(tx: Tx, value: str, policy: TokenPolicy) -> Authorization:
    """Judge a token that wants to charge; one that was never seen before is recorded."""
    key = id_token_key(value)
    if not key:
        # Wallbox in free mode shows an empty tag; there is nothing to record.
        status = standing_unknown(policy)
        return Authorization(status, None, None)
    token = id_tokens.find(tx, key)
    if token is None:
        id_tokens.insert(tx, value)
        status, expires_at, group = standing_unknown(policy), None, None
    else:
        id_tokens.update_seen(tx, token)
        status = standing(token, policy, from_micros(tx.now))
        expires_at, group = token.expires_at, token.group_key
    if (
        status is AuthorizationStatus.ACCEPTED
        and policy.max_open_transactions is not None
        and transactions.count_open_of_token(tx, key) >= policy.max_open_transactions
    ):
        status = AuthorizationStatus.CONCURRENT_TX
    return Authorization(status, expires_at, group)


def look_up(tx: ReadTx, value: str, policy: TokenPolicy, now_us: int) -> Authorization | None:
    """What we know of a token that stopped a transaction; None when we know nothing.

    Stations show anything there ("HardReset", a tag with garbage behind it), and a refusal
    would land in their caches, so an unknown one is neither recorded nor judged.
    """
    token = id_tokens.find(tx, id_token_key(value))
    if token is None:
        return None
    return Authorization(
        standing(token, policy, from_micros(now_us)), token.expires_at, token.group_key
    )
