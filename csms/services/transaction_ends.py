"""The end of a transaction of OCPP 1.6, whoever found which transaction its stop means."""

from __future__ import annotations

from csms.domain.transactions import (
    StopReport,
    Transaction,
    TransactionFlag,
    energy_mwh,
    same_stop,
)
from csms.services import transaction_news
from csms.store import meter_values, transaction_conflicts, transactions
from csms.store.database import Tx

# How we came to an end that a stop of the station's own takes back.
_GUESSED = {
    TransactionFlag.INFERRED_END,
    TransactionFlag.PAIRED,
    TransactionFlag.NEGATIVE_ENERGY,
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
    if meter_values.register_fell(tx, found.station_id, found.id, start):
        flags.add(TransactionFlag.REGISTER_FELL)
    transactions.end(tx, found, report, flags)
    energy = None if TransactionFlag.REGISTER_FELL in flags else energy_mwh(start, end)
    transaction_news.ended(tx, found, energy_mwh=energy, reason=report.reason, inferred=False)
