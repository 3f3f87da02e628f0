"""Authorization: what a shown id token is worth here and now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

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
from csms.services.id_tokens import Hint
from csms.store import id_tokens, transactions
from csms.store.database import ReadTx, Tx


def authorize(
    tx: Tx, shown: ShownToken, policy: TokenPolicy, *, station_id: int | None = None
) -> Authorization:
    """Judge a token that was shown; one that was never seen before is recorded for review."""
    return _judged(_seen(tx, shown, policy, station_id), policy, from_micros(tx.now))


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
    authorized = _judged(token, policy, from_micros(tx.now))
    return _charging(tx, token, authorized, policy, transaction_id)


class Preview(NamedTuple):
    """What a token would be told, nothing being recorded."""

    token: IdToken | None
    """The known one that it is or means."""
    asked: Authorization
    """To a station that asks about it."""
    charging: Authorization
    """At the start of a transaction."""


def preview(tx: ReadTx, shown: ShownToken, policy: TokenPolicy, now: datetime) -> Preview:
    """Judge a token that nobody has shown."""
    token, meant = _known(tx, shown, policy)
    token = token if meant is None else meant.token
    asked = _judged(token, policy, now)
    return Preview(token, asked, _charging(tx, token, asked, policy, None))


def _charging(
    tx: ReadTx,
    token: IdToken | None,
    authorized: Authorization,
    policy: TokenPolicy,
    transaction_id: int | None,
) -> Authorization:
    """What one that is worth so much is told at the start of a transaction."""
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
    return None if token is None else _judged(token, policy, from_micros(tx.now))


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
    token, meant = _known(tx, shown, policy)
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


def _known(
    tx: ReadTx, shown: ShownToken, policy: TokenPolicy
) -> tuple[IdToken | None, Hint | None]:
    """The token itself, and which other one it means when nobody has decided about it."""
    if not shown.key:
        return None, None
    token = id_tokens.find(tx, shown.key, shown.type)
    if token is not None and token.status is not AuthorizationStatus.UNKNOWN:
        return token, None
    return token, spellings.find_meant(tx, shown, policy.spellings)


def _judged(token: IdToken | None, policy: TokenPolicy, now: datetime) -> Authorization:
    if token is None:
        return Authorization(standing_unknown(policy))
    status = standing(token, policy, now)
    return Authorization(status, token.expires_at, token.group_key)
