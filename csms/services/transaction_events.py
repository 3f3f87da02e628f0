"""TransactionEvent of OCPP 2.x: every message about a transaction, in whatever order.

Nothing here refuses a message (OCPP 2.0.1 E01: a TransactionEvent cannot be rejected).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.id_tokens import (
    Authorization,
    AuthorizationStatus,
    ShownToken,
    TokenPolicy,
    standing_unknown,
)
from csms.domain.transaction_events import (
    ENDED,
    STARTED,
    TransactionEvent,
    TransactionReport,
    follow,
    inferred_end_stands,
    is_next,
    keep_inferred_end,
    reopened,
    repeats,
    retell,
)
from csms.domain.transactions import ConflictCause, Transaction
from csms.services import (
    authorization,
    inferred_ends,
    prices,
    reconciliation,
    transaction_news,
)
from csms.store import meter_values, transaction_events, transactions
from csms.store.database import Tx

ACTION = "TransactionEvent"


class Recorded(NamedTuple):
    """What to answer."""

    authorized: Authorization | None
    """About its token, if it shows one."""
    cost_micros: int | None = None
    """Of the transaction that it ended, if that is known."""


def record(tx: Tx, station_id: int, report: TransactionReport, policy: TokenPolicy) -> Recorded:
    """Store an event and what follows from it."""
    event, run = report.event, 0
    if report.station_transaction_id is None:
        return Recorded(_record_astray(tx, station_id, report, policy))
    known = transactions.find(tx, station_id, report.station_transaction_id)
    if known is not None:
        alike = transaction_events.list_alike(tx, known.id, event.seq_no, report.raw)
        # Before authorization, so that a repeated start does not meet its own ConcurrentTx.
        for earlier in alike:
            if repeats(event, earlier):
                return Recorded(_recall(tx, earlier), _final_cost(known, event))
        run = _run(known, alike)
        if run > known.sequence_run and not known.awaits_stop:
            # A station that gives an old id to a new transaction.
            _record_conflict(tx, station_id, report, ConflictCause.ENDED)
    authorized = _authorize(tx, station_id, event, policy, known)
    event = replace(
        event,
        run=run,
        received_at=from_micros(tx.now),
        id_token_status=None if authorized is None else authorized.status.value,
    )
    before = known or transactions.insert_untold(tx, station_id, report.station_transaction_id)
    transaction_events.insert(tx, before.id, event, report.raw)
    after = _told(tx, before, event)
    if not after.is_open:
        after = prices.priced(tx, after)
    transactions.update_told(tx, after)
    if report.readings:
        evse_id = after.evse_id if event.evse_id is None else event.evse_id
        meter_values.insert(tx, station_id, evse_id or 0, after.id, report.readings)
    # What is replayed tells of the past, not of what goes on now.
    if event.type == STARTED and not event.offline:
        inferred_ends.by_start(
            tx, station_id, after.evse_id, after.started_at, report.raw, of=after.id
        )
    _tell(tx, known, after)
    return Recorded(authorized, _final_cost(after, event))


def _record_astray(
    tx: Tx, station_id: int, report: TransactionReport, policy: TokenPolicy
) -> Authorization | None:
    """A message that does not say which transaction it is about."""
    _record_conflict(tx, station_id, report, ConflictCause.UNKNOWN)
    meter_values.insert(tx, station_id, report.event.evse_id or 0, None, report.readings)
    return _authorize(tx, station_id, report.event, policy, None)


def _run(known: Transaction, alike: list[TransactionEvent]) -> int:
    """A number that another event has already shows that the station counts anew."""
    taken = any(earlier.run == known.sequence_run for earlier in alike)
    return known.sequence_run + 1 if taken else known.sequence_run


def _authorize(
    tx: Tx,
    station_id: int,
    event: TransactionEvent,
    policy: TokenPolicy,
    known: Transaction | None,
) -> Authorization | None:
    if event.id_token is None:
        return None
    shown = ShownToken(event.id_token, event.id_token_type or "")
    if event.stops or (known is not None and not known.awaits_stop):
        # The charging is over, so there is nothing to refuse and nobody to record.
        found = authorization.look_up(tx, shown, policy)
        return found or Authorization(standing_unknown(policy))
    transaction_id = None if known is None else known.id
    return authorization.authorize_transaction(
        tx, shown, policy, station_id=station_id, transaction_id=transaction_id
    )


def _final_cost(transaction: Transaction, event: TransactionEvent) -> int | None:
    """What the transaction cost in all, for the event that ended it."""
    ended_it = event.type == ENDED and event.reported_at == transaction.ended_at
    return transaction.cost_micros if ended_it else None


def _recall(tx: Tx, earlier: TransactionEvent) -> Authorization | None:
    if earlier.id_token is None or earlier.id_token_status is None:
        return None
    shown = ShownToken(earlier.id_token, earlier.id_token_type or "")
    return authorization.recall(tx, shown, AuthorizationStatus(earlier.id_token_status))


def _told(tx: Tx, before: Transaction, event: TransactionEvent) -> Transaction:
    if is_next(event, before):
        told = follow(reopened(before) if before.is_end_inferred else before, event)
    else:
        told = retell(before, transaction_events.list_in_order(tx, before.id))
    if before.is_end_inferred and inferred_end_stands(before, told, event):
        return keep_inferred_end(before, told)
    return told


def _tell(tx: Tx, before: Transaction | None, after: Transaction) -> None:
    if not after.awaits_stop and (before is None or before.awaits_stop):
        transaction_news.ended(tx, after)
    elif before is None:
        transaction_news.started(
            tx,
            after.station_id,
            uuid=after.uuid,
            evse_id=after.evse_id,
            station_transaction_id=after.station_transaction_id,
            id_token_status=after.id_token_status,
        )
    elif _shown(before) != _shown(after):
        transaction_news.updated(
            tx,
            after.station_id,
            uuid=after.uuid,
            evse_id=after.evse_id,
            charging_state=after.charging_state,
        )


def _shown(transaction: Transaction) -> tuple[object, ...]:
    """What is worth an event when it changes; the energy only when it should be final."""
    return (
        transaction.is_open,
        transaction.evse_id,
        transaction.connector_id,
        transaction.charging_state,
        transaction.id_token,
        transaction.id_token_status,
        None if transaction.is_open else transaction.energy_mwh,
    )


def _record_conflict(
    tx: Tx, station_id: int, report: TransactionReport, cause: ConflictCause
) -> None:
    event = report.event if report.station_transaction_id is None else None
    reconciliation.record(
        tx,
        station_id,
        action=ACTION,
        cause=cause,
        station_transaction_id=report.station_transaction_id or "",
        raw=report.raw,
        distinct=report.raw,
        evse_id=None if event is None else event.evse_id,
        sampled_at=None if event is None else event.reported_at,
        event=event,
    )
