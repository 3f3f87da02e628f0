"""Table `meter_values` read by sampled values: a row for each of those that stations sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from csms.clock import from_micros
from csms.domain.metering import DEFAULT_MEASURAND
from csms.domain.sampled_values import SampledValue, read_sampled_value
from csms.store.columns import micros
from csms.store.database import ReadTx, Row

# One reading never holds so many samples; so this makes numbers of their own of both.
_MOST_SAMPLES = 100_000
_SAMPLES = "CASE WHEN json_valid(samples) THEN samples ELSE '[]' END"
_FROM = f"FROM meter_values CROSS JOIN json_each({_SAMPLES}) AS sample"
_AT = "ifnull(meter_values.reported_at, meter_values.received_at)"


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples of a station to list; None does not narrow."""

    station_id: int
    measurand: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Not itself included."""


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


def list_page(
    tx: ReadTx, wanted: SampleFilter, *, limit: int, offset: int = 0
) -> list[StoredSample]:
    """A part of them, the newest first."""
    where, params = _where(wanted)
    # The samples of a reading come in their order by themselves; asked for, it would be all that is
    # sorted and not the few rows of the page, which an index has in order.
    rows = tx.all(
        f"SELECT meter_values.id, sample.key, meter_values.station_id, meter_values.evse_id,"
        " meter_values.transaction_id, transactions.station_transaction_id,"
        f" {_AT}, context, sample.value, sample.type {_FROM}"
        " LEFT JOIN transactions ON transactions.id = meter_values.transaction_id"
        f" WHERE {where} ORDER BY {_AT} DESC, meter_values.id DESC LIMIT ? OFFSET ?",
        (*params, limit, offset),
    )
    return [_stored(row) for row in rows]


def count(tx: ReadTx, wanted: SampleFilter) -> int:
    """How many `list_page` would go through."""
    where, params = _where(wanted)
    counted = f"count(*) {_FROM}"
    if wanted.measurand is None:  # nothing to look at in the samples
        counted = f"ifnull(sum(json_array_length({_SAMPLES})), 0) FROM meter_values"
    number: int = tx.value(f"SELECT {counted} WHERE {where}", params)
    return number


def _where(wanted: SampleFilter) -> tuple[str, list[Any]]:
    terms: list[str] = ["meter_values.station_id = ?"]
    params: list[Any] = [wanted.station_id]
    if wanted.measurand is not None:
        terms.append(
            "CASE sample.type WHEN 'object'"
            " THEN ifnull(json_extract(sample.value, '$.measurand'), ?) ELSE ? END = ?"
        )
        params += [DEFAULT_MEASURAND, DEFAULT_MEASURAND, wanted.measurand]
    if wanted.since is not None:
        terms.append(f"{_AT} >= ?")
        params.append(micros(wanted.since))
    if wanted.until is not None:
        terms.append(f"{_AT} < ?")
        params.append(micros(wanted.until))
    return " AND ".join(terms), params


def _stored(row: Row) -> StoredSample:
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
