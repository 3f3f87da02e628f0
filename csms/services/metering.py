"""Metering: where the readings of a station go."""

from __future__ import annotations

from collections.abc import Sequence

from csms.clock import from_micros
from csms.domain.metering import Reading, register_range
from csms.domain.transactions import ConflictCause, belongs, covers
from csms.services import inferred_ends, reconciliation, transaction_ends
from csms.services.redaction import as_text
from csms.store import meter_values, transactions
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
    open_id = transactions.follow_registers(
        tx, station_id, station_transaction_id, register_range(readings)
    )
    if open_id is not None:
        meter_values.insert(tx, station_id, evse_id, open_id, readings)
        return
    cause, strange = _settle(tx, station_id, evse_id, station_transaction_id, readings)
    if readings and not strange:
        return
    meter_values.insert(tx, station_id, evse_id, None, strange)
    reconciliation.record(
        tx,
        station_id,
        action=ACTION,
        cause=cause,
        station_transaction_id=station_transaction_id,
        raw=as_text(payload),
        distinct="",
        evse_id=evse_id,
        sampled_at=strange[0].reported_at if strange else None,
    )


def _settle(
    tx: Tx, station_id: int, evse_id: int, name: str, readings: Sequence[Reading]
) -> tuple[ConflictCause, list[Reading]]:
    """Give readings to a transaction that is over, or to what went on; returns what is left."""
    found = transactions.find_ended(tx, station_id, name)
    if found is None:
        cause = reconciliation.why_nowhere(tx, name)
        if cause is ConflictCause.UNKNOWN:
            return cause, _join(tx, station_id, evse_id, readings)
        return cause, list(readings)
    ended_at, now = from_micros(found.ended_at), from_micros(tx.now)
    own = [r for r in readings if belongs(r.reported_at or now, ended_at)]
    strange = [r for r in readings if not belongs(r.reported_at or now, ended_at)]
    if strange and inferred_ends.take_back(tx, station_id, evse_id, found.id):
        transactions.follow_registers(tx, station_id, name, register_range(readings))
        meter_values.insert(tx, station_id, evse_id, found.id, readings)
        return ConflictCause.ENDED, []
    transaction_ends.by_samples(tx, station_id, name, evse_id, own)
    return ConflictCause.ENDED, strange


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
        name = found.station_transaction_id
        if found.is_open:
            transactions.follow_registers(tx, station_id, name, register_range([reading]))
            meter_values.insert(tx, station_id, evse_id, found.id, [reading])
        else:
            transaction_ends.by_samples(tx, station_id, name, evse_id, [reading])
    return left
