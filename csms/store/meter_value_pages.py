"""Pages of table `meter_values` in the order of time, of a transaction or of a station."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from csms.store.columns import micros
from csms.store.database import ReadTx, Row

_AT = "ifnull(reported_at, received_at)"
_GROUP = "station_id = ? AND ifnull(transaction_id, 0) = ?"
_PAGE = 500


class Place(NamedTuple):
    """Where a reading is in the list: microseconds of its time, and its row id."""

    at: int
    id: int


class StoredReading(NamedTuple):
    """A row; `samples` is the JSON array as received."""

    id: int
    at: int
    transaction_uuid: str | None
    evse_id: int
    received_at: int
    context: str
    register_mwh: int | None
    power_w: float | None
    current_a: float | None
    soc_percent: float | None
    samples: str

    @property
    def place(self) -> Place:
        """Where it is in the list."""
        return Place(self.at, self.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which to list; None does not narrow."""

    station_id: int
    transaction_id: int | None = None
    evse_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None


def list_page(
    tx: ReadTx, wanted: Wanted, *, limit: int, after: Place | None = None
) -> list[StoredReading]:
    """The oldest first; `after` is the last one of the page before."""
    terms, params = _terms(wanted, after)
    if wanted.transaction_id is None:
        station = ("station_id = ?", [wanted.station_id])
        return _read(tx, "meter_values_station", station, (terms, params), limit)
    # The index has the readings of each EVSE in order; there is rarely more than one.
    group = [wanted.station_id, wanted.transaction_id]
    found = [
        reading
        for evse_id in _evses(tx, group)
        for reading in _read(
            tx,
            "meter_values_natural",
            (f"{_GROUP} AND evse_id = ?", [*group, evse_id]),
            (terms, params),
            limit,
        )
    ]
    return sorted(found, key=lambda reading: reading.place)[:limit]


def walk(tx: ReadTx, wanted: Wanted, *, after: Place | None = None) -> Iterator[StoredReading]:
    """All that follow, the oldest first."""
    while True:
        page = list_page(tx, wanted, limit=_PAGE, after=after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].place


_Terms = tuple[str, list[Any]]


def _terms(wanted: Wanted, after: Place | None) -> _Terms:
    terms, params = [], list[Any]()
    for term, value in (
        (f"{_AT} >= ?", micros(wanted.since)),
        (f"{_AT} < ?", micros(wanted.before)),
        ("evse_id = ?", wanted.evse_id),
    ):
        if value is not None:
            terms.append(f" AND {term}")
            params.append(value)
    if after is not None:
        terms.append(f" AND {_AT} >= ? AND ({_AT} > ? OR id > ?)")
        params += [after.at, after.at, after.id]
    return "".join(terms), params


def _evses(tx: ReadTx, group: list[int]) -> Iterator[int]:
    """Which EVSEs measured for a transaction: a step in the index for each."""
    evse_id = -1
    sql = f"SELECT min(evse_id) FROM meter_values WHERE {_GROUP} AND evse_id > ?"  # noqa: S608
    while (found := tx.value(sql, (*group, evse_id))) is not None:
        yield (evse_id := found)


def _read(
    tx: ReadTx, index: str, where: _Terms, narrowed: _Terms, limit: int
) -> list[StoredReading]:
    found = (
        f"SELECT id FROM meter_values INDEXED BY {index} WHERE {where[0]}{narrowed[0]}"  # noqa: S608
        f" ORDER BY {_AT}, id LIMIT ?"
    )
    rows = tx.all(
        f"SELECT m.id, ifnull(m.reported_at, m.received_at), t.uuid, m.evse_id, m.received_at,"  # noqa: S608
        " m.context, m.register_mwh, m.power_w, m.current_a, m.soc_percent, m.samples"
        " FROM meter_values AS m LEFT JOIN transactions AS t ON t.id = m.transaction_id"
        f" WHERE m.id IN ({found}) ORDER BY 2, 1",
        (*where[1], *narrowed[1], limit),
    )
    return [_reading(row) for row in rows]


def _reading(row: Row) -> StoredReading:
    return StoredReading(*row)
