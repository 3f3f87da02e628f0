"""Authorization: what a shown id token is worth here and now."""

from __future__ import annotations

from csms.clock import from_micros
from csms.domain.id_tokens import (
    Authorization,
    AuthorizationStatus,
    IdToken,
    ShownToken,
    TokenPolicy,
    standing,
    standing_unknown,
)
from csms.store import id_tokens, transactions
from csms.store.database import ReadTx, Tx


def authorize(
    tx: Tx, shown: ShownToken, policy: TokenPolicy, *, transaction_id: int | None = None
) -> Authorization:
    """Judge a token that wants to charge; one that was never seen before is recorded.

    `transaction_id` is the row of the transaction it is for, if that is known already.
    """
    key = shown.key
    if not key:
        # Wallbox in free mode shows an empty tag; there is nothing to record.
        return Authorization(standing_unknown(policy))
    token = id_tokens.find(tx, key, shown.type)
    if token is None:
        id_tokens.insert(tx, shown.value, token_type=shown.type)
        authorized = Authorization(standing_unknown(policy))
    else:
        id_tokens.update_seen(tx, token)
        authorized = _judged(tx, token, policy)
    if (
        authorized.status is AuthorizationStatus.ACCEPTED
        and policy.max_open_transactions is not None
        and transactions.count_open_of_token(tx, key, but=transaction_id)
        >= policy.max_open_transactions
    ):
        return Authorization(
            AuthorizationStatus.CONCURRENT_TX, authorized.expires_at, authorized.group
        )
    return authorized


def look_up(tx: Tx, shown: ShownToken, policy: TokenPolicy) -> Authorization | None:
    """What we know of a token that stopped a transaction; None when we know nothing.

    Stations show anything there ("HardReset", a tag with garbage behind it), and a refusal
    would land in their caches, so an unknown one is neither recorded nor judged.
    """
    token = id_tokens.find(tx, shown.key, shown.type)
    return None if token is None else _judged(tx, token, policy)


def recall(tx: ReadTx, shown: ShownToken, status: AuthorizationStatus) -> Authorization:
    """What a token was told before, with what belongs to it."""
    token = id_tokens.find(tx, shown.key, shown.type)
    if token is None:
        return Authorization(status)
    return Authorization(status, token.expires_at, token.group_key)


def _judged(tx: Tx, token: IdToken, policy: TokenPolicy) -> Authorization:
    status = standing(token, policy, from_micros(tx.now))
    return Authorization(status, token.expires_at, token.group_key)
