"""Sampled values of every version in one form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.sampled_values import SampledValue, read_sampled_value

junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = ("value", "measurand", "context", "format", "phase", "location", "unit", "unitOfMeasure")


def test_what_is_left_out_has_the_default_of_ocpp() -> None:
    assert read_sampled_value({"value": "5"}) == SampledValue(
        value="5",
        measurand="Energy.Active.Import.Register",
        context="Sample.Periodic",
        format="Raw",
        phase=None,
        location="Outlet",
        unit="Wh",
    )


def test_what_is_told_stays() -> None:
    told = {
        "value": "aF3E",
        "measurand": "Voltage",
        "context": "Transaction.Begin",
        "format": "SignedData",
        "phase": "L1-N",
        "location": "Inlet",
        "unit": "V",
    }
    assert read_sampled_value(told, "Other") == SampledValue(**told)


def test_the_context_of_the_reading_stands_in() -> None:
    assert read_sampled_value({"value": "5"}, "Transaction.End").context == "Transaction.End"


def test_only_energy_is_in_wh_by_itself() -> None:
    assert read_sampled_value({"value": "5", "measurand": "Temperature"}).unit is None


@pytest.mark.parametrize(
    ("value", "multiplier", "text"),
    [
        (5, None, "5"),
        (1.5, 3, "1500"),
        (230, -1, "23"),
        (0.1, 0, "0.1"),
        (123456789012.5, 0, "123456789012.5"),
        (5, 99, None),
        (True, 0, None),
        (None, 0, None),
    ],
)
def test_the_power_of_ten_of_newer_versions_is_applied(
    value: Any, multiplier: Any, text: str | None
) -> None:
    sample = {"value": value, "unitOfMeasure": {"unit": "kWh", "multiplier": multiplier}}

    read = read_sampled_value(sample)
    assert (read.value, read.unit) == (text, "kWh")


@given(st.one_of(junk, st.dictionaries(st.sampled_from(FIELDS), junk)))
def test_whatever_a_station_sends_can_be_read(sample: Any) -> None:
    read = read_sampled_value(sample)

    assert isinstance(read.measurand, str)
    assert read.value is None or isinstance(read.value, str)
