"""Readings by equal spans of time: what is left of them where all would be too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol, TypeVar

T = TypeVar("T")


class Measured(Protocol):
    """What could be understood of one reading."""

    @property
    def at(self) -> int:
        """Microseconds."""
        ...

    @property
    def register_mwh(self) -> int | None:
        """Energy drawn since ever."""
        ...

    @property
    def power_w(self) -> float | None:
        """Power drawn."""
        ...

    @property
    def current_a(self) -> float | None:
        """Current drawn."""
        ...

    @property
    def soc_percent(self) -> float | None:
        """State of charge."""
        ...


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the values of a span reach; each counts alike in the average."""

    lowest: float
    average: float
    highest: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """The readings of one span: of what grows the last, of what varies the spread."""

    begins_at: int
    readings: int
    register_mwh: int | None
    power_w: Spread | None
    current_a: Spread | None
    soc_percent: float | None


def buckets(readings: Iterable[Measured], width_us: int) -> Iterator[Bucket]:
    """Spans that have readings, counted from the epoch; `readings` are in the order of time."""
    for number, group in groupby(readings, key=lambda reading: reading.at // width_us):
        inside = list(group)
        yield Bucket(
            begins_at=number * width_us,
            readings=len(inside),
            register_mwh=_last(reading.register_mwh for reading in inside),
            power_w=_spread(reading.power_w for reading in inside),
            current_a=_spread(reading.current_a for reading in inside),
            soc_percent=_last(reading.soc_percent for reading in inside),
        )


def _last(values: Iterable[T | None]) -> T | None:
    found = [value for value in values if value is not None]
    return found[-1] if found else None


def _spread(values: Iterable[float | None]) -> Spread | None:
    found = [value for value in values if value is not None]
    if not found:
        return None
    return Spread(min(found), sum(found) / len(found), max(found))
