"""What the world is told about transactions: `transaction.started`, `.updated` and `.ended`."""

from __future__ import annotations

from typing import Any

from csms.domain.transactions import Transaction
from csms.events import Event
from csms.store import whereabouts
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
    data = {
        "id": uuid,
        "evse_id": evse_id,
        "station_transaction_id": station_transaction_id,
        "id_token_status": id_token_status,
    }
    _emit(tx, "transaction.started", station_id, data)


def updated(
    tx: Tx,
    station_id: int,
    *,
    uuid: str,
    evse_id: int | None,
    charging_state: str | None,
) -> None:
    """Something of a transaction changed that is not just a sample."""
    data = {"id": uuid, "evse_id": evse_id, "charging_state": charging_state}
    _emit(tx, "transaction.updated", station_id, data)


def ended(
    tx: Tx,
    transaction: Transaction,
    *,
    energy_mwh: int | None,
    reason: str | None,
    inferred: bool,
) -> None:
    """A transaction is over, or an inferred end gave way to the real one."""
    data = {
        "id": transaction.uuid,
        "evse_id": transaction.evse_id,
        "station_transaction_id": transaction.station_transaction_id,
        "energy_wh": None if energy_mwh is None else energy_mwh / 1000,
        "reason": reason,
        "inferred": inferred,
    }
    _emit(tx, "transaction.ended", transaction.station_id, data)


def _emit(tx: Tx, event_type: str, station_id: int, data: dict[str, Any]) -> None:
    station = whereabouts.get(tx, station_id)
    tx.emit(
        Event(
            event_type,
            {**station.names, **data},
            station_id=station_id,
            location_id=station.location_id,
        )
    )
