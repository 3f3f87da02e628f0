"""MeterValue and SampledValue → readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import orjson

from csms.domain.metering import (
    DEFAULT_CONTEXT,
    DEFAULT_MEASURAND,
    Reading,
    Sample,
    number,
    phase_register,
    register_mwh,
    scaled,
    summarise,
)
from csms.ocpp.context import StationContext
from csms.ocpp.fields import MAX_TEXT, raw
from csms.ocpp.frames import JsonObject

_Content = Callable[[list[Any]], list[Sample]]


def readings_v16(station: StationContext, payload: JsonObject, name: str) -> list[Reading]:
    """One reading per instant and context of the MeterValue array of that name."""
    return _readings(station, payload.get(name), f"{name}[].timestamp", _content_v16)


def register_v16(station: StationContext, value: Any) -> int | None:
    """The register of a start or a stop, in mWh; None for what no meter shows."""
    if not station.quirks.settings.registers_in_kwh:
        return register_mwh(value)
    _fire_unit(station)
    kwh = number(value)
    return None if kwh is None else register_mwh(kwh * 1000)


def readings_v2x(station: StationContext, payload: JsonObject, name: str) -> list[Reading]:
    """As of 1.6; signed data stands beside its value there and stays in the samples."""
    return _readings(station, payload.get(name), f"{name}[].timestamp", _content_v2x)


def phase_registers_v2x(
    station: StationContext, readings: Iterable[Reading]
) -> tuple[str | None, list[Reading]]:
    """The readings with registers of one or two phases, and which; none if those change."""
    content = _corrected(station, _content_v2x)
    found = [
        (reading, register)
        for reading in readings
        if (register := phase_register(content(orjson.loads(reading.samples)))) is not None
    ]
    phases = {register[0] for _, register in found}
    if len(phases) != 1:
        return None, []
    return phases.pop(), [reading._replace(register_mwh=register[1]) for reading, register in found]


def _readings(
    station: StationContext, meter_values: Any, place: str, content: _Content
) -> list[Reading]:
    if not isinstance(meter_values, list):
        meter_values = [] if meter_values is None else [meter_values]
    if len(meter_values) == 1:
        return _readings_of_one(station, meter_values[0], place, content)
    # Some stations send a MeterValue for each measurand of one instant.
    by_time: dict[str, JsonObject] = {}
    for position, meter_value in enumerate(meter_values):
        timestamp = meter_value.get("timestamp") if isinstance(meter_value, dict) else None
        samples = _samples(meter_value)
        key = timestamp if isinstance(timestamp, str) else f"#{position}"
        if key in by_time:
            by_time[key]["sampledValue"] += samples
        else:
            by_time[key] = {"timestamp": timestamp, "sampledValue": list(samples)}
    return [
        reading
        for merged in by_time.values()
        for reading in _readings_of_one(station, merged, place, content)
    ]


def _readings_of_one(
    station: StationContext, meter_value: Any, place: str, content: _Content
) -> list[Reading]:
    samples = _samples(meter_value)
    if not samples:
        return []
    timestamp = meter_value.get("timestamp") if isinstance(meter_value, dict) else None
    at, flag = station.instant(timestamp, place)
    spelling = None
    if flag is not None:
        spelling = timestamp[:MAX_TEXT] if isinstance(timestamp, str) else raw(timestamp)
    content = _corrected(station, content)
    return [
        Reading(at, spelling, context, *summarise(content(group)), raw(group))
        for context, group in _by_context(samples)
    ]


def _corrected(station: StationContext, content: _Content) -> _Content:
    """Reads what is on record to be wrong about the station's samples as it is meant."""
    settings = station.quirks.settings
    if settings.registers_in_kwh:
        content = partial(_in_kwh, station, content)
    if settings.totals_from_phases:
        content = partial(_without_totals, station, content)
    return content


def _in_kwh(station: StationContext, content: _Content, samples: list[Any]) -> list[Sample]:
    _fire_unit(station)
    return [
        (measurand, phase, "kWh" if measurand == DEFAULT_MEASURAND else unit, value, location)
        for measurand, phase, unit, value, location in content(samples)
    ]


def _without_totals(station: StationContext, content: _Content, samples: list[Any]) -> list[Sample]:
    """Without the totals of power and current that phases tell as well."""
    told = content(samples)
    in_phases = [measurand for measurand, phase, *_ in told if phase and phase != "N"]
    wanted = [
        sample
        for sample in told
        if sample[1] or sample[0] == DEFAULT_MEASURAND or sample[0] not in in_phases
    ]
    if len(wanted) < len(told):
        station.fire(station.quirks.origin("totals_from_phases"))
    return wanted


def _fire_unit(station: StationContext) -> None:
    station.fire(station.quirks.origin("registers_in_kwh"))


def _by_context(samples: list[Any]) -> Iterable[tuple[str, list[Any]]]:
    contexts = [_context(sample) for sample in samples]
    if len(set(contexts)) == 1:
        return ((contexts[0], samples),)
    groups: dict[str, list[Any]] = {}
    for context, sample in zip(contexts, samples, strict=True):
        groups.setdefault(context, []).append(sample)
    return groups.items()


def _context(sample: Any) -> str:
    context = sample.get("context", DEFAULT_CONTEXT) if isinstance(sample, dict) else ""
    return context[:MAX_TEXT] if isinstance(context, str) else ""


def _samples(meter_value: Any) -> list[Any]:
    if not isinstance(meter_value, dict):
        return [meter_value]  # nothing we understand; it is kept all the same
    samples = meter_value.get("sampledValue")
    if isinstance(samples, list):
        return samples
    return [] if samples is None else [samples]


def _content_v16(samples: list[Any]) -> list[Sample]:
    return [
        (
            sample.get("measurand", DEFAULT_MEASURAND),
            sample.get("phase"),
            sample.get("unit"),
            sample.get("value"),
            sample.get("location"),
        )
        for sample in samples
        if isinstance(sample, dict) and sample.get("format") != "SignedData"
    ]


def _content_v2x(samples: list[Any]) -> list[Sample]:
    content: list[Sample] = []
    for sample in samples:
        if not isinstance(sample, dict):
            continue
        unit_of_measure = sample.get("unitOfMeasure")
        if not isinstance(unit_of_measure, dict):
            unit_of_measure = {}
        content.append(
            (
                sample.get("measurand", DEFAULT_MEASURAND),
                sample.get("phase"),
                unit_of_measure.get("unit"),
                scaled(sample.get("value"), unit_of_measure.get("multiplier")),
                sample.get("location"),
            )
        )
    return content
