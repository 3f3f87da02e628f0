"""What a car draws from a connector: a seeded charge with coherent readings.

Every reading of one charge satisfies P = Σ U·I, and the register has grown by P·dt since the
reading before. It never falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from random import Random

AC_VOLTAGE_V = 230.0
DC_LOW_V = 340.0
_AC_SPREAD = 0.01
_TAPER_FLOOR = 0.08
_EFFICIENCY = 0.92
_MAX_STEPS = 120
# Dividing by less than this loses the digits of the power.
_SHORTEST_S = 1e-6


class CurrentType(str, Enum):
    """What comes out of the connector."""

    AC = "AC"
    DC = "DC"


# Below this share of charge a battery takes all it is offered.
_TAPER_FROM = {CurrentType.AC: 0.92, CurrentType.DC: 0.60}


@dataclass(frozen=True, slots=True)
class Supply:
    """What the connector offers. `phases` is 1 for DC."""

    current_type: CurrentType
    max_power_w: float
    phases: int = 1

    @property
    def volts(self) -> float:
        """The least between the ends of a phase, so that amperes bound watts and watts amperes."""
        return AC_VOLTAGE_V * (1 - _AC_SPREAD) if self.current_type is CurrentType.AC else DC_LOW_V


@dataclass(frozen=True, slots=True)
class Vehicle:
    """The car at the connector."""

    battery_wh: float
    soc: float
    """Share of charge at arrival, 0 to 1."""
    max_power_w: float
    phases: int
    ramp_w_per_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The meter at one moment; power and current are means since the reading before."""

    register_wh: float
    power_w: float
    voltages_v: tuple[float, ...]
    currents_a: tuple[float, ...]
    soc_percent: float


def draw_vehicle(random: Random, supply: Supply) -> Vehicle:
    """A car that fits the connector."""
    ac = supply.current_type is CurrentType.AC
    max_power_w = random.choice((3700, 7400, 11000, 22000) if ac else (50e3, 100e3, 150e3, 250e3))
    return Vehicle(
        battery_wh=random.uniform(35e3, 100e3),
        soc=random.uniform(0.1, 0.7),
        max_power_w=max_power_w,
        phases=1 if max_power_w <= 7400 else supply.phases,
        ramp_w_per_s=max_power_w / random.uniform(3, 10),
    )


def power_limit_w(vehicle: Vehicle, supply: Supply, soc: float) -> float:
    """The most that flows at this state of charge."""
    if soc >= 1:
        return 0.0
    offered = supply.max_power_w * min(vehicle.phases, supply.phases) / supply.phases
    full = min(offered, vehicle.max_power_w)
    taper_from = _TAPER_FROM[supply.current_type]
    if soc <= taper_from:
        return full
    return full * max(_TAPER_FLOOR, 1 - (soc - taper_from) / (1 - taper_from))


class Meter:
    """A connector's energy register; it outlives transactions and connections."""

    __slots__ = ("register_wh",)

    def __init__(self, register_wh: float) -> None:
        self.register_wh = register_wh

    def whole_wh(self) -> int:
        """The register as start and stop carry it: whole, and not below any earlier reading."""
        self.register_wh = float(math.ceil(round(self.register_wh, 3)))
        return int(self.register_wh)


class Charge:
    """One car charging at one connector."""

    __slots__ = (
        "_meter",
        "_power_w",
        "_random",
        "_supply",
        "_vehicle",
        "demand_w",
        "last",
        "limit_w",
        "soc",
    )

    def __init__(self, vehicle: Vehicle, supply: Supply, meter: Meter, random: Random) -> None:
        self._vehicle = vehicle
        self._supply = supply
        self._meter = meter
        self._random = random
        self._power_w = 0.0
        self.limit_w = math.inf
        """What charging profiles allow; infinite without any."""
        self.demand_w = math.inf
        """What the car asks for; infinite: all it can take."""
        self.soc = vehicle.soc
        self.last = self._reading(0.0, 0.0)

    @property
    def full(self) -> bool:
        """Whether the battery takes no more."""
        return self.soc >= 1

    @property
    def phases(self) -> int:
        """How many phases the car draws from."""
        return min(self._vehicle.phases, self._supply.phases)

    def advance(self, seconds: float) -> Reading:
        """Charge for `seconds` and read the meter."""
        if seconds < _SHORTEST_S:
            return self.last
        self.last = self._reading(self._drawn_wh(seconds) * 3600 / seconds, seconds)
        return self.last

    def _drawn_wh(self, seconds: float) -> float:
        steps = min(_MAX_STEPS, math.ceil(seconds))
        step_s = seconds / steps
        drawn_wh = 0.0
        for _ in range(steps):
            limit_w = min(
                self.limit_w,
                self.demand_w,
                power_limit_w(self._vehicle, self._supply, self.soc),
            )
            self._power_w = min(limit_w, self._power_w + self._vehicle.ramp_w_per_s * step_s)
            missing_wh = (1 - self.soc) * self._vehicle.battery_wh / _EFFICIENCY
            step_wh = min(self._power_w * step_s / 3600, missing_wh)
            drawn_wh += step_wh
            self.soc += step_wh * _EFFICIENCY / self._vehicle.battery_wh
            if missing_wh - step_wh < 1:
                self.soc = 1.0
        return drawn_wh

    def _reading(self, mean_w: float, seconds: float) -> Reading:
        # The meter resolves 0.1 V and 1 mA; power and energy follow from what it resolves.
        phases = self.phases
        voltages = tuple(round(self._voltage_v(), 1) for _ in range(phases))
        currents = tuple(round(mean_w / phases / voltage, 3) for voltage in voltages)
        power_w = sum(u * i for u, i in zip(voltages, currents, strict=True))
        self._meter.register_wh += power_w * seconds / 3600
        return Reading(
            register_wh=self._meter.register_wh,
            power_w=power_w,
            voltages_v=voltages,
            currents_a=currents,
            soc_percent=round(self.soc * 100, 1),
        )

    def _voltage_v(self) -> float:
        if self._supply.current_type is CurrentType.DC:
            return DC_LOW_V + 80 * self.soc
        return AC_VOLTAGE_V * self._random.uniform(1 - _AC_SPREAD, 1 + _AC_SPREAD)
