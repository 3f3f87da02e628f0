"""A reading as samples: which there are, their units and phases."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from csms.fleet.physics import CurrentType, Reading
from csms.ocpp.frames import JsonObject

Render = Callable[[str, float, int, str, str | None], JsonObject]
"""Measurand, value, its decimals, unit, phase → a sampledValue."""


def samples(
    reading: Reading,
    *,
    measurands: Iterable[str],
    current_type: CurrentType,
    render: Render,
) -> list[JsonObject]:
    """The measurands asked for, as far as the meter has them."""
    found: list[JsonObject] = []
    ac = current_type is CurrentType.AC
    for wanted in measurands:
        measurand = wanted.strip()
        if measurand == "Energy.Active.Import.Register":
            found.append(render(measurand, reading.register_wh, 3, "Wh", None))
        elif measurand == "Power.Active.Import":
            found.append(render(measurand, reading.power_w, 3, "W", None))
        elif measurand == "Current.Import":
            for number, amps in enumerate(reading.currents_a, start=1):
                phase = f"L{number}" if ac else None
                found.append(render(measurand, amps, 3, "A", phase))
        elif measurand == "Voltage":
            for number, volts in enumerate(reading.voltages_v, start=1):
                phase = f"L{number}-N" if ac else None
                found.append(render(measurand, volts, 1, "V", phase))
        elif measurand == "SoC" and not ac:
            # A car tells its state of charge over DC only.
            sample = render(measurand, reading.soc_percent, 1, "Percent", None)
            found.append({**sample, "location": "EV"})
    return found
