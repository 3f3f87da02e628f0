"""Authorization: what a shown id token is worth here and now."""

from __future__ import annotations

from dataclasses import replace

from csms.clock import from_micros
from csms.domain.id_tokens import (
    Authorization,
    AuthorizationStatus,
    IdToken,
    ShownToken,
    TokenPolicy,
    id_token_key,
    standing,
    standing_unknown,
)
from csms.services import id_tokens as spellings
from csms.services import quirks
from csms.store import id_tokens, transactions
from csms.store.database import ReadTx, Tx


def authorize(
    tx: Tx, shown: ShownToken, policy: TokenPolicy, *, station_id: int | None = None
) -> Authorization:
    """Judge a token that was shown; one that was never seen before is recorded for review."""
    return _judged(tx, _seen(tx, shown, policy, station_id), policy)


def authorize_transaction(
    tx: Tx,
    shown: ShownToken,
    policy: TokenPolicy,
    *,
    station_id: int,
    transaction_id: int | None = None,
) -> Authorization:
    """The same for a token that charges; it may have only so many transactions open at once.

    `transaction_id` is the row of the transaction it is for, if that is known already. Only here
    is ConcurrentTx an answer: who is asked about a token without a transaction may be about to
    stop with it.
    """
    token = _seen(tx, shown, policy, station_id)
    authorized = _judged(tx, token, policy)
    if token is None or authorized.status is not AuthorizationStatus.ACCEPTED:
        return authorized
    if token.is_master:  # OCPP 2.0.1 C16: it starts nothing
        return replace(authorized, status=AuthorizationStatus.INVALID)
    limit = token.max_open_transactions or policy.max_open_transactions
    if limit is not None:
        keys = [token.key, *map(id_token_key, id_tokens.list_aliases(tx, token.id))]
        if transactions.count_open_of_token(tx, keys, but=transaction_id) >= limit:
            return replace(authorized, status=AuthorizationStatus.CONCURRENT_TX)
    return authorized


def look_up(tx: Tx, shown: ShownToken, policy: TokenPolicy) -> Authorization | None:
    """What we know of a token that stopped a transaction; None when we know nothing.

    Stations show anything there ("HardReset", a tag with garbage behind it), and a refusal
    would land in their caches, so an unknown one is neither recorded nor judged.
    """
    token = id_tokens.find(tx, shown.key, shown.type)
    if token is None:
        meant = spellings.find_meant(tx, shown, policy.spellings)
        token = None if meant is None else meant.token
    return None if token is None else _judged(tx, token, policy)


def recall(tx: ReadTx, shown: ShownToken, status: AuthorizationStatus) -> Authorization:
    """What a token was told before, with what belongs to it."""
    token = id_tokens.find(tx, shown.key, shown.type)
    if token is None:
        return Authorization(status)
    return Authorization(status, token.expires_at, token.group_key)


def _seen(tx: Tx, shown: ShownToken, policy: TokenPolicy, station_id: int | None) -> IdToken | None:
    if not shown.key:
        # Wallbox in free mode shows an empty tag; there is nothing to record.
        return None
    token = id_tokens.find(tx, shown.key, shown.type)
    if token is None or token.status is AuthorizationStatus.UNKNOWN:
        meant = spellings.find_meant(tx, shown, policy.spellings)
        if meant is not None:
            token = meant.token
            spellings.learn(tx, token, shown)
            if station_id is not None and policy.spellings_by is not None:
                quirks.fire(tx, station_id, policy.spellings_by, meant.resemblance.value)
    if token is None:
        id_tokens.insert(tx, shown.value, token_type=shown.type, station_id=station_id)
    else:
        id_tokens.update_seen(tx, token, station_id)
    return token


def _judged(tx: Tx, token: IdToken | None, policy: TokenPolicy) -> Authorization:
    if token is None:
        return Authorization(standing_unknown(policy))
    status = standing(token, policy, from_micros(tx.now))
    return Authorization(status, token.expires_at, token.group_key)
