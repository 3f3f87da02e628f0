"""What a person makes of a message that could not be applied to a transaction."""

from __future__ import annotations

from dataclasses import replace

from csms.domain.reconciliation import Fix, Resolution, Suggestion, suggest
from csms.domain.transaction_events import keep_inferred_end, retell
from csms.domain.transactions import (
    ConflictCause,
    Transaction,
    TransactionFlag,
    covers,
)
from csms.errors import Conflict
from csms.services import prices, station_events, transaction_ends, transaction_news
from csms.store import meter_values, transaction_conflicts, transaction_events, transactions
from csms.store.database import ReadTx, Tx
from csms.store.transaction_conflicts import TransactionConflict


def suggestion(tx: ReadTx, conflict: TransactionConflict) -> Suggestion | None:
    """What to do with an entry that waits; None: there is nothing that it could mean."""
    if conflict.resolution is not None:
        return None
    if conflict.stop is not None:
        return _of_stop(tx, conflict)
    named = transactions.find(tx, conflict.station_id, conflict.station_transaction_id)
    if named is not None and _run(tx, conflict, named) is not None:
        return Suggestion(Fix.SPLIT, named, 1)
    found = _at(tx, conflict)
    if found is None:
        return None
    if conflict.event is None:
        return Suggestion(Fix.JOIN, found, 1)
    taken = transaction_events.list_alike(tx, found.id, conflict.event.seq_no, conflict.raw)
    # Of OCPP 1.6 is what has no event with a number.
    return None if taken or found.last_seq_no is None else Suggestion(Fix.ADD, found, 1)


def apply(tx: Tx, conflict: TransactionConflict, transaction_uuid: str | None, by: str) -> None:
    """Do as suggested; `transaction_uuid` is what the caller saw suggested.

    Raises Conflict when it is resolved, nothing is suggested, or something else is by now.
    """
    _require_open(conflict)
    found = suggestion(tx, conflict)
    if found is None:
        raise Conflict("Nothing is suggested for this entry", code="nothing_suggested")
    if transaction_uuid not in (None, found.transaction.uuid):
        raise Conflict("Another transaction is suggested by now", code="suggestion_changed")
    result = found.transaction
    if found.fix is Fix.SPLIT:
        result = _split(tx, conflict, result)
    elif found.fix is Fix.ADD:
        result = _add(tx, conflict, result)
    elif found.fix is Fix.JOIN:
        _join(tx, conflict, result)
    elif found.fix is not Fix.KEEP and conflict.stop is not None:
        _delete_made(tx, conflict)
        transaction_ends.by_stop(tx, result, conflict.stop, TransactionFlag.RECONCILED)
    _resolve(tx, conflict, Resolution.APPLIED, result, by)


def dismiss(tx: Tx, conflict: TransactionConflict, by: str) -> None:
    """Nothing follows from it. Raises Conflict when it is resolved."""
    _require_open(conflict)
    _delete_made(tx, conflict)
    _resolve(tx, conflict, Resolution.DISMISSED, None, by)


def _of_stop(tx: ReadTx, conflict: TransactionConflict) -> Suggestion | None:
    assert conflict.stop is not None
    named = None
    if conflict.cause is ConflictCause.ENDED:
        named = transactions.find(tx, conflict.station_id, conflict.station_transaction_id)
    candidates = transactions.list_awaiting_stop(tx, conflict.station_id)
    found = suggest(conflict.stop, named, candidates)
    if found is None and conflict.transaction_id is not None:
        ended = transaction_ends.find_by_same_stop(tx, conflict.station_id, conflict.stop)
        # With the stop of another, which came under its own id, there is nothing to keep it for.
        if ended is None or ended.id == conflict.transaction_id:
            return Suggestion(Fix.KEEP, transactions.get(tx, conflict.transaction_id), 1)
    return found


def _at(tx: ReadTx, conflict: TransactionConflict) -> Transaction | None:
    """What went on at the EVSE when the sample was taken."""
    at = conflict.reported_at
    if at is None or conflict.evse_id is None:
        return None
    found = transactions.find_at(tx, conflict.station_id, conflict.evse_id, at)
    return found if found is not None and covers(found, at) else None


def _run(tx: ReadTx, conflict: TransactionConflict, named: Transaction) -> int | None:
    """The count of events that the message began after the end, if it has come to an end too."""
    run = transaction_events.find_run(tx, named.id, conflict.raw)
    return run if run and transaction_events.has_ended(tx, named.id, run) else None


def _join(tx: Tx, conflict: TransactionConflict, found: Transaction) -> None:
    meter_values.update_joined(tx, found, evse_id=conflict.evse_id or 0, of=None)
    # Samples of OCPP 2.x are no part of the energy: its events bring the registers.
    if found.last_seq_no is None:
        transaction_ends.by_joined(tx, found)


def _add(tx: Tx, conflict: TransactionConflict, found: Transaction) -> Transaction:
    assert conflict.event is not None
    event = replace(
        conflict.event,
        run=found.sequence_run,
        flags=conflict.event.flags | {TransactionFlag.RECONCILED},
    )
    transaction_events.insert(tx, found.id, event, conflict.raw)
    told = retell(found, transaction_events.list_in_order(tx, found.id))
    if found.is_end_inferred and told.is_open:
        told = keep_inferred_end(found, told)
    told = prices.priced(tx, told)
    transactions.update_told(tx, told)
    meter_values.update_joined(tx, told, evse_id=conflict.evse_id or 0, of=None)
    if found.awaits_stop and not told.awaits_stop:
        transaction_news.ended(tx, told)
    else:
        state = told.charging_state
        transaction_news.updated(
            tx, told.station_id, uuid=told.uuid, evse_id=told.evse_id, charging_state=state
        )
    return told


def _split(tx: Tx, conflict: TransactionConflict, named: Transaction) -> Transaction:
    run = _run(tx, conflict, named)
    assert run is not None
    name = f"{named.station_transaction_id}#{run}"
    if transactions.find(tx, named.station_id, name) is not None:
        raise Conflict(f"The station has a transaction {name} of its own", code="id_taken")
    # It costs what charging did when it began.
    heard_at = transaction_events.first_received_at(tx, named.id, run)
    made = transactions.insert_untold(tx, named.station_id, name, heard_at=heard_at)
    # Copies: by the events that stay behind, repeated messages are known again.
    transaction_events.insert_copies(tx, made.id, of=named.id, run=run)
    told = retell(made, transaction_events.list_in_order(tx, made.id))
    told = prices.priced(tx, told.with_flag(TransactionFlag.RECONCILED))
    transactions.update_told(tx, told)
    if told.evse_id is not None:
        meter_values.update_joined(tx, told, evse_id=told.evse_id, of=named.id)
    transaction_news.ended(tx, told)
    return told


def _delete_made(tx: Tx, conflict: TransactionConflict) -> None:
    if conflict.stop is not None and conflict.transaction_id is not None:
        meter_values.delete(tx, conflict.station_id, conflict.transaction_id)
        transactions.delete(tx, conflict.transaction_id)


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
