"""Readings by spans of time."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.downsampling import Bucket, Spread, buckets


class Taken(NamedTuple):
    at: int
    register_mwh: int | None = None
    power_w: float | None = None
    current_a: float | None = None
    soc_percent: float | None = None


def test_no_readings_make_no_bucket():
    assert [] == list(buckets([], 60))


def test_a_span_begins_at_a_multiple_of_its_length_and_empty_ones_are_left_out():
    found = [bucket.begins_at for bucket in buckets([Taken(-1), Taken(59), Taken(180)], 60)]
    assert [-60, 0, 180] == found


def test_what_is_missing_does_not_count():
    inside = [Taken(0, 5, 10.0), Taken(1), Taken(2, None, 20.0, 3.0, 50.0)]
    assert [
        Bucket(0, 3, 5, Spread(10.0, 15.0, 20.0), Spread(3.0, 3.0, 3.0), 50.0),
    ] == list(buckets(inside, 60))


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(-1e6, 1e6)), max_size=50))
def test_every_reading_is_in_one_bucket_within_its_spread(values: list[tuple[int, float]]):
    readings = [Taken(at, None, power) for at, power in sorted(values)]
    found = list(buckets(readings, 60))
    assert len(readings) == sum(bucket.readings for bucket in found)
    for bucket in found:
        inside = [r.power_w for r in readings if bucket.begins_at <= r.at < bucket.begins_at + 60]
        assert bucket.power_w is not None
        assert (min(inside), max(inside)) == (bucket.power_w.lowest, bucket.power_w.highest)
