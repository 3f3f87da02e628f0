"""The end of a transaction of OCPP 1.6, whoever found which transaction its stop means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from csms.clock import from_micros
from csms.domain.metering import TRANSACTION_BEGIN, Reading, register_range
from csms.domain.reconciliation import fits
from csms.domain.transactions import (
    StopReport,
    Transaction,
    TransactionFlag,
    same_stop,
    stop_key_v16,
)
from csms.services import prices, transaction_news
from csms.store import meter_values, transaction_conflicts, transactions
from csms.store.database import ReadTx, Tx

# How we came to an end that a stop of the station's own takes back, and to its energy.
_GUESSED = {
    TransactionFlag.INFERRED_END,
    TransactionFlag.CLOSED,
    TransactionFlag.PAIRED,
    TransactionFlag.NEGATIVE_ENERGY,
    TransactionFlag.REGISTER_FELL,
}


def by_stop(
    tx: Tx, found: Transaction, report: StopReport, how: TransactionFlag | None = None
) -> None:
    """End it, or give it another end; `how` says that it was not the station that named it."""
    if TransactionFlag.PAIRED in found.flags and not same_stop(report, found):
        transaction_conflicts.update_unpaired(tx, found.id)
    flags = {*found.flags, *report.flags} - _GUESSED
    if how is not None:
        flags.add(how)
    start, end = found.start_register_mwh, report.register_mwh
    if start is not None and end is not None and end < start:
        flags.add(TransactionFlag.NEGATIVE_ENERGY)
    if report.readings:
        meter_values.insert(tx, found.station_id, found.evse_id or 0, found.id, report.readings)
    ended = replace(
        found,
        end_register_mwh=end,
        ended_at=report.reported_at,
        end_received_at=from_micros(tx.now),
        stop_reason=report.reason,
        charging_state=None,
        flags=frozenset(flags),
    )
    # Most have nothing that could have fallen, and need no look at their samples.
    if found.sample_below or report.readings or not found.is_open:
        ended = judged(tx, ended)
    ended = prices.priced(tx, ended)
    transactions.end(tx, ended, report.raw)
    transaction_news.ended(tx, ended)


def find_by_same_stop(tx: ReadTx, station_id: int, report: StopReport) -> Transaction | None:
    """The transaction that this very stop has ended, whatever id it had; the one named first.

    Some stations count an id of their own up with every retry.
    """
    if report.reported_at is None or not report.register_mwh:
        return None  # without a meter, two connectors may stop alike
    ended = transactions.list_ended_at(tx, station_id, report.reported_at, report.register_mwh)
    alike = [each for each in ended if same_stop(report, each) and fits(report, each)]
    return min(alike, key=_is_made, default=None)


def _is_made(transaction: Transaction) -> bool:
    return TransactionFlag.START_MISSING in transaction.flags


def by_stop_alone(tx: Tx, station_id: int, report: StopReport) -> Transaction:
    """Make a transaction of a stop that had no start; the same one for the same stop.

    Stations that charge whoever comes send nothing else, others lose what they began offline.
    """
    key = stop_key_v16(report)
    known = transactions.find_by_natural_key(tx, station_id, key)
    if known is not None:
        return known
    begin = next((r for r in report.readings if r.context == TRANSACTION_BEGIN), None)
    made = transactions.insert_stopped(tx, station_id, report, key, begin)
    by_stop(tx, made, report)
    return made


def by_samples(
    tx: Tx,
    station_id: int,
    station_transaction_id: str,
    evse_id: int,
    readings: Sequence[Reading],
) -> None:
    """Samples that come after the end of their transaction may change what its energy is."""
    found = transactions.find(tx, station_id, station_transaction_id)
    if found is None or not readings:
        return
    meter_values.insert(tx, station_id, evse_id, found.id, readings)
    told = _reaching(found, readings) if found.is_end_inferred else found
    told = _final(tx, replace(told, flags=told.flags - {TransactionFlag.REGISTER_FELL}))
    _tell_judged(tx, found, told)


def by_joined(tx: Tx, found: Transaction) -> None:
    """Samples became its own that had no transaction: judge its energy anew."""
    lowest, highest = meter_values.get_range(tx, found.station_id, found.id)
    told = replace(found, flags=found.flags - {TransactionFlag.REGISTER_FELL})
    told = replace(told, lowest_sample_mwh=lowest, last_register_mwh=highest)
    if told.is_end_inferred:
        told = replace(told, end_register_mwh=highest)
    if not told.is_open:
        told = _final(tx, told)
    _tell_judged(tx, found, told)


def judged(tx: Tx, ended: Transaction) -> Transaction:
    """With the flag that its register fell, if its samples show that."""
    # Samples that count the session alone say nothing about the registers of start and stop;
    # but an end that was inferred has nothing else to go by.
    start = None if ended.is_end_inferred else ended.start_register_mwh
    if not meter_values.register_fell(tx, ended.station_id, ended.id, start):
        return ended
    return ended.with_flag(TransactionFlag.REGISTER_FELL)


def _final(tx: Tx, ended: Transaction) -> Transaction:
    """Judged, and with what it costs."""
    return prices.priced(tx, judged(tx, ended))


def _reaching(ended: Transaction, readings: Sequence[Reading]) -> Transaction:
    """As far as further samples reach; they are all there is to tell the energy."""
    lowest, highest = register_range(readings)
    known = ended.lowest_sample_mwh, ended.last_register_mwh
    if lowest is None or highest is None:
        return ended
    lowest = lowest if known[0] is None else min(lowest, known[0])
    highest = highest if known[1] is None else max(highest, known[1])
    return replace(
        ended, lowest_sample_mwh=lowest, last_register_mwh=highest, end_register_mwh=highest
    )


def _tell_judged(tx: Tx, before: Transaction, after: Transaction) -> None:
    if after == before:
        return
    transactions.update_judged(tx, after)
    state = after.charging_state
    transaction_news.updated(
        tx, after.station_id, uuid=after.uuid, evse_id=after.evse_id, charging_state=state
    )
