"""Messages about transactions that cannot be applied: kept, paired, or decided by a person."""

from __future__ import annotations

from csms.domain.reconciliation import Resolution, Suggestion, pair, suggest
from csms.domain.transactions import ConflictCause, StopReport, Transaction, TransactionFlag
from csms.errors import Conflict
from csms.services import station_events, transaction_ends
from csms.store import transaction_conflicts, transactions
from csms.store.database import ReadTx, Tx
from csms.store.transaction_conflicts import TransactionConflict

STOP = "StopTransaction"


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
) -> None:
    """Keep a message for a person; the same one again is only counted, see the store."""
    new = transaction_conflicts.insert(
        tx,
        station_id,
        action=action,
        cause=cause,
        station_transaction_id=station_transaction_id,
        raw=raw,
        distinct=distinct,
    )
    if new is not None:
        _tell_added(
            tx,
            station_id,
            uuid=new[1],
            action=action,
            cause=cause,
            number=station_transaction_id,
        )


def record_stop(tx: Tx, station_id: int, report: StopReport, cause: ConflictCause) -> None:
    """Keep a stop of OCPP 1.6; one that can only mean one open transaction ends it at once.

    The id of another station's transaction is no riddle to be solved, so it is not paired.
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
        found = pair(report, transactions.list_open(tx, station_id))
        if found is not None:
            transaction_ends.by_stop(tx, found, report, TransactionFlag.PAIRED)
            transaction_conflicts.update_resolved(
                tx,
                conflict_id,
                Resolution.PAIRED,
                transaction_id=found.id,
                resolved_by=None,
            )
            return
    number = report.station_transaction_id
    _tell_added(tx, station_id, uuid=uuid, action=STOP, cause=cause, number=number)


def suggestion(tx: ReadTx, conflict: TransactionConflict) -> Suggestion | None:
    """What to do with an open entry; only stops of OCPP 1.6 can be applied."""
    stop = conflict.stop
    if stop is None or conflict.resolution is not None:
        return None
    named = None
    if conflict.cause is ConflictCause.ENDED:
        named = transactions.find(tx, conflict.station_id, stop.station_transaction_id)
    candidates = transactions.list_awaiting_stop(tx, conflict.station_id)
    return suggest(stop, named, candidates)


def apply(tx: Tx, conflict: TransactionConflict, transaction_uuid: str | None, by: str) -> None:
    """Do as suggested; `transaction_uuid` is what the caller saw suggested.

    Raises Conflict when it is resolved, nothing is suggested, or something else is by now.
    """
    _require_open(conflict)
    found = suggestion(tx, conflict)
    if found is None or conflict.stop is None:
        raise Conflict("Nothing is suggested for this entry", code="nothing_suggested")
    if transaction_uuid not in (None, found.transaction.uuid):
        raise Conflict("Another transaction is suggested by now", code="suggestion_changed")
    transaction_ends.by_stop(tx, found.transaction, conflict.stop, TransactionFlag.RECONCILED)
    _resolve(tx, conflict, Resolution.APPLIED, found.transaction, by)


def dismiss(tx: Tx, conflict: TransactionConflict, by: str) -> None:
    """Nothing follows from it. Raises Conflict when it is resolved."""
    _require_open(conflict)
    _resolve(tx, conflict, Resolution.DISMISSED, None, by)


def _require_open(conflict: TransactionConflict) -> None:
    if conflict.resolution is not None:
        raise Conflict(f"The entry is {conflict.resolution.value} already", code="resolved")


def _resolve(
    tx: Tx,
    conflict: TransactionConflict,
    resolution: Resolution,
    transaction: Transaction | None,
    by: str,
) -> None:
    transaction_conflicts.update_resolved(
        tx,
        conflict.id,
        resolution,
        transaction_id=None if transaction is None else transaction.id,
        resolved_by=by,
    )
    station_events.emit(
        tx,
        conflict.station_id,
        "reconciliation.resolved",
        id=conflict.uuid,
        resolution=resolution.value,
        transaction_id=None if transaction is None else transaction.uuid,
        resolved_by=by,
    )


def _tell_added(
    tx: Tx, station_id: int, *, uuid: str, action: str, cause: ConflictCause, number: str
) -> None:
    station_events.emit(
        tx,
        station_id,
        "reconciliation.added",
        id=uuid,
        action=action,
        cause=cause.value,
        station_transaction_id=number,
    )
