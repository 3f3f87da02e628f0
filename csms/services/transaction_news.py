"""What the world is told about transactions: `transaction.started`, `.updated` and `.ended`."""

from __future__ import annotations

from csms.domain.prices import MILLION
from csms.domain.transactions import Transaction
from csms.services import station_events
from csms.store.database import Tx


def started(
    tx: Tx,
    station_id: int,
    *,
    uuid: str,
    evse_id: int | None,
    station_transaction_id: str,
    id_token_status: str | None,
) -> None:
    """A transaction goes on that was not known before."""
    station_events.emit(
        tx,
        station_id,
        "transaction.started",
        id=uuid,
        evse_id=evse_id,
        station_transaction_id=station_transaction_id,
        id_token_status=id_token_status,
    )


def updated(
    tx: Tx,
    station_id: int,
    *,
    uuid: str,
    evse_id: int | None,
    charging_state: str | None,
) -> None:
    """Something of a transaction changed that is not just a sample."""
    station_events.emit(
        tx,
        station_id,
        "transaction.updated",
        id=uuid,
        evse_id=evse_id,
        charging_state=charging_state,
    )


def ended(tx: Tx, transaction: Transaction) -> None:
    """A transaction is over, or an inferred end gave way to the real one."""
    energy_mwh, cost_micros = transaction.energy_mwh, transaction.cost_micros
    station_events.emit(
        tx,
        transaction.station_id,
        "transaction.ended",
        id=transaction.uuid,
        evse_id=transaction.evse_id,
        station_transaction_id=transaction.station_transaction_id,
        energy_wh=None if energy_mwh is None else energy_mwh / 1000,
        cost=None if cost_micros is None else cost_micros / MILLION,
        currency=transaction.currency,
        reason=transaction.stop_reason,
        inferred=transaction.is_end_inferred,
    )
