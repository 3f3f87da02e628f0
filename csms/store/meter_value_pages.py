"""Pages of table `meter_values` in the order of time: by readings, or sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from csms.clock import from_micros
from csms.domain.metering import DEFAULT_MEASURAND
from csms.domain.sampled_values import SampledValue, read_sampled_value
from csms.store.columns import micros
from csms.store.database import ReadTx, Row

_AT = "ifnull(reported_at, received_at)"
_GROUP = "station_id = ? AND ifnull(transaction_id, 0) = ?"
_PAGE = 500
# One reading never holds so many samples; so this makes numbers of their own of both.
_MOST_SAMPLES = 100_000
_EXPANDED = (
    "FROM meter_values INDEXED BY meter_values_station CROSS JOIN json_each("
    "CASE WHEN json_valid(samples) THEN samples ELSE '[]' END) AS sample"
)
_MEASURAND = (
    " AND CASE sample.type WHEN 'object'"
    " THEN ifnull(json_extract(sample.value, '$.measurand'), ?) ELSE ? END = ?"
)


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


class StoredSample(NamedTuple):
    """One sampled value: when and where it was taken."""

    id: int
    station_id: int
    evse_id: int
    transaction_id: int | None
    station_transaction_id: str | None
    at: datetime
    """By the station's clock where it told, else by ours."""
    sample: SampledValue


def list_samples(
    tx: ReadTx, wanted: Wanted, measurand: str | None, *, limit: int, offset: int = 0
) -> list[StoredSample]:
    """The newest readings first, the samples of each in their order."""
    if measurand is None:
        wanted, offset = _skip(tx, wanted, offset)
    where, params = _of_station(wanted)
    if measurand is not None:
        where += _MEASURAND
        params += [DEFAULT_MEASURAND, DEFAULT_MEASURAND, measurand]
    # The samples of a reading come in their order by themselves; asked for, it would be all that is
    # sorted and not the few rows of the page, which the index has in order.
    rows = tx.all(
        "SELECT meter_values.id, sample.key, station_id, evse_id, transaction_id,"  # noqa: S608
        " (SELECT station_transaction_id FROM transactions WHERE id = transaction_id),"
        f" {_AT}, context, sample.value, sample.type {_EXPANDED}"
        f" WHERE {where} ORDER BY {_AT} DESC, meter_values.id DESC LIMIT ? OFFSET ?",
        (*params, limit, offset),
    )
    return [_sample(row) for row in rows]


def count_samples(tx: ReadTx, wanted: Wanted, measurand: str | None) -> int:
    """How many `list_samples` would go through."""
    where, params = _of_station(wanted)
    if measurand is None:
        return _counts(tx, where, params)[1]
    params += [DEFAULT_MEASURAND, DEFAULT_MEASURAND, measurand]
    number: int = tx.value(f"SELECT count(*) {_EXPANDED} WHERE {where}{_MEASURAND}", params)
    return number


def walk(tx: ReadTx, wanted: Wanted, *, after: Place | None = None) -> Iterator[StoredReading]:
    """All that follow, the oldest first."""
    while True:
        page = list_page(tx, wanted, limit=_PAGE, after=after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].place


_Terms = tuple[str, list[Any]]


def _skip(tx: ReadTx, wanted: Wanted, number: int) -> tuple[Wanted, int]:
    """Without so many of the newest samples: what is left, and how many to skip in it still.

    Half of the readings at a time, as the index counts them: quick wherever the page is.
    """
    near = wanted
    readings, _ = _counts(tx, *_of_station(near))
    while number and readings > _PAGE:
        where, params = _of_station(near)
        middle = tx.value(
            f"SELECT {_AT} FROM meter_values INDEXED BY meter_values_station"  # noqa: S608
            f" WHERE {where} ORDER BY {_AT} DESC LIMIT 1 OFFSET ?",
            (*params, readings // 2),
        )
        newer = replace(near, since=from_micros(middle))
        skipped, samples = _counts(tx, *_of_station(newer))
        if samples <= number:
            near = replace(near, before=newer.since)
            readings, number = readings - skipped, number - samples
        elif skipped < readings:
            near, readings = newer, skipped
        else:
            break  # all of them at one time
    return replace(near, since=wanted.since), number


def _counts(tx: ReadTx, where: str, params: list[Any]) -> tuple[int, int]:
    """How many readings, and how many samples in them."""
    row = tx.one(
        "SELECT count(*), ifnull(sum(sample_count), 0) FROM meter_values"  # noqa: S608
        f" INDEXED BY meter_values_station WHERE {where}",
        params,
    )
    assert row is not None
    return row[0], row[1]


def _of_station(wanted: Wanted) -> _Terms:
    terms, params = _terms(wanted, None)
    return f"station_id = ?{terms}", [wanted.station_id, *params]


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


def _sample(row: Row) -> StoredSample:
    row_id, number, station_id, evse_id, transaction_id, own_id, at, context, value, kind = row
    sample = orjson.loads(value) if kind in {"object", "array"} else value
    return StoredSample(
        row_id * _MOST_SAMPLES + number,
        station_id,
        evse_id,
        transaction_id,
        own_id,
        from_micros(at),
        read_sampled_value(sample, context),
    )
