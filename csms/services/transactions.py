"""Transactions of OCPP 1.6: starts and stops, repeated, late, strange or plain.

Nothing here refuses a message: what cannot be applied is recorded and answered, because a
station repeats for ever what it is refused.
"""

from __future__ import annotations

from dataclasses import replace

from csms.domain.id_tokens import (
    Authorization,
    AuthorizationStatus,
    ShownToken,
    TokenPolicy,
    id_token_key,
    standing_unknown,
)
from csms.domain.transactions import (
    ConflictCause,
    StartReport,
    StopReport,
    Transaction,
    TransactionFlag,
    same_stop,
)
from csms.services import (
    authorization,
    inferred_ends,
    prices,
    reconciliation,
    transaction_ends,
    transaction_news,
)
from csms.store import transactions
from csms.store.database import Tx


def start_v16(
    tx: Tx, station_id: int, report: StartReport, policy: TokenPolicy
) -> tuple[int, Authorization]:
    """Start a transaction, or find the one that a repeated start means.

    A refused token gets an id and a row too: 1.6 knows no answer without an id.
    """
    # Before authorization, so that a repeated start does not meet its own ConcurrentTx.
    known = transactions.find_by_natural_key(tx, station_id, report.natural_key)
    if known is not None:
        if known.awaits_stop or report.reported_at is not None:
            status = AuthorizationStatus(known.id_token_status)
            return int(known.station_transaction_id), Authorization(status)
        # Without a clock two starts can look the same; an ended one is then not meant.
        transactions.free_natural_key(tx, known.id)
    inferred_ends.by_start(tx, station_id, report.evse_id, report.reported_at, report.raw)
    made = reconciliation.find_made(tx, station_id, report)
    if made is not None:
        return _begin(tx, made, report, policy)
    shown = ShownToken(report.id_token)
    authorized = authorization.authorize_transaction(tx, shown, policy, station_id=station_id)
    number = transactions.issue_v16_id(tx)
    _, uuid = transactions.insert(
        tx,
        station_id,
        report,
        station_transaction_id=str(number),
        id_token_status=authorized.status.value,
    )
    transaction_news.started(
        tx,
        station_id,
        uuid=uuid,
        evse_id=report.evse_id,
        station_transaction_id=str(number),
        id_token_status=authorized.status.value,
    )
    return number, authorized


def _begin(
    tx: Tx, made: Transaction, report: StartReport, policy: TokenPolicy
) -> tuple[int, Authorization]:
    """Give a transaction that was made of its stop the start that came after it."""
    # The charging is over, so there is nothing to refuse and nobody to record.
    authorized = authorization.look_up(tx, ShownToken(report.id_token), policy)
    authorized = authorized or Authorization(standing_unknown(policy))
    begun = replace(
        made,
        evse_id=report.evse_id,
        connector_id=1,
        id_token=report.id_token,
        id_token_key=id_token_key(report.id_token),
        id_token_status=authorized.status.value,
        started_at=report.reported_at,
        reservation_id=report.reservation_id,
        flags=(made.flags | report.flags) - {TransactionFlag.START_MISSING},
    )
    transactions.update_started(tx, prices.priced(tx, begun), report)
    transaction_news.updated(
        tx, made.station_id, uuid=made.uuid, evse_id=begun.evse_id, charging_state=None
    )
    return int(made.station_transaction_id), authorized


def stop(tx: Tx, station_id: int, report: StopReport, policy: TokenPolicy) -> Authorization | None:
    """End a transaction of this station; returns what to say about the token, if anything."""
    found = transactions.find(tx, station_id, report.station_transaction_id)
    if found is None:
        cause = reconciliation.why_nowhere(tx, report.station_transaction_id)
        reconciliation.record_stop(tx, station_id, report, cause)
    elif found.awaits_stop:
        transaction_ends.by_stop(tx, found, report)
    elif not same_stop(report, found):
        reconciliation.record_stop(tx, station_id, report, ConflictCause.ENDED)
    if report.id_token is None:
        return None
    return authorization.look_up(tx, ShownToken(report.id_token), policy)
