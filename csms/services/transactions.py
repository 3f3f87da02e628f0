"""Transactions: starts and stops, repeated, late, strange or plain.

Nothing here refuses a message: what cannot be applied is recorded and answered, because a
station repeats for ever what it is refused.
"""

from __future__ import annotations

from typing import Any

from csms.domain.id_tokens import Authorization, AuthorizationStatus, TokenPolicy, id_token_key
from csms.domain.transactions import (
    ConflictCause,
    StartReport,
    StopReport,
    Transaction,
    TransactionFlag,
    energy_mwh,
    same_stop,
    supersedes,
)
from csms.events import Event
from csms.services import authorization
from csms.services.metering import unknown_or_foreign
from csms.store import meter_values, transactions, whereabouts
from csms.store.database import Tx

STOP = "StopTransaction"


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
        transactions.update_natural_key(tx, known.id, None)
    station = whereabouts.get(tx, station_id)
    _end_superseded(tx, station_id, report, station)
    authorized = authorization.authorize(tx, report.id_token, policy)
    number = transactions.issue_v16_id(tx)
    _, uuid = transactions.insert(
        tx,
        station_id,
        report,
        station_transaction_id=str(number),
        id_token_key=id_token_key(report.id_token),
        id_token_status=authorized.status.value,
    )
    _emit(
        tx,
        "transaction.started",
        station_id,
        station,
        {
            "id": uuid,
            "evse_id": report.evse_id,
            "station_transaction_id": str(number),
            "id_token_status": authorized.status.value,
        },
    )
    return number, authorized


def _end_superseded(
    tx: Tx, station_id: int, report: StartReport, station: whereabouts.Whereabouts
) -> None:
    """A start shows that what was open on its EVSE is over, its stop being lost or late."""
    if report.evse_id < 1:
        return
    for earlier in transactions.list_open_on_evse(tx, station_id, report.evse_id):
        if supersedes(report.reported_at, earlier):
            transactions.end_inferred(tx, earlier, report.reported_at, report.raw)
            _emit_ended(tx, station, earlier, earlier.last_register_mwh, reason=None, inferred=True)


def stop(tx: Tx, station_id: int, report: StopReport, policy: TokenPolicy) -> Authorization | None:
    """End a transaction of this station; returns what to say about the token, if anything."""
    found = transactions.find(tx, station_id, report.station_transaction_id)
    if found is None:
        cause = unknown_or_foreign(tx, report.station_transaction_id)
        _record_conflict(tx, station_id, report, cause)
    elif found.awaits_stop:
        _end(tx, found, report)
    elif not same_stop(report, found):
        _record_conflict(tx, station_id, report, ConflictCause.ENDED)
    if report.id_token is None:
        return None
    return authorization.look_up(tx, report.id_token, policy, tx.now)


def _end(tx: Tx, found: Transaction, report: StopReport) -> None:
    flags = {*found.flags, *report.flags} - {TransactionFlag.INFERRED_END}
    start, end = found.start_register_mwh, report.register_mwh
    if start is not None and end is not None and end < start:
        flags.add(TransactionFlag.NEGATIVE_ENERGY)
    transactions.end(tx, found, report, flags)
    if report.readings:
        meter_values.insert(tx, found.station_id, found.evse_id or 0, found.id, report.readings)
    _emit_ended(
        tx,
        whereabouts.get(tx, found.station_id),
        found,
        end,
        reason=report.reason,
        inferred=False,
    )


def _record_conflict(tx: Tx, station_id: int, report: StopReport, cause: ConflictCause) -> None:
    transactions.insert_conflict(
        tx,
        station_id,
        action=STOP,
        cause=cause,
        station_transaction_id=report.station_transaction_id,
        raw=report.raw,
        distinct=report.raw,
    )


def _emit_ended(
    tx: Tx,
    station: whereabouts.Whereabouts,
    found: Transaction,
    end_mwh: int | None,
    *,
    reason: str | None,
    inferred: bool,
) -> None:
    energy = energy_mwh(found.start_register_mwh, end_mwh)
    _emit(
        tx,
        "transaction.ended",
        found.station_id,
        station,
        {
            "id": found.uuid,
            "evse_id": found.evse_id,
            "station_transaction_id": found.station_transaction_id,
            "energy_wh": None if energy is None else energy / 1000,
            "reason": reason,
            "inferred": inferred,
        },
    )


def _emit(
    tx: Tx,
    event_type: str,
    station_id: int,
    station: whereabouts.Whereabouts,
    data: dict[str, Any],
) -> None:
    tx.emit(
        Event(
            event_type,
            {**station.names, **data},
            station_id=station_id,
            location_id=station.location_id,
        )
    )
