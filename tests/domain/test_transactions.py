from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.transactions import energy_mwh, natural_key_v16

register = st.one_of(st.none(), st.integers(0, 10**15))


@given(register, register)
def test_energy_is_none_or_not_negative(start, end):
    energy = energy_mwh(start, end)
    assert energy is None or energy >= 0
    if start is not None and end is not None and end >= start:
        assert energy == end - start


def test_natural_key_ignores_the_case_of_the_tag_only():
    assert natural_key_v16(1, "Ab", "5", "9") == natural_key_v16(1, " aB\x01", "5", "9")
    keys = {
        natural_key_v16(1, "a", "5", "9"),
        natural_key_v16(2, "a", "5", "9"),
        natural_key_v16(1, "b", "5", "9"),
        natural_key_v16(1, "a", "6", "9"),
        natural_key_v16(1, "a", "5", "8"),
    }
    assert len(keys) == 5
