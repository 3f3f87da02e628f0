from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.histograms import Histogram


def test_a_value_counts_for_its_bound_and_all_above() -> None:
    histogram = Histogram([1.0, 2.0, 5.0])
    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.record(value)
    assert [(1.0, 2), (2.0, 3), (5.0, 3), (math.inf, 4)] == histogram.cumulative()
    assert 10.0 == histogram.sum


def test_without_values_everything_is_zero() -> None:
    histogram = Histogram([1.0])
    assert ([(1.0, 0), (math.inf, 0)], 0.0) == (histogram.cumulative(), histogram.sum)


@given(st.lists(st.floats(-1e6, 1e6)))
def test_it_is_what_counting_by_hand_says(values: list[float]) -> None:
    histogram = Histogram([-1.0, 0.0, 100.0])
    for value in values:
        histogram.record(value)
    expected = [
        (bound, sum(value <= bound for value in values)) for bound in (-1.0, 0.0, 100.0, math.inf)
    ]
    assert expected == histogram.cumulative()
    assert math.fsum(values) == pytest.approx(histogram.sum, abs=1e-3)
