from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.prices import Cost, Prices, cost_of
from tests.domain.test_reconciliation import BEGUN, OPEN

ENDED = replace(
    OPEN,
    start_register_mwh=1_000_000,
    end_register_mwh=11_500_000,  # 10.5 kWh
    ended_at=BEGUN + timedelta(minutes=90),
    end_received_at=BEGUN + timedelta(hours=2),
)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (Prices("EUR", 300_000, 0, 0), 3_150_000),
        (Prices("EUR", 0, 20_000, 0), 1_800_000),
        (Prices("EUR", 0, 0, 990_000), 990_000),
        (Prices("EUR", 300_000, 20_000, 990_000), 5_940_000),
        (Prices("EUR", 0, 0, 0), 0),
        (Prices("EUR", 333_333, 0, 0), 3_500_000),  # 3.4999965
        (Prices("EUR", 0, 0, 5_000), 10_000),  # half a cent
        (Prices("EUR", 0, 0, 4_999), 0),
        (Prices("JPY", 30_123_456, 0, 0), 316_000_000),
        (Prices("KWD", 30_123, 0, 0), 316_000),  # 0.3162915
    ],
)
def test_a_cost_is_exact_and_rounded_once_to_the_coin(prices, expected):
    assert cost_of(ENDED, prices) == Cost(expected, prices.currency)


@pytest.mark.parametrize(
    ("transaction", "kwh", "minute", "session"),
    [
        (replace(ENDED, end_register_mwh=None), None, 1_800_000, 0),
        (replace(ENDED, end_register_mwh=0), None, 1_800_000, 0),
        (replace(ENDED, ended_at=None), 3_150_000, None, 0),
        (replace(ENDED, started_at=None), 3_150_000, None, 0),
        (replace(ENDED, ended_at=BEGUN - timedelta(seconds=1)), 3_150_000, None, 0),
    ],
)
def test_what_is_unknown_costs_nothing_known_unless_it_has_no_price(
    transaction, kwh, minute, session
):
    found = [
        cost_of(transaction, prices)
        for prices in (
            Prices("EUR", 300_000, 0, 0),
            Prices("EUR", 0, 20_000, 0),
            Prices("EUR", 0, 0, 0),
        )
    ]
    assert [None if cost is None else cost.micros for cost in found] == [kwh, minute, session]


amounts = st.integers(0, 10**12)


@given(amounts, amounts, amounts, st.integers(0, 10**10), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_cost_is_never_negative_nor_off_by_more_than_half_a_coin(
    kwh, minute, session, energy, currency
):
    transaction = replace(ENDED, end_register_mwh=1_000_000 + energy)
    cost = cost_of(transaction, Prices(currency, kwh, minute, session))
    exact = Fraction(kwh * energy, 10**6) + minute * 90 + session
    coin = {"EUR": 10**4, "JPY": 10**6, "KWD": 10**3}[currency]
    assert cost is not None
    assert cost.micros >= 0
    assert cost.micros % coin == 0
    assert abs(cost.micros - exact) <= Fraction(coin, 2)
