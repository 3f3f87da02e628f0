"""Sampled values: what a meter reading says once units, phases and nonsense are out of it.

Values arrive as texts that may be anything. What cannot be understood stays in the raw samples
and contributes nothing to the columns; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

DEFAULT_CONTEXT = "Sample.Periodic"
DEFAULT_MEASURAND = "Energy.Active.Import.Register"
TRANSACTION_BEGIN, _END = "Transaction.Begin", "Transaction.End"

# 1 TWh: more than any meter counts, and far inside what SQLite and a double keep exactly.
MAX_REGISTER_MWH = 10**15
# Samples of one register in different precision may seem to fall by so much.
ROUNDING_MWH = 1000
_MAX_MULTIPLIER = 15
_MAX_POWER_W = 1e8
_MAX_CURRENT_A = 1e5


# (measurand, phase, unit, value, location) of one sampled value: what the columns are made of.
# A plain tuple, because five of them are made for every MeterValues.
Sample = tuple[Any, Any, Any, Any, Any]


class Reading(NamedTuple):
    """The samples of one instant and context. `samples` is the JSON array as received."""

    reported_at: datetime | None
    reported_raw: str | None
    context: str
    register_mwh: int | None
    power_w: float | None
    current_a: float | None
    soc_percent: float | None
    samples: str


class RegisterRange(NamedTuple):
    """The lowest and the highest register among some readings; None when there is none."""

    lowest_mwh: int | None
    highest_mwh: int | None


class RegisterSpan(NamedTuple):
    """The first and the last register among some readings.

    Without a reading both are None; the last is None too when there is only one reading.
    """

    first_mwh: int | None
    last_mwh: int | None
    fell: bool


# measurand → (column, factor by folded unit; None is the absent unit, low, high)
_REGISTER, _POWER, _CURRENT, _SOC = range(4)
_Rule = tuple[int, dict[str | None, float], float, float]
_RULES: dict[str, _Rule] = {
    DEFAULT_MEASURAND: (
        _REGISTER,
        {None: 1e3, "": 1e3, "Wh": 1e3, "kWh": 1e6, "wh": 1e3, "kwh": 1e6},
        0.0,
        float(MAX_REGISTER_MWH),
    ),
    "Power.Active.Import": (
        _POWER,
        {None: 1.0, "": 1.0, "W": 1.0, "kW": 1e3, "w": 1.0, "kw": 1e3},
        -_MAX_POWER_W,
        _MAX_POWER_W,
    ),
    "Current.Import": (
        _CURRENT,
        {None: 1.0, "": 1.0, "A": 1.0, "a": 1.0, "amp": 1.0},
        -_MAX_CURRENT_A,
        _MAX_CURRENT_A,
    ),
    "SoC": (_SOC, {None: 1.0, "": 1.0, "Percent": 1.0, "percent": 1.0, "%": 1.0}, 0.0, 100.0),
}
_PHASES = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})
_PHASE_COUNT = 3


def number(value: Any) -> float | None:
    """The finite number in a sampled value's text, or None."""
    if isinstance(value, bool):
        return None
    # float takes digit groups and the digits of every script too.
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -1e300 < found < 1e300 else None  # also NaN, which compares false


def scaled(value: Any, multiplier: Any) -> float | None:
    """A value of OCPP 2.x with its power of ten applied; None when one of them is nonsense."""
    found = number(value)
    if found is None or multiplier is None or multiplier == 0:
        return found
    if type(multiplier) is not int or abs(multiplier) > _MAX_MULTIPLIER:
        return None
    return found * 10.0**multiplier if multiplier > 0 else found / 10.0**-multiplier


def register_mwh(value_wh: Any) -> int | None:
    """A register reading in Wh as mWh; None for what no meter shows (-1, NaN, 10^30)."""
    wh = number(value_wh)
    if wh is None or not 0 <= wh * 1000 <= MAX_REGISTER_MWH:
        return None
    return round(wh * 1000)


def register_range(readings: Iterable[Reading]) -> RegisterRange:
    """How far the registers of some readings reach, whatever their order."""
    lowest = highest = None
    for reading in readings:
        register = reading.register_mwh
        if register is None:
            continue
        if highest is None or register > highest:
            highest = register
        if lowest is None or register < lowest:
            lowest = register
    return RegisterRange(lowest, highest)


def register_span(readings: Sequence[Reading]) -> RegisterSpan:
    """Where the register was at the first and at the last of these instants."""
    shown = sorted((r for r in readings if r.register_mwh is not None), key=_instant)
    ordered = [r.register_mwh for r in shown if r.register_mwh is not None]
    if not ordered:
        return RegisterSpan(None, None, fell=False)
    first, last = shown[0], shown[-1]
    # One reading may come in two contexts; the two ends are two even without a clock.
    at_once = first.reported_at == last.reported_at
    both_ends = (first.context, last.context) == (TRANSACTION_BEGIN, _END)
    if at_once and len(set(ordered)) == 1 and not both_ends:
        return RegisterSpan(ordered[0], None, fell=False)
    fell = any(later < earlier - ROUNDING_MWH for earlier, later in pairwise(ordered))
    return RegisterSpan(ordered[0], ordered[-1], fell)


def phase_register(samples: Iterable[Sample]) -> tuple[str, int] | None:
    """Which one or two phases show a register, as in "L1+L2", and their sum in mWh.

    None when there is a register of all, or when another phase carries something too: then they
    are not all that was drawn. Two such sums can be compared if they are of the same phases.
    """
    total, phases = _collect(samples)
    if total[_REGISTER] is not None or phases is None:
        return None
    registers = phases[_REGISTER]
    carrying = {p for column in (_POWER, _CURRENT) for p, value in phases[column].items() if value}
    if not 0 < len(registers) < _PHASE_COUNT or not carrying <= registers.keys():
        return None
    return "+".join(sorted(registers)), round(sum(registers.values()))


def _instant(reading: Reading) -> tuple[int, float]:
    # Clocks are set on the way; what a reading stands for is beyond doubt.
    place = {TRANSACTION_BEGIN: 0, _END: 2}.get(reading.context, 1)
    return place, 0.0 if reading.reported_at is None else reading.reported_at.timestamp()


def summarise(
    samples: Iterable[Sample],
) -> tuple[int | None, float | None, float | None, float | None]:
    """Register in mWh, power in W, current in A and state of charge in % of one instant.

    A value for the whole EVSE counts before phases. Of phases, powers add up, registers only when
    all three are there, and of currents the highest stands. The neutral conductor and the inlet,
    where a station measures everything it draws, are left out.
    """
    total, phases = _collect(samples)
    if phases is not None:
        _derive(total, phases)
    register = total[_REGISTER]
    return (
        None if register is None else round(register),
        total[_POWER],
        total[_CURRENT],
        total[_SOC],
    )


def _collect(
    samples: Iterable[Sample],
) -> tuple[list[float | None], list[dict[str, float]] | None]:
    """The values of the whole EVSE by column, and those of phases if there are any."""
    total: list[float | None] = [None, None, None, None]
    phases: list[dict[str, float]] | None = None
    for measurand, phase, unit, value, location in samples:
        rule = _RULES.get(measurand) if isinstance(measurand, str) else None
        if rule is None or location == "Inlet":
            continue
        column, factors, low, high = rule
        factor = _factor(factors, unit)
        found = number(value)
        if factor is None or found is None or not low <= found * factor <= high:
            continue
        if phase is None or phase == "":
            if total[column] is None:
                total[column] = found * factor
        elif isinstance(phase, str) and phase in _PHASES:
            phases = phases or [{}, {}, {}, {}]
            phases[column].setdefault(phase[:2], found * factor)
    return total, phases


def _factor(factors: dict[str | None, float], unit: Any) -> float | None:
    if unit is None:
        return factors[None]
    if not isinstance(unit, str):
        return None
    return factors.get(unit) or factors.get(unit.strip().lower())


def _derive(total: list[float | None], phases: list[dict[str, float]]) -> None:
    # Sums of different phases cannot be subtracted, so a register needs all of them.
    if total[_REGISTER] is None and len(phases[_REGISTER]) == _PHASE_COUNT:
        total[_REGISTER] = sum(phases[_REGISTER].values())
    if total[_POWER] is None and phases[_POWER]:
        total[_POWER] = sum(phases[_POWER].values())
    if total[_CURRENT] is None and phases[_CURRENT]:
        total[_CURRENT] = max(phases[_CURRENT].values())
