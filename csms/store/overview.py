"""Counts over all tables: what there is, and what goes on."""

from __future__ import annotations

from dataclasses import dataclass

from csms.store.columns import to_json
from csms.store.database import ReadTx
from csms.store.seek import first_since

# Of so many of the newest messages it is counted what became of them.
NEWEST_MESSAGES = 10_000


@dataclass(frozen=True, slots=True)
class StationCounts:
    """Live stations."""

    total: int
    online: int
    virtual: int
    blocked: int
    never_connected: int


@dataclass(frozen=True, slots=True)
class TransactionCounts:
    """What goes on, and what began lately."""

    open: int
    begun: int
    energy_mwh: int
    """Of those that began, so far; those of which it cannot be known are left out."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    stations: StationCounts
    connectors: dict[str, int]
    transactions: TransactionCounts
    messages: dict[str, int]


_REACHED = "deleted_at IS NULL AND (?1 IS NULL OR location_id IN (SELECT value FROM json_each(?1)))"


def count(tx: ReadTx, location_ids: frozenset[int] | None, *, begun_since: int) -> Overview:
    """What is reached; the instant says from when on transactions are lately begun."""
    reach = None if location_ids is None else to_json(sorted(location_ids))
    stations = tx.one(
        "SELECT count(*), ifnull(sum(connected_epoch = (SELECT epoch FROM engine)), 0),"  # noqa: S608 - a constant
        " ifnull(sum(virtual), 0), count(blocked_at), ifnull(sum(last_connected_at IS NULL), 0)"
        f" FROM stations WHERE {_REACHED}",
        (reach,),
    )
    connectors = tx.all(
        "SELECT status, count(*) FROM connectors JOIN stations ON stations.id = station_id"  # noqa: S608
        f" WHERE evse_id > 0 AND {_REACHED} GROUP BY status",
        (reach,),
    )
    messages = tx.all(
        "SELECT state, count(*) FROM (SELECT station_id, state FROM ocpp_messages"  # noqa: S608
        " ORDER BY id DESC LIMIT ?2) JOIN stations ON stations.id = station_id"
        f" WHERE {_REACHED} GROUP BY state",
        (reach, NEWEST_MESSAGES),
    )
    assert stations is not None
    return Overview(
        stations=StationCounts(*stations),
        connectors={row[0]: row[1] for row in connectors},
        transactions=_transactions(tx, reach, begun_since),
        messages={row[0]: row[1] for row in messages},
    )


def _transactions(tx: ReadTx, reach: str | None, begun_since: int) -> TransactionCounts:
    # That the partial index of open transactions is used is worth a query of its own.
    is_open = tx.value(
        "SELECT count(*) FROM transactions JOIN stations ON stations.id = station_id"  # noqa: S608
        f" WHERE end_received_at IS NULL AND {_REACHED}",
        (reach,),
    )
    begun = tx.one(
        "SELECT count(*), ifnull(sum(CASE WHEN instr(flags, 'register_fell') THEN 0 ELSE"  # noqa: S608
        " max(0, ifnull(end_register_mwh, last_register_mwh) - start_register_mwh) END), 0)"
        " FROM transactions JOIN stations ON stations.id = station_id"
        f" WHERE transactions.id >= ?2 AND start_received_at >= ?3 AND {_REACHED}",
        (
            reach,
            first_since(tx, "transactions", "start_received_at", begun_since),
            begun_since,
        ),
    )
    assert begun is not None
    return TransactionCounts(is_open, *begun)
