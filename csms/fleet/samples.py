"""Readings as the meterValue of OCPP 1.6."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from csms.fleet.physics import CurrentType, Reading
from csms.ocpp.frames import JsonObject


def timestamp(at: datetime) -> str:
    """As most stations write it: UTC, milliseconds, Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def meter_value_v16(
    reading: Reading,
    *,
    at: datetime,
    context: str,
    measurands: Iterable[str],
    current_type: CurrentType,
) -> JsonObject | None:
    """One meterValue with the measurands asked for; None when there is nothing to say."""
    samples: list[JsonObject] = []
    for measurand in measurands:
        samples += _samples(measurand.strip(), reading, current_type)
    if not samples:
        return None
    for sample in samples:
        sample["context"] = context
    return {"timestamp": timestamp(at), "sampledValue": samples}


def _samples(measurand: str, reading: Reading, current_type: CurrentType) -> list[JsonObject]:
    if measurand == "Energy.Active.Import.Register":
        return [_sample(measurand, f"{reading.register_wh:.3f}", "Wh")]
    if measurand == "Power.Active.Import":
        return [_sample(measurand, f"{reading.power_w:.3f}", "W")]
    if measurand == "Current.Import":
        values = [_sample(measurand, f"{amps:.3f}", "A") for amps in reading.currents_a]
        return _by_phase(values, current_type, "L{}")
    if measurand == "Voltage":
        values = [_sample(measurand, f"{volts:.1f}", "V") for volts in reading.voltages_v]
        return _by_phase(values, current_type, "L{}-N")
    # A car tells its state of charge over DC only.
    if measurand == "SoC" and current_type is CurrentType.DC:
        return [{**_sample(measurand, f"{reading.soc_percent:.1f}", "Percent"), "location": "EV"}]
    return []


def _sample(measurand: str, value: str, unit: str) -> JsonObject:
    return {"value": value, "measurand": measurand, "unit": unit}


def _by_phase(values: list[JsonObject], current_type: CurrentType, name: str) -> list[JsonObject]:
    if current_type is CurrentType.AC:
        for number, value in enumerate(values, start=1):
            value["phase"] = name.format(number)
    return values
