"""Pages of table `transactions` by their beginning.

A page costs the same wherever it is: each order has its index, and a page begins where the one
before ended. Who counts in pages has an offset instead, which goes through the index alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from csms.domain.transactions import Transaction, TransactionFlag
from csms.errors import NotFound
from csms.store import transaction_events, transactions
from csms.store.columns import micros, to_json
from csms.store.database import ReadTx, Row

_BEGUN = "ifnull(started_at, start_received_at)"
_COLUMNS = (
    f"SELECT transactions.*, {_BEGUN} AS begun_at, stations.uuid AS station_uuid,"
    " stations.identity, stations.location_id, locations.uuid AS location_uuid"
)
_JOINS = (
    "CROSS JOIN stations ON stations.id = transactions.station_id"
    " LEFT JOIN locations ON locations.id = stations.location_id"
)
# Of so many stations each is asked for its own page; of more, all transactions are gone through.
_FEW_STATIONS = 200


class Place(NamedTuple):
    """Where a transaction is in the list: microseconds of its beginning, and its row id."""

    begun_at: int
    id: int


class Closing(NamedTuple):
    """Why and by whom a transaction was ended that its station did not end."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ListedTransaction:
    """A transaction, and the names of where it was. Its station may be gone by now."""

    transaction: Transaction
    place: Place
    station_uuid: str
    identity: str
    location_id: int | None
    location_uuid: str | None
    closing: Closing | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which to list; None does not narrow."""

    station_id: int | None = None
    location_ids: frozenset[int] | None = None
    id_token_key: str | None = None
    is_open: bool | None = None
    since: datetime | None = None
    """Those that began then or later."""
    before: datetime | None = None
    ended_until: datetime | None = None


def get_by_uuid(tx: ReadTx, uuid: str) -> ListedTransaction:
    """Raises NotFound."""
    row = tx.one(f"{_COLUMNS} FROM transactions {_JOINS} WHERE transactions.uuid = ?", (uuid,))
    if row is None:
        raise NotFound("Transaction not found")
    return _listed(tx, row)


def list_page(
    tx: ReadTx,
    wanted: Wanted,
    *,
    limit: int,
    after: Place | None = None,
    offset: int = 0,
    oldest_first: bool = False,
) -> list[ListedTransaction]:
    """Those that began last come first; `after` is the last one of the page before."""
    # Far into the list, each of the stations would have as many to skip.
    few = None if offset else _few_stations(tx, wanted)
    terms, params = _terms(wanted, few)
    if after is not None:
        way = ">" if oldest_first else "<"
        terms.append(f"{_BEGUN} {way}= ? AND ({_BEGUN} {way} ? OR id {way} ?)")
        params += [after.begun_at, after.begun_at, after.id]
    order = "ASC" if oldest_first else "DESC"
    source, index = "transactions", _index(wanted)
    first: list[Any] = []
    if few is not None:
        source, index = "json_each(?) AS few CROSS JOIN transactions", "transactions_station_begun"
        terms.append("station_id = few.value")
        first.append(to_json(few))
    found = (
        f"SELECT id FROM transactions INDEXED BY {index}"  # noqa: S608 - fixed terms
        f" WHERE {' AND '.join(terms)} ORDER BY {_BEGUN} {order}, id {order} LIMIT ? OFFSET ?"
    )
    rows = tx.all(
        f"{_COLUMNS} FROM {source} {_JOINS} WHERE transactions.id IN ({found})"
        f" ORDER BY {_BEGUN} {order}, transactions.id {order} LIMIT ?",
        (*first, *params, limit, offset, limit),
    )
    return [_listed(tx, row) for row in rows]


def count(tx: ReadTx, wanted: Wanted) -> int:
    """How many `list_page` would go through."""
    few = _few_stations(tx, wanted)
    terms, params = _terms(wanted, few)
    source = "transactions"
    if few is not None:
        source = "json_each(?) AS few CROSS JOIN transactions ON station_id = few.value"
        params = [to_json(few), *params]
    sql = f"SELECT count(*) FROM {source} WHERE {' AND '.join(terms)}"  # noqa: S608 - fixed terms
    number: int = tx.value(sql, params)
    return number


def _terms(wanted: Wanted, few: list[int] | None) -> tuple[list[str], list[Any]]:
    terms, params = ["1"], list[Any]()
    for term, value in (
        ("station_id = ?", wanted.station_id),
        ("id_token_key = ?", wanted.id_token_key),
        (f"{_BEGUN} >= ?", micros(wanted.since)),
        (f"{_BEGUN} < ?", micros(wanted.before)),
        ("ifnull(ended_at, end_received_at) <= ?", micros(wanted.ended_until)),
    ):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.is_open is not None:
        terms.append(f"end_received_at IS {'' if wanted.is_open else 'NOT '}NULL")
    if wanted.location_ids is not None and few is None:
        terms.append(
            "station_id IN (SELECT id FROM stations"
            " WHERE location_id IN (SELECT value FROM json_each(?)))"
        )
        params.append(to_json(sorted(wanted.location_ids)))
    return terms, params


def _few_stations(tx: ReadTx, wanted: Wanted) -> list[int] | None:
    """The stations of the wanted locations, if each has its own way to its page."""
    narrowed = wanted.station_id is not None or wanted.id_token_key is not None or wanted.is_open
    if wanted.location_ids is None or narrowed:
        return None
    rows = tx.all(
        "SELECT id FROM stations WHERE location_id IN (SELECT value FROM json_each(?)) LIMIT ?",
        (to_json(sorted(wanted.location_ids)), _FEW_STATIONS + 1),
    )
    return None if len(rows) > _FEW_STATIONS else [row[0] for row in rows]


def _index(wanted: Wanted) -> str:
    if wanted.is_open:
        return "transactions_open"
    if wanted.id_token_key is not None:
        return "transactions_token_begun"
    if wanted.station_id is not None:
        return "transactions_station_begun"
    return "transactions_begun"


def _listed(tx: ReadTx, row: Row) -> ListedTransaction:
    transaction = transactions.from_row(row)
    return ListedTransaction(
        transaction=transaction,
        place=Place(row["begun_at"], row["id"]),
        station_uuid=row["station_uuid"],
        identity=row["identity"],
        location_id=row["location_id"],
        location_uuid=row["location_uuid"],
        closing=_closing(tx, transaction),
    )


def _closing(tx: ReadTx, transaction: Transaction) -> Closing | None:
    if TransactionFlag.CLOSED not in transaction.flags:
        return None
    raw = transaction_events.find_inferred(tx, transaction.id)
    told = {} if raw is None else orjson.loads(raw)
    return Closing(told.get("reason", ""), told.get("by", ""))
