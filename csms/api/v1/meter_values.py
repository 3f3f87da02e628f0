"""Meter values natively: of a transaction or of a station, as they came or by spans of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import AwareDatetime, Field, StringConstraints

from csms.api import cursors, times
from csms.api.errors import Issue, ValidationFailed
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations, transactions
from csms.api.v1.shapes import Instant, cursor_page
from csms.clock import from_micros
from csms.domain.downsampling import Bucket, Spread, buckets
from csms.domain.metering import DEFAULT_MEASURAND
from csms.errors import Invalid
from csms.store import meter_value_pages as store
from csms.store.database import ReadTx
from csms.store.meter_value_pages import Place, StoredReading, Wanted

# What our own columns hold; a bucket can be made of nothing else.
_COLUMNS = {
    DEFAULT_MEASURAND: "energy_register_wh",
    "Power.Active.Import": "power_w",
    "Current.Import": "current_a",
    "SoC": "soc_percent",
}
# A page of buckets ends early rather than to go through more readings than about so many.
_MOST_READINGS = 20_000
_SECOND_US = 1_000_000


class Width(str, Enum):
    """How long a bucket is."""

    MINUTE = "1m"
    QUARTER = "15m"
    HOUR = "1h"


_WIDTHS_US = {
    Width.MINUTE: 60 * _SECOND_US,
    Width.QUARTER: 900 * _SECOND_US,
    Width.HOUR: 3600 * _SECOND_US,
}


Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class MeterValuesQuery(Page):
    """Which readings, and whether as they came."""

    evse_id: int | None = Field(default=None, ge=0, le=2**31 - 1)
    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = Field(default=None, description="Not itself included.")
    measurand: list[Word] | None = Field(
        default=None,
        max_length=20,
        description="Only these; may be repeated. Readings without any of them are left out, so"
        " that a page may have fewer than `limit`.",
    )
    phase: list[Word] | None = Field(
        default=None, max_length=20, description="As `measurand`, such as `L1`, `L1-N`."
    )
    context: list[Word] | None = Field(
        default=None, max_length=20, description="Such as `Sample.Clock`; the same."
    )
    sort: Literal["measured_at", "-measured_at"] = Field(
        default="measured_at", description="`-measured_at` with `limit=1`: the last one."
    )
    bucket: Width | None = Field(
        default=None,
        description="By spans of this length instead of every reading; `measurand` is then one of"
        " `Energy.Active.Import.Register`, `Power.Active.Import`, `Current.Import`, `SoC`, and"
        " `phase`, `context` and `sort` are not there.",
    )


class Samples(NamedTuple):
    """Which samples of a reading; None: all."""

    measurands: frozenset[str] | None
    phases: frozenset[str] | None
    contexts: frozenset[str] | None

    @property
    def narrow(self) -> bool:
        """Whether any may be left out."""
        return any(one is not None for one in self)

    def take(self, sample: Any, context: str) -> bool:
        """Whether this one is wanted."""
        return (
            (self.measurands is None or _measurand(sample) in self.measurands)
            and (self.phases is None or _word(sample, "phase") in self.phases)
            and (self.contexts is None or context in self.contexts)
        )


class ReadingShape(Shape):
    """The samples of one instant and context."""

    transaction_id: str | None = Field(description="Null: of the EVSE, outside of a transaction.")
    evse_id: int
    measured_at: Instant = Field(description="By the station's clock, where it says something.")
    received_at: Instant
    context: str
    energy_register_wh: int | None
    power_w: float | None
    current_a: float | None
    soc_percent: float | None
    samples: list[Any] = Field(description="As received, in the words of the station's version.")

    @classmethod
    def of(cls, reading: StoredReading, wanted: Samples) -> ReadingShape | None:
        """The reading with the wanted samples; None when it has none of them."""
        measurands = wanted.measurands
        samples = _read(reading.samples)
        if wanted.narrow:
            samples = [sample for sample in samples if wanted.take(sample, reading.context)]
            if not samples:
                return None
        columns = {
            "energy_register_wh": _wh(reading.register_mwh),
            "power_w": reading.power_w,
            "current_a": reading.current_a,
            "soc_percent": reading.soc_percent,
        }
        return cls(
            transaction_id=reading.transaction_uuid,
            evse_id=reading.evse_id,
            measured_at=times.micros(from_micros(reading.at)),
            received_at=times.micros(from_micros(reading.received_at)),
            context=reading.context,
            samples=samples,
            # Of which phase the value of a column is, it does not say.
            **_only(columns, frozenset() if wanted.phases is not None else measurands),
        )


class SpreadShape(Shape):
    """How far the values of a span reach."""

    lowest: float
    average: float
    highest: float

    @classmethod
    def of(cls, spread: Spread | None) -> SpreadShape | None:
        """The spread as it is shown, if there is one."""
        if spread is None:
            return None
        return cls(lowest=spread.lowest, average=spread.average, highest=spread.highest)


class BucketShape(Shape):
    """The readings of a span of time; spans without any are left out."""

    begins_at: Instant
    readings: int
    energy_register_wh: int | None = Field(description="The last one.")
    power_w: SpreadShape | None
    current_a: SpreadShape | None
    soc_percent: float | None = Field(description="The last one.")

    @classmethod
    def of(cls, bucket: Bucket, measurands: frozenset[str] | None) -> BucketShape:
        """The bucket as it is shown."""
        columns = {
            "energy_register_wh": _wh(bucket.register_mwh),
            "power_w": SpreadShape.of(bucket.power_w),
            "current_a": SpreadShape.of(bucket.current_a),
            "soc_percent": bucket.soc_percent,
        }
        return cls(
            begins_at=times.micros(from_micros(bucket.begins_at)),
            readings=bucket.readings,
            **_only(columns, measurands),
        )


class MeterValuePage(Shape):
    """In order of time; with `bucket` the items are spans of it."""

    items: list[ReadingShape] | list[BucketShape]
    next_cursor: str | None


async def of_transaction(call: Call[None, MeterValuesQuery]) -> Reply:
    """What was metered for one transaction."""

    def look(tx: ReadTx) -> tuple[int, int]:
        found = transactions.find(tx, call.path["transaction_id"], call.principal).transaction
        return found.station_id, found.id

    return await _page(call, look)


async def of_station(call: Call[None, MeterValuesQuery]) -> Reply:
    """What a station metered, for transactions and otherwise."""
    return await _page(
        call, lambda tx: (stations.find(tx, call.path["station_id"], call.principal).id, None)
    )


async def _page(
    call: Call[None, MeterValuesQuery], owner: Callable[[ReadTx], tuple[int, int | None]]
) -> Reply:
    query = call.query
    measurands = _set(query.measurand)
    samples = Samples(measurands, _set(query.phase), _set(query.context))
    if query.bucket is not None:
        _check_columns(measurands)
        for name in ("phase", "context", "sort"):
            if name in query.model_fields_set:
                raise Invalid("is not there with `bucket`", loc=(name,), where="query")
    place = cursors.read_pair(query.cursor)
    after = None if place is None else Place(*place)

    def look(tx: ReadTx) -> tuple[Sequence[Shape], Place | None]:
        station_id, transaction_id = owner(tx)
        wanted = Wanted(
            *(station_id, transaction_id, query.evse_id, query.from_, query.to),
            newest_first=query.sort == "-measured_at",
        )
        if query.bucket is None:
            return _readings(tx, wanted, query.limit, after, samples)
        width_us = _WIDTHS_US[query.bucket]
        return _buckets(tx, wanted, query.limit, after, width_us, measurands)

    shown, next_place = await call.deps.db.read(look)
    more = None if next_place is None else cursors.write(*next_place)
    return Reply(cursor_page(list(shown), more))


def _readings(
    tx: ReadTx,
    wanted: Wanted,
    limit: int,
    after: Place | None,
    samples: Samples,
) -> tuple[list[ReadingShape], Place | None]:
    found = store.list_page(tx, wanted, limit=limit + 1, after=after)
    shown = [ReadingShape.of(reading, samples) for reading in found[:limit]]
    more = found[limit - 1].place if len(found) > limit else None
    return [shape for shape in shown if shape is not None], more


def _buckets(  # noqa: PLR0917 - one question
    tx: ReadTx,
    wanted: Wanted,
    limit: int,
    after: Place | None,
    width_us: int,
    measurands: frozenset[str] | None,
) -> tuple[list[BucketShape], Place | None]:
    shown: list[BucketShape] = []
    gone_through = 0
    for bucket in buckets(store.walk(tx, wanted, after=after), width_us):
        if len(shown) == limit or gone_through > _MOST_READINGS:
            return shown, Place(bucket.begins_at, 0)
        shown.append(BucketShape.of(bucket, measurands))
        gone_through += bucket.readings
    return shown, None


def _check_columns(measurands: frozenset[str] | None) -> None:
    unknown = sorted((measurands or frozenset()) - _COLUMNS.keys())
    if unknown:
        told = f"with bucket one of {', '.join(_COLUMNS)}"
        raise ValidationFailed([Issue(("query", "measurand"), told, "value_error", unknown)])


def _only(columns: dict[str, Any], measurands: frozenset[str] | None) -> dict[str, Any]:
    if measurands is None:
        return columns
    kept = {_COLUMNS[name] for name in measurands if name in _COLUMNS}
    return {name: value if name in kept else None for name, value in columns.items()}


def _set(words: list[str] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)


def _measurand(sample: Any) -> str | None:
    return _word(sample, "measurand", DEFAULT_MEASURAND)


def _word(sample: Any, name: str, default: str | None = None) -> str | None:
    found = sample.get(name, default) if isinstance(sample, dict) else None
    return found if isinstance(found, str) else None


def _read(samples: str) -> list[Any]:
    try:
        read = orjson.loads(samples)
    except orjson.JSONDecodeError:  # joined from several messages; one flaw hides no reading
        return []
    return read if isinstance(read, list) else []


def _wh(mwh: int | None) -> int | None:
    return None if mwh is None else round(mwh / 1000)
