from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.metering import (
    MAX_REGISTER_MWH,
    Reading,
    number,
    phase_register,
    register_mwh,
    register_span,
    scaled,
    summarise,
)

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ((ENERGY, None, None, "12.345", None), (12345, None, None, None)),
        ((ENERGY, None, "kWh", "12.345", None), (12_345_000, None, None, None)),
        ((ENERGY, "", " kwh", "1", None), (1_000_000, None, None, None)),
        ((POWER, None, "W", "-5", None), (None, -5.0, None, None)),
        (("SoC", None, "%", "100", None), (None, None, None, 100.0)),
        (("SoC", None, None, "101", None), (None, None, None, None)),
        ((ENERGY, None, "Wh", "12", "Inlet"), (None, None, None, None)),
    ],
)
def test_units_become_ours(sample, expected):
    assert summarise([sample]) == expected


def test_whole_evse_counts_before_phases():
    samples = [(POWER, "L1", "W", "10", None), (POWER, None, "W", "31", None)]
    assert summarise(samples)[1] == 31.0


def test_powers_of_phases_add_up_and_the_highest_current_stands():
    samples = [
        (measurand, phase, None, value, None)
        for measurand in (POWER, CURRENT)
        for phase, value in (("L1", "10"), ("L2-N", "20"), ("L3", "30"), ("N", "99"))
    ]
    assert summarise(samples) == (None, 60.0, 30.0, None)


@pytest.mark.parametrize(
    ("phases", "expected"),
    [(("L1", "L2", "L3"), 3000), (("L1-N", "L2-N", "L3-N"), 3000), (("L1", "L2"), None)],
)
def test_registers_of_phases_add_up_when_all_are_there(phases, expected):
    assert summarise([(ENERGY, phase, "Wh", "1", None) for phase in phases])[0] == expected


def test_the_first_of_two_equal_samples_stands():
    samples = [(ENERGY, None, "Wh", "1", None), (ENERGY, None, "Wh", "2", None)]
    assert summarise(samples)[0] == 1000


@given(st.lists(st.tuples(junk, junk, junk, junk, junk), max_size=5))
def test_summary_never_raises(samples):
    summarise(samples)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ENERGY, POWER, CURRENT, "SoC"]),
            st.one_of(st.sampled_from([None, "L1", "L2", "L1-N"]), junk),
            st.one_of(st.sampled_from([None, "Wh", "kWh", "W", "A"]), junk),
            junk,
            junk,
        ),
        max_size=6,
    )
)
def test_register_is_a_countable_number_or_none(samples):
    register, power, current, soc = summarise(samples)
    assert register is None or 0 <= register <= 3 * MAX_REGISTER_MWH
    assert all(value is None or abs(value) < 1e9 for value in (power, current, soc))


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([], None),
        ([(ENERGY, "L1", None, "2", None)], ("L1", 2000)),
        ([(ENERGY, "L3-N", "kWh", "2", None)], ("L3", 2_000_000)),
        ([(ENERGY, "L2", None, "2", None), (ENERGY, "L1", None, "1", None)], ("L1+L2", 3000)),
        ([(ENERGY, f"L{n}", None, "2", None) for n in (1, 2, 3)], None),
        ([(ENERGY, "L1", None, "2", None), (ENERGY, None, None, "2", None)], None),
        ([(ENERGY, "L1", None, "2", None), (CURRENT, "L2", None, "6", None)], None),
        ([(ENERGY, "L1", None, "2", None), (CURRENT, "L2", None, "0", None)], ("L1", 2000)),
        ([(ENERGY, "L1", None, "-2", None)], None),
        ([(ENERGY, "N", None, "2", None)], None),
        ([(ENERGY, "L1", None, "2", "Inlet")], None),
    ],
)
def test_register_of_some_phases_is_told_with_them(samples, expected):
    assert phase_register(samples) == expected


@given(st.lists(st.tuples(junk, junk, junk, junk, junk), max_size=5))
def test_register_of_phases_never_raises(samples):
    phase_register(samples)


@given(junk)
def test_number_is_finite_or_none(value):
    found = number(value)
    assert found is None or abs(found) < 1e300


@pytest.mark.parametrize("value", ["1_000", "\u0661\u0662", "\uff11", "\u00a012", "0x10", "1,5"])
def test_number_is_ascii_decimal(value):
    assert number(value) is None


@pytest.mark.parametrize(
    ("value", "expected"), [("1000", 1000.0), (" 1.5e3", 1500.0), ("-.5", -0.5)]
)
def test_number_may_have_sign_fraction_and_exponent(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize("value", [-1, "-0.001", 2**62, "nan", None, True, 10**13])
def test_register_no_meter_shows_is_none(value):
    assert register_mwh(value) is None


@given(st.integers(0, 10**12))
def test_whole_watt_hours_are_exact(wh):
    assert register_mwh(wh) == wh * 1000


@pytest.mark.parametrize(
    ("value", "multiplier", "expected"),
    [
        (1.5, None, 1.5),
        (1.5, 3, 1500.0),
        ("230", -1, 23.0),
        (1, 16, None),
        (1, "3", None),
        (1, True, None),
        ("x", 3, None),
    ],
)
def test_power_of_ten_is_applied_or_the_value_says_nothing(value, multiplier, expected):
    assert scaled(value, multiplier) == expected


@given(junk, junk)
def test_scaling_never_raises(value, multiplier):
    scaled(value, multiplier)


def reading(minute, register, context="Sample.Periodic"):
    at = None if minute is None else datetime(2026, 5, 1, 10, minute, tzinfo=UTC)
    return Reading(at, None, context, register, None, None, None, "[]")


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], (None, None, False)),
        ([reading(1, None)], (None, None, False)),
        ([reading(2, 9000), reading(1, 5000)], (5000, 9000, False)),
        ([reading(1, 9000), reading(2, 5000)], (9000, 5000, True)),
        ([reading(1, 9000), reading(2, 8000)], (9000, 8000, False)),
        ([reading(1, 9000)], (9000, None, False)),
        ([reading(1, 9000), reading(2, None)], (9000, None, False)),
        ([reading(1, 9000), reading(2, 9000)], (9000, 9000, False)),
        ([reading(1, 9), reading(1, 9, "Transaction.Begin")], (9, None, False)),
        ([reading(1, 9, "Transaction.Begin"), reading(1, 9, "Transaction.End")], (9, 9, False)),
        ([reading(None, 9000), reading(None, 5000), reading(None, 9000)], (9000, 9000, True)),
        ([reading(1, 7, "Transaction.End"), reading(2, 3, "Transaction.Begin")], (3, 7, False)),
        ([reading(None, 3), reading(2, 7)], (3, 7, False)),
    ],
)
def test_span_of_a_register_goes_by_time_and_meaning(readings, expected):
    assert register_span(readings) == expected
