"""Charging profiles in the shape of OCPP 1.6."""

from __future__ import annotations

from csms.fleet.duties import read_instant
from csms.fleet.profiles import STATION_MAX, Period, Profile
from csms.ocpp.frames import JsonObject

_PURPOSES = {"ChargePointMaxProfile": STATION_MAX}


def read_purpose(word: str) -> str:
    """The word of 2.x."""
    return _PURPOSES.get(word, word)


def read_profile(shape: JsonObject) -> Profile:
    """A csChargingProfiles that keeps to its schema."""
    schedule = shape["chargingSchedule"]
    return Profile(
        id=shape["chargingProfileId"],
        stack_level=shape["stackLevel"],
        purpose=read_purpose(shape["chargingProfilePurpose"]),
        kind=shape["chargingProfileKind"],
        unit=schedule["chargingRateUnit"],
        periods=tuple(
            Period(one["startPeriod"], float(one["limit"]), one.get("numberPhases"))
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
