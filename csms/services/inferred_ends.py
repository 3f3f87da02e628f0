"""Ends that no message told of: what shows that a transaction is over, its end lost or late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from csms.clock import from_micros
from csms.domain.transactions import CLOSING_GRACE, Transaction, TransactionFlag, supersedes
from csms.services import transaction_ends, transaction_news
from csms.store import connectors, meter_values, transactions
from csms.store.database import Tx

FREE_FOR = timedelta(minutes=5)
# BootReasonEnumType of a station that really was down, so that nothing goes on in it. A boot of
# OCPP 1.6 has no reason, and many stations send one whenever they reconnect.
_RESTARTS = frozenset(
    {
        "ApplicationReset",
        "FirmwareUpdate",
        "LocalReset",
        "PowerUp",
        "RemoteReset",
        "ScheduledReset",
        "Watchdog",
    }
)


def by_start(
    tx: Tx,
    station_id: int,
    evse_id: int | None,
    started_at: datetime | None,
    raw: str,
    *,
    of: int | None = None,
) -> None:
    """A start on an EVSE shows that what was open there is over.

    `raw` is the message that says so, `of` the row of the transaction that starts.
    """
    if evse_id is None or evse_id < 1:
        return
    for earlier in transactions.list_open_on_evse(tx, station_id, evse_id):
        if earlier.id != of and supersedes(started_at, earlier):
            _end(tx, earlier, started_at, raw)


def by_boot(tx: Tx, station_id: int, reason: str | None, raw: str) -> None:
    """A restart shows that all is over. Should a transaction resume, its next event says so."""
    if reason not in _RESTARTS:
        return
    for earlier in transactions.list_open(tx, station_id):
        _end(tx, earlier, None, raw)


def by_free_connectors(tx: Tx) -> None:
    """A connector that is free for a while shows that its transaction is over.

    Some stations say so a moment before they send the stop, hence the wait; where samples keep
    coming it is the status that is wrong.
    """
    now = from_micros(tx.now)
    for earlier in transactions.list_on_free_connectors(tx):
        freed = connectors.find_freed(
            tx,
            earlier.station_id,
            earlier.evse_id or 0,
            earlier.connector_id or 0,
            since=earlier.start_received_at,
        )
        if freed is None or freed.received_at + FREE_FOR > now:
            continue
        closed_at = freed.received_at + CLOSING_GRACE
        if not meter_values.has_any_since(tx, earlier.station_id, earlier.id, closed_at):
            _end(tx, earlier, _at_or_after_start(freed.reported_at, earlier), freed.raw)


def take_back(tx: Tx, station_id: int, evse_id: int, transaction_id: int) -> bool:
    """A sample after the end shows that the last transaction of its EVSE goes on, if it is that."""
    last = transactions.find_at(tx, station_id, evse_id, from_micros(tx.now))
    if last is None or last.id != transaction_id or not last.is_end_inferred:
        return False
    if TransactionFlag.CLOSED in last.flags:
        return False  # a person knew better
    if transactions.list_open_on_evse(tx, station_id, evse_id):
        return False  # the station kept an old id
    transactions.update_reopened(tx, last)
    transaction_news.updated(
        tx, station_id, uuid=last.uuid, evse_id=last.evse_id, charging_state=None
    )
    return True


def _at_or_after_start(at: datetime | None, transaction: Transaction) -> datetime | None:
    started_at = transaction.started_at
    return None if at is None or started_at is None or at < started_at else at


def _end(tx: Tx, earlier: Transaction, ended_at: datetime | None, raw: str) -> None:
    ended = replace(
        earlier,
        end_register_mwh=earlier.last_register_mwh,
        ended_at=ended_at,
        end_received_at=from_micros(tx.now),
        stop_reason=None,
        charging_state=None,
        flags=earlier.flags | {TransactionFlag.INFERRED_END},
    )
    # In 2.x the events themselves say whether the register fell.
    if earlier.last_seq_no is None:
        ended = transaction_ends.judged(tx, ended)
    transactions.end_inferred(tx, ended, raw)
    transaction_news.ended(tx, ended)
