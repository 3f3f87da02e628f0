"""Prices: set for a location, and what a transaction costs by them."""

from __future__ import annotations

from dataclasses import replace

from csms.domain.locations import Location
from csms.domain.prices import Prices, cost_of
from csms.domain.transactions import Transaction
from csms.events import Event
from csms.store import prices as store
from csms.store.database import Tx


def change(tx: Tx, location: Location, prices: Prices | None) -> None:
    """Let these hold from now on; None: charging has no price that we know."""
    if prices == store.find(tx, location.id):
        return
    store.update_ended(tx, location.id)
    if prices is not None:
        store.insert(tx, location.id, prices)
    data = {"location_id": location.uuid, "name": location.name, "changed": ["prices"]}
    tx.emit(Event("location.updated", data, location_id=location.id))


def priced(tx: Tx, transaction: Transaction) -> Transaction:
    """With its cost by the prices of when we first heard of it, if it has ended and it is known."""
    cost = None
    if not transaction.is_open and not transaction.is_end_inferred:
        prices = store.find_at(tx, transaction.station_id, transaction.start_received_at)
        cost = None if prices is None else cost_of(transaction, prices)
    return replace(
        transaction,
        cost_micros=None if cost is None else cost.micros,
        currency=None if cost is None else cost.currency,
    )
