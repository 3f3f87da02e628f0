"""When a station dials again."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from csms.fleet.backoff import Backoff


@given(st.integers(0, 5000), st.integers())
def test_stays_between_half_and_all_of_a_growing_ceiling(failures, seed):
    delay = Backoff(first_s=0.5, cap_s=30).delay_s(failures, Random(seed))
    ceiling = min(30, 0.5 * 2.0 ** min(failures, 30))
    assert ceiling / 2 <= delay <= ceiling


def test_two_stations_do_not_come_back_together():
    delays = {Backoff().delay_s(3, Random(f"0:CS{number}")) for number in range(100)}
    assert len(delays) == 100
