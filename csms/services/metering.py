"""Metering: where the readings of a station go."""

from __future__ import annotations

from collections.abc import Sequence

from csms.clock import from_micros
from csms.domain.metering import Reading
from csms.domain.transactions import ConflictCause, belongs, covers
from csms.services import inferred_ends, reconciliation
from csms.store import meter_values, transactions
from csms.store.columns import to_json
from csms.store.database import Tx

ACTION = "MeterValues"


def record(
    tx: Tx,
    station_id: int,
    evse_id: int,
    *,
    station_transaction_id: str | None,
    readings: Sequence[Reading],
    payload: object,
) -> None:
    """Store readings with their transaction, or with the EVSE when they have none.

    `payload` is the message, recorded only when its transaction id is no good.
    """
    if station_transaction_id is None:
        meter_values.insert(tx, station_id, evse_id, None, readings)
        return
    open_id = transactions.follow_register(
        tx, station_id, station_transaction_id, _highest_register(readings)
    )
    if open_id is not None:
        meter_values.insert(tx, station_id, evse_id, open_id, readings)
        return
    found = transactions.find_ended(tx, station_id, station_transaction_id)
    now = from_micros(tx.now)
    if found is None:
        cause = reconciliation.why_nowhere(tx, station_transaction_id)
        left = readings
        if cause is ConflictCause.UNKNOWN:
            left = _join(tx, station_id, evse_id, readings)
        if left or not readings:
            _record_conflict(tx, station_id, station_transaction_id, cause, payload)
            meter_values.insert(tx, station_id, evse_id, None, left)
        return
    ended_at = from_micros(found.ended_at)
    own = [r for r in readings if belongs(r.reported_at or now, ended_at)]
    strange = [r for r in readings if not belongs(r.reported_at or now, ended_at)]
    if strange and inferred_ends.take_back(tx, station_id, evse_id, found.id):
        highest = _highest_register(readings)
        transactions.follow_register(tx, station_id, station_transaction_id, highest)
        own, strange = list(readings), []
    meter_values.insert(tx, station_id, evse_id, found.id, own)
    if strange:
        cause = ConflictCause.ENDED
        _record_conflict(tx, station_id, station_transaction_id, cause, payload)
        meter_values.insert(tx, station_id, evse_id, None, strange)


def _join(tx: Tx, station_id: int, evse_id: int, readings: Sequence[Reading]) -> list[Reading]:
    """Give readings with a useless id to what went on at their EVSE; returns what is left.

    The time decides and not what is open now, so that a repeated message meets its own rows.
    """
    left = []
    for reading in readings:
        at = reading.reported_at
        found = None if at is None else transactions.find_at(tx, station_id, evse_id, at)
        if found is None or at is None or not covers(found, at):
            left.append(reading)
            continue
        transactions.follow_register(
            tx, station_id, found.station_transaction_id, reading.register_mwh
        )
        meter_values.insert(tx, station_id, evse_id, found.id, [reading])
    return left


def _highest_register(readings: Sequence[Reading]) -> int | None:
    highest = None
    for reading in readings:
        register = reading.register_mwh
        if register is not None and (highest is None or register > highest):
            highest = register
    return highest


def _record_conflict(
    tx: Tx, station_id: int, station_transaction_id: str, cause: ConflictCause, payload: object
) -> None:
    reconciliation.record(
        tx,
        station_id,
        action=ACTION,
        cause=cause,
        station_transaction_id=station_transaction_id,
        raw=to_json(payload),
        distinct="",
    )
