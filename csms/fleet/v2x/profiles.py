"""Charging profiles in the shape of OCPP 2.0.1 and 2.1."""

from __future__ import annotations

import math

from csms.fleet.duties import read_instant
from csms.fleet.profiles import Period, Profile
from csms.ocpp.frames import JsonObject


def read_profile(shape: JsonObject) -> Profile:
    """A ChargingProfileType that keeps to its schema."""
    schedule = shape["chargingSchedule"][0]
    return Profile(
        id=shape["id"],
        stack_level=shape["stackLevel"],
        purpose=shape["chargingProfilePurpose"],
        kind=shape["chargingProfileKind"],
        unit=schedule["chargingRateUnit"],
        periods=tuple(
            # 2.1 has periods that limit nothing.
            Period(one["startPeriod"], float(one.get("limit", math.inf)), one.get("numberPhases"))
            for one in schedule["chargingSchedulePeriod"]
        ),
        duration_s=schedule.get("duration"),
        start_at=read_instant(schedule.get("startSchedule")),
        recurrency=shape.get("recurrencyKind"),
        valid_from=read_instant(shape.get("validFrom")),
        valid_to=read_instant(shape.get("validTo")),
        transaction_id=shape.get("transactionId"),
        raw=shape,
    )
