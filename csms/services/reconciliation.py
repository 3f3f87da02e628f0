"""Messages about transactions that cannot be applied: kept for a person, or paired."""

from __future__ import annotations

from datetime import datetime

from csms.domain.reconciliation import Resolution, may_be_of, pair, same_start, suggest
from csms.domain.transaction_events import TransactionEvent
from csms.domain.transactions import (
    ConflictCause,
    StartReport,
    StopReport,
    Transaction,
    TransactionFlag,
)
from csms.services import station_events, transaction_ends
from csms.store import transaction_conflicts, transactions
from csms.store.database import Tx

STOP = "StopTransaction"
# Of one station, so that one that talks nonsense does not fill the disk.
MAX_WAITING = 1000


def why_nowhere(tx: Tx, station_transaction_id: str) -> ConflictCause:
    """Why a station's id leads to none of its own transactions."""
    if transactions.was_issued(tx, station_transaction_id):
        return ConflictCause.FOREIGN
    return ConflictCause.UNKNOWN


def record(
    tx: Tx,
    station_id: int,
    *,
    action: str,
    cause: ConflictCause,
    station_transaction_id: str,
    raw: str,
    distinct: str,
    evse_id: int | None = None,
    sampled_at: datetime | None = None,
    event: TransactionEvent | None = None,
) -> None:
    """Keep a message for a person; the same one again is only counted, see the store.

    `evse_id` and `sampled_at` are of its samples, if it has any, or of the event that it is.
    """
    new = transaction_conflicts.insert(
        tx,
        station_id,
        action=action,
        cause=cause,
        station_transaction_id=station_transaction_id,
        raw=raw,
        distinct=distinct,
        evse_id=evse_id,
        sampled_at=sampled_at,
        event=event,
    )
    if new is not None:
        _added(
            tx,
            station_id,
            uuid=new[1],
            action=action,
            cause=cause,
            number=station_transaction_id,
        )


def record_stop(tx: Tx, station_id: int, report: StopReport, cause: ConflictCause) -> None:
    """Keep a stop of OCPP 1.6; one that can only mean one open transaction ends it at once.

    Of one that can mean none, a transaction is made. The id of another station's transaction is
    no riddle to be solved: nothing follows from it by itself.
    """
    new = transaction_conflicts.insert(
        tx,
        station_id,
        action=STOP,
        cause=cause,
        station_transaction_id=report.station_transaction_id,
        raw=report.raw,
        distinct=report.raw,
        stop=report,
    )
    if new is None:
        return
    conflict_id, uuid = new
    if cause is ConflictCause.UNKNOWN:
        # First, because a repeated stop may also fit what began after it.
        found = transaction_ends.find_by_same_stop(tx, station_id, report)
        if found is None:
            found = pair(report, transactions.list_open(tx, station_id))
            if found is not None:
                transaction_ends.by_stop(tx, found, report, TransactionFlag.PAIRED)
        if found is not None:
            transaction_conflicts.update_resolved(
                tx,
                conflict_id,
                Resolution.PAIRED,
                transaction_id=found.id,
                resolved_by=None,
            )
            return
        says_nothing = report.reported_at is None and report.register_mwh is None
        if (
            not says_nothing
            and suggest(report, None, transactions.list_awaiting_stop(tx, station_id)) is None
        ):
            made = transaction_ends.by_stop_alone(tx, station_id, report)
            transaction_conflicts.update_made(tx, conflict_id, made.id)
    number = report.station_transaction_id
    _added(tx, station_id, uuid=uuid, action=STOP, cause=cause, number=number)


def find_made(tx: Tx, station_id: int, report: StartReport) -> Transaction | None:
    """The transaction that was made of a stop whose start this is, come late.

    Where that is not sure, a person who kept one for the stop is asked again.
    """
    made = transactions.list_startless(tx, station_id)
    same = [each for each in made if same_start(report, each)]
    if len(same) == 1:
        transaction_conflicts.update_started(tx, same[0].id)
        return same[0]
    for each in made:
        if may_be_of(report, each):
            for uuid, number in transaction_conflicts.update_kept(tx, each.id):
                _added(
                    tx,
                    station_id,
                    uuid=uuid,
                    action=STOP,
                    cause=ConflictCause.UNKNOWN,
                    number=number,
                )
    return None


def _added(
    tx: Tx, station_id: int, *, uuid: str, action: str, cause: ConflictCause, number: str
) -> None:
    """Tell of it; too many of one station push the oldest out."""
    station_events.emit(
        tx,
        station_id,
        "reconciliation.added",
        id=uuid,
        action=action,
        cause=cause.value,
        station_transaction_id=number,
    )
    transaction_conflicts.update_expired(tx, station_id, kept=MAX_WAITING)
