"""One sampled value as a station told it, with the defaults of OCPP filled in.

What stands in it may be anything; what cannot be understood is None, and nothing here raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from csms.domain.metering import DEFAULT_CONTEXT, DEFAULT_MEASURAND, scaled


@dataclass(frozen=True, slots=True)
class SampledValue:
    """The same in all versions; `value` is text, because signed data are no number."""

    value: str | None
    measurand: str
    context: str
    format: str
    phase: str | None
    location: str
    unit: str | None


def read_sampled_value(sample: Any, context: str = "") -> SampledValue:
    """A SampledValue of 1.6 or 2.x; `context` where it has none of its own."""
    if not isinstance(sample, dict):
        sample = {"value": sample}
    measurand = _text(sample.get("measurand")) or DEFAULT_MEASURAND
    of_measure = sample.get("unitOfMeasure")
    if not isinstance(of_measure, dict):
        of_measure = {}
    # OCPP 1.6 7.43, 2.0.1 part 2 UnitOfMeasureType: Wh where no other unit is named.
    usual = "Wh" if measurand.startswith("Energy.") else None
    return SampledValue(
        value=_value(sample.get("value"), of_measure.get("multiplier")),
        measurand=measurand,
        context=_text(sample.get("context")) or context or DEFAULT_CONTEXT,
        format=_text(sample.get("format")) or "Raw",
        phase=_text(sample.get("phase")),
        location=_text(sample.get("location")) or "Outlet",
        unit=_text(sample.get("unit")) or _text(of_measure.get("unit")) or usual,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _value(value: Any, multiplier: Any) -> str | None:
    if isinstance(value, str):
        return value
    found = scaled(value, multiplier)
    # 15 digits are what a double keeps of a decimal number.
    return None if found is None else f"{found:.15g}"
