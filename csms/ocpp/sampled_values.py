"""MeterValue and SampledValue of OCPP 1.6 → readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from csms.domain.metering import (
    DEFAULT_CONTEXT,
    DEFAULT_MEASURAND,
    Reading,
    Sample,
    summarise,
)
from csms.domain.timestamps import read_timestamp
from csms.ocpp.fields import MAX_TEXT, raw
from csms.ocpp.frames import JsonObject


def readings_v16(meter_values: Any, now: datetime) -> list[Reading]:
    """One reading per instant and context of a MeterValue array, whatever is in it."""
    if not isinstance(meter_values, list):
        meter_values = [] if meter_values is None else [meter_values]
    if len(meter_values) == 1:
        return _readings(meter_values[0], now)
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
    return [reading for merged in by_time.values() for reading in _readings(merged, now)]


def _readings(meter_value: Any, now: datetime) -> list[Reading]:
    samples = _samples(meter_value)
    if not samples:
        return []
    timestamp = meter_value.get("timestamp") if isinstance(meter_value, dict) else None
    at, flag = read_timestamp(timestamp, now)
    spelling = None
    if flag is not None:
        spelling = timestamp[:MAX_TEXT] if isinstance(timestamp, str) else raw(timestamp)
    return [
        Reading(at, spelling, context, *summarise(_content(group)), raw(group))
        for context, group in _by_context(samples)
    ]


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


def _content(samples: list[Any]) -> list[Sample]:
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
