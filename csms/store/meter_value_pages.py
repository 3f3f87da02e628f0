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
_SLICES = 64
_INDEXED = "FROM meter_values INDEXED BY meter_values_station"
_EXPANDED = (
    f"{_INDEXED} CROSS JOIN json_each("
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
    newest_first: bool = False


def list_page(
    tx: ReadTx, wanted: Wanted, *, limit: int, after: Place | None = None
) -> list[StoredReading]:
    """In order of time; `after` is the last one of the page before."""
    way = "DESC" if wanted.newest_first else "ASC"
    terms, params = _terms(wanted, after)
    if wanted.transaction_id is None:
        station = ("station_id = ?", [wanted.station_id])
        return _read(tx, "meter_values_station", station, (terms, params), limit, way)
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
            way,
        )
    ]
    return sorted(found, key=lambda one: one.place, reverse=wanted.newest_first)[:limit]


class StoredSample(NamedTuple):
    """One sampled value: when and where it was taken."""

    id: int
    station_id: int
    evse_id: int
    transaction_id: int | None
    station_transaction_id: int | str | None
    """As on the wire: a number in OCPP 1.6, a text in 2.x."""
    at: datetime
    """By the station's clock where it told, else by ours."""
    sample: SampledValue


class SamplePage(NamedTuple):
    """A part of the sampled values, and how many there are in all."""

    items: list[StoredSample]
    total: int


def list_samples(
    tx: ReadTx, wanted: Wanted, measurand: str | None, *, limit: int, offset: int = 0
) -> SamplePage:
    """The newest readings first, the samples of each in their order.

    All are counted once, by slices of time, and only what is near the page is looked at again: so
    a page costs the same wherever it is.
    """
    parts = _parts(tx, wanted, measurand)
    total = sum(part.samples for part in parts)
    if offset >= total:
        return SamplePage([], total)
    first, skipped = _holding(parts, offset)
    last, _ = _holding(parts, min(offset + limit, total) - 1)
    oldest, offset = last.of.since, offset - skipped
    while offset and first.samples > _PAGE and len(parts) > 1:
        parts = _parts(tx, first.of, measurand)
        first, skipped = _holding(parts, offset)
        offset -= skipped
    near = replace(wanted, since=oldest, before=first.of.before)
    return SamplePage(_samples(tx, near, measurand, limit, offset), total)


def walk(tx: ReadTx, wanted: Wanted, *, after: Place | None = None) -> Iterator[StoredReading]:
    """All that follow, the oldest first."""
    while True:
        page = list_page(tx, wanted, limit=_PAGE, after=after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].place


_Terms = tuple[str, list[Any]]


class _Part(NamedTuple):
    of: Wanted
    samples: int


def _parts(tx: ReadTx, wanted: Wanted, measurand: str | None) -> list[_Part]:
    """The newest first: slices of time, or all in one when it is not much or of one instant."""
    where, params = _of_station(wanted)
    times = f"SELECT {_AT} {_INDEXED} WHERE {where} ORDER BY {_AT}"
    slices = [wanted]
    if tx.value(f"{times} LIMIT 1 OFFSET ?", (*params, _PAGE)) is not None:
        oldest = tx.value(f"{times} LIMIT 1", params)
        end = tx.value(f"{times} DESC LIMIT 1", params) + 1
        width = -(-(end - oldest) // _SLICES)
        slices = [
            replace(wanted, since=from_micros(begin), before=from_micros(min(begin + width, end)))
            for begin in reversed(range(oldest, end, width))
        ]
    return [_Part(one, _count(tx, one, measurand)) for one in slices]


def _holding(parts: list[_Part], number: int) -> tuple[_Part, int]:
    """The part in which the sample of this number is, and how many come before that part."""
    skipped = 0
    for part in parts:
        if number < skipped + part.samples:
            return part, skipped
        skipped += part.samples
    raise ValueError(f"there are {skipped} samples, so none has number {number}")


def _count(tx: ReadTx, wanted: Wanted, measurand: str | None) -> int:
    where, params = _of_station(wanted)
    if measurand is None:
        sql = f"SELECT ifnull(sum(sample_count), 0) {_INDEXED} WHERE {where}"
    else:
        sql = f"SELECT count(*) {_EXPANDED} WHERE {where}{_MEASURAND}"
        params += [DEFAULT_MEASURAND, DEFAULT_MEASURAND, measurand]
    number: int = tx.value(sql, params)
    return number


def _samples(
    tx: ReadTx, wanted: Wanted, measurand: str | None, limit: int, offset: int
) -> list[StoredSample]:
    where, params = _of_station(wanted)
    if measurand is not None:
        where += _MEASURAND
        params += [DEFAULT_MEASURAND, DEFAULT_MEASURAND, measurand]
    # The samples of a reading come in their order by themselves; asked for, it would be all that is
    # sorted and not the few rows of the page, which the index has in order.
    rows = tx.all(
        "SELECT meter_values.id, sample.key, station_id, evse_id, transaction_id,"  # noqa: S608
        " (SELECT CASE WHEN natural_key IS NULL THEN station_transaction_id"
        " ELSE CAST(station_transaction_id AS INTEGER) END"
        " FROM transactions WHERE id = transaction_id),"
        f" {_AT}, context, sample.value, sample.type {_EXPANDED}"
        f" WHERE {where} ORDER BY {_AT} DESC, meter_values.id DESC LIMIT ? OFFSET ?",
        (*params, limit, offset),
    )
    return [_sample(row) for row in rows]


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
        way = "<" if wanted.newest_first else ">"
        terms.append(f" AND {_AT} {way}= ? AND ({_AT} {way} ? OR id {way} ?)")
        params += [after.at, after.at, after.id]
    return "".join(terms), params


def _evses(tx: ReadTx, group: list[int]) -> Iterator[int]:
    """Which EVSEs measured for a transaction: a step in the index for each."""
    evse_id = -1
    sql = f"SELECT min(evse_id) FROM meter_values WHERE {_GROUP} AND evse_id > ?"  # noqa: S608
    while (found := tx.value(sql, (*group, evse_id))) is not None:
        yield (evse_id := found)


def _read(  # noqa: PLR0917 - the parts of one query
    tx: ReadTx, index: str, where: _Terms, narrowed: _Terms, limit: int, way: str
) -> list[StoredReading]:
    found = (
        f"SELECT id FROM meter_values INDEXED BY {index} WHERE {where[0]}{narrowed[0]}"  # noqa: S608
        f" ORDER BY {_AT} {way}, id {way} LIMIT ?"
    )
    rows = tx.all(
        f"SELECT m.id, ifnull(m.reported_at, m.received_at), t.uuid, m.evse_id, m.received_at,"  # noqa: S608
        " m.context, m.register_mwh, m.power_w, m.current_a, m.soc_percent, m.samples"
        " FROM meter_values AS m LEFT JOIN transactions AS t ON t.id = m.transaction_id"
        f" WHERE m.id IN ({found}) ORDER BY 2 {way}, 1 {way}",
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
