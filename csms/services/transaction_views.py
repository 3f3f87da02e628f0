"""Transactions as they are shown: lists by numbered pages."""

from __future__ import annotations

from typing import NamedTuple

from csms.domain.transactions import Transaction
from csms.store import transaction_pages, transactions
from csms.store.database import Database, ReadTx
from csms.store.transaction_pages import Wanted

__all__ = ["TransactionPage", "Wanted", "list_open", "list_transactions"]


class TransactionPage(NamedTuple):
    """A part of the transactions, and how many there are in all."""

    items: list[Transaction]
    total: int


async def list_transactions(
    db: Database, wanted: Wanted, *, limit: int, offset: int = 0
) -> TransactionPage:
    """A page, newest first."""

    def look(tx: ReadTx) -> TransactionPage:
        found = transaction_pages.list_page(tx, wanted, limit=limit, offset=offset)
        return TransactionPage(
            [one.transaction for one in found], transaction_pages.count(tx, wanted)
        )

    return await db.read(look)


async def list_open(db: Database, station_id: int) -> list[Transaction]:
    """What is going on at the station."""
    return await db.read(lambda tx: transactions.list_open(tx, station_id))
