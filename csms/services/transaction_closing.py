"""Transactions that a person ends because their stations never will."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import orjson

from csms.clock import from_micros
from csms.domain.transactions import Transaction, TransactionFlag
from csms.errors import Conflict, Invalid
from csms.services import transaction_ends, transaction_news
from csms.store import transactions
from csms.store.database import Tx


def close(
    tx: Tx, transaction: Transaction, *, reason: str, ended_at: datetime | None, by: str
) -> None:
    """End it by the last register that is known; a stop of the station's own still counts.

    Raises Conflict when it is over, and Invalid for an end before its beginning or to come.
    """
    if not transaction.is_open:
        raise Conflict("The transaction has ended", code="already_ended")
    _check(ended_at, transaction, from_micros(tx.now))
    ended = replace(
        transaction,
        end_register_mwh=transaction.last_register_mwh,
        ended_at=ended_at,
        end_received_at=from_micros(tx.now),
        stop_reason=None,
        charging_state=None,
        flags=transaction.flags | {TransactionFlag.INFERRED_END, TransactionFlag.CLOSED},
    )
    # In OCPP 2.x the events themselves say whether the register fell.
    if transaction.last_seq_no is None:
        ended = transaction_ends.judged(tx, ended)
    transactions.end_inferred(tx, ended, orjson.dumps({"reason": reason, "by": by}).decode())
    transaction_news.ended(tx, ended)


def _check(ended_at: datetime | None, transaction: Transaction, now: datetime) -> None:
    if ended_at is None:
        return
    if ended_at > now:
        raise Invalid("is in the future", loc=("ended_at",))
    if transaction.started_at is not None and ended_at < transaction.started_at:
        raise Invalid("is before the start", loc=("ended_at",))
