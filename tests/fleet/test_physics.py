"""The charge model: whatever happens, its readings could come from a real meter."""

from __future__ import annotations

from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from csms.fleet.physics import Charge, CurrentType, Meter, Supply, Vehicle, draw_vehicle

SUPPLIES = st.one_of(
    st.builds(
        Supply,
        st.just(CurrentType.AC),
        st.sampled_from([3700.0, 7400.0, 11000.0, 22000.0]),
        st.sampled_from([1, 3]),
    ),
    st.builds(Supply, st.just(CurrentType.DC), st.floats(20e3, 350e3)),
)
INTERVALS = st.lists(st.floats(0, 3600), min_size=1, max_size=20)
SEEDS = st.integers(0, 2**32)


def charge(seed: int, supply: Supply) -> tuple[Charge, Meter]:
    random = Random(seed)
    meter = Meter(random.uniform(0, 1e6))
    return Charge(draw_vehicle(random, supply), supply, meter, random), meter


@given(SEEDS, SUPPLIES, INTERVALS)
def test_power_is_voltage_times_current(seed, supply, intervals):
    charging, _ = charge(seed, supply)
    for seconds in intervals:
        reading = charging.advance(seconds)
        product = sum(u * i for u, i in zip(reading.voltages_v, reading.currents_a, strict=True))
        assert abs(reading.power_w - product) <= 0.01 * product


@given(SEEDS, SUPPLIES, INTERVALS)
def test_energy_is_power_times_time_and_never_falls(seed, supply, intervals):
    charging, _ = charge(seed, supply)
    before = charging.last.register_wh
    for seconds in intervals:
        reading = charging.advance(seconds)
        grown_wh = reading.register_wh - before
        assert grown_wh >= 0
        if seconds > 0:
            assert abs(grown_wh - reading.power_w * seconds / 3600) < 0.001
        before = reading.register_wh


@given(SEEDS, SUPPLIES, INTERVALS)
@example(1, Supply(CurrentType.DC, 20000.0), [3.0, 5e-324])
def test_nothing_exceeds_the_supply_or_the_battery(seed, supply, intervals):
    charging, _ = charge(seed, supply)
    for seconds in intervals:
        reading = charging.advance(seconds)
        assert reading.power_w <= supply.max_power_w * 1.01
        assert 0 <= reading.soc_percent <= 100


@given(SEEDS, SUPPLIES, INTERVALS, st.floats(0, 400e3))
def test_a_limit_is_never_exceeded(seed, supply, intervals, limit_w):
    charging, _ = charge(seed, supply)
    charging.advance(30)
    charging.limit_w = limit_w
    for seconds in intervals:
        if seconds > 1:
            assert charging.advance(seconds).power_w <= limit_w + 1


@given(SEEDS, SUPPLIES, INTERVALS)
def test_the_same_seed_charges_the_same(seed, supply, intervals):
    one, other = charge(seed, supply)[0], charge(seed, supply)[0]
    assert [one.advance(s) for s in intervals] == [other.advance(s) for s in intervals]


@given(st.floats(0, 1e9), st.floats(0, 5))
def test_whole_watt_hours_are_never_below_a_reading_before_or_above_one_after(start, drawn):
    meter = Meter(start)
    whole = meter.whole_wh()
    assert whole >= round(start, 3)
    meter.register_wh += drawn
    assert meter.whole_wh() >= whole


def test_the_battery_fills_and_then_takes_nothing():
    supply = Supply(CurrentType.DC, 150e3)
    vehicle = Vehicle(50e3, 0.5, 150e3, 1, 15e3)
    charging = Charge(vehicle, supply, Meter(0), Random(1))
    powers = [charging.advance(60).power_w for _ in range(240)]
    assert charging.full
    assert powers[-1] == 0


def test_power_tapers_as_the_battery_fills():
    supply = Supply(CurrentType.DC, 100e3)
    charging = Charge(Vehicle(60e3, 0.3, 100e3, 1, 1e9), supply, Meter(0), Random(1))
    first = charging.advance(60).power_w
    while charging.soc < 0.9:
        last = charging.advance(60).power_w
    assert last < 0.5 * first


def test_power_ramps_up():
    supply = Supply(CurrentType.AC, 22000, 3)
    charging = Charge(Vehicle(60e3, 0.3, 22000, 3, 2200), supply, Meter(0), Random(1))
    powers = [charging.advance(1).power_w for _ in range(12)]
    assert powers[0] < powers[4] < powers[9]
    assert abs(powers[11] - 22000) < 220


def test_a_one_phase_car_takes_one_phase():
    supply = Supply(CurrentType.AC, 22000, 3)
    charging = Charge(Vehicle(60e3, 0.3, 7400, 1, 1e9), supply, Meter(0), Random(1))
    reading = charging.advance(10)
    assert len(reading.currents_a) == 1
    assert reading.power_w < 7500
