"""Numbered pages of table `transactions` with the number of all, for who counts in pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.domain.transactions import Transaction
from csms.store import transactions
from csms.store.columns import micros, to_json
from csms.store.database import ReadTx

_BEGUN = "ifnull(started_at, start_received_at)"


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions to list; None does not narrow."""

    station_id: int | None = None
    location_ids: frozenset[int] | None = None
    """Of the stations that stand there now, or did until they were deleted."""
    is_open: bool | None = None
    started_from: datetime | None = None
    ended_until: datetime | None = None


def list_page(
    tx: ReadTx, wanted: TransactionFilter, *, limit: int, offset: int = 0
) -> list[Transaction]:
    """A part of them, the one that began last first."""
    where, params = _where(wanted)
    rows = tx.all(
        f"SELECT * FROM transactions WHERE {where}"  # noqa: S608 - fixed terms
        f" ORDER BY {_BEGUN} DESC, id DESC LIMIT ? OFFSET ?",
        (*params, limit, offset),
    )
    return [transactions.from_row(row) for row in rows]


def count(tx: ReadTx, wanted: TransactionFilter) -> int:
    """How many `list_page` would go through."""
    where, params = _where(wanted)
    number: int = tx.value(f"SELECT count(*) FROM transactions WHERE {where}", params)  # noqa: S608
    return number


def _where(wanted: TransactionFilter) -> tuple[str, list[Any]]:
    terms: list[str] = ["1"]
    params: list[Any] = []
    for term, value in (
        ("station_id = ?", wanted.station_id),
        (f"{_BEGUN} >= ?", micros(wanted.started_from)),
        ("ifnull(ended_at, end_received_at) <= ?", micros(wanted.ended_until)),
    ):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.is_open is not None:
        terms.append("end_received_at IS NULL" if wanted.is_open else "end_received_at IS NOT NULL")
    if wanted.location_ids is not None:
        terms.append(
            "station_id IN (SELECT id FROM stations"
            " WHERE location_id IN (SELECT value FROM json_each(?)))"
        )
        params.append(to_json(sorted(wanted.location_ids)))
    return " AND ".join(terms), params
