"""Charging profiles and schedules on the wire: written for each version, read from any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from csms.domain.charging_profiles import (
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingSchedule,
    SchedulePeriod,
)
from csms.domain.installed_profiles import CSMS_SOURCE, InstalledProfile, ProfileFilter
from csms.domain.timestamps import format_timestamp, read_timestamp
from csms.errors import NotSupportedByVersion
from csms.ocpp.fields import integer, objects, raw, text
from csms.ocpp.frames import JsonObject

_PERIOD = {
    "start_period_s": "startPeriod",
    "limit": "limit",
    "number_phases": "numberPhases",
    "phase_to_use": "phaseToUse",
}
_PERIOD_V21 = {
    "limit_l2": "limit_L2",
    "limit_l3": "limit_L3",
    "discharge_limit": "dischargeLimit",
    "discharge_limit_l2": "dischargeLimit_L2",
    "discharge_limit_l3": "dischargeLimit_L3",
    "setpoint": "setpoint",
    "setpoint_l2": "setpoint_L2",
    "setpoint_l3": "setpoint_L3",
    "setpoint_reactive": "setpointReactive",
    "setpoint_reactive_l2": "setpointReactive_L2",
    "setpoint_reactive_l3": "setpointReactive_L3",
    "preconditioning_request": "preconditioningRequest",
    "evse_sleep": "evseSleep",
    "v2x_baseline": "v2xBaseline",
    "operation_mode": "operationMode",
}
_SCHEDULE = {
    "start_schedule": "startSchedule",
    "duration_s": "duration",
    "rate_unit": "chargingRateUnit",
    "min_charging_rate": "minChargingRate",
}
_SCHEDULE_V21 = {
    "power_tolerance": "powerTolerance",
    "use_local_time": "useLocalTime",
    "randomized_delay_s": "randomizedDelay",
}
_PROFILE = {
    "id": "id",
    "stack_level": "stackLevel",
    "purpose": "chargingProfilePurpose",
    "kind": "chargingProfileKind",
    "recurrency_kind": "recurrencyKind",
    "valid_from": "validFrom",
    "valid_to": "validTo",
    "transaction_id": "transactionId",
}
_PROFILE_V21 = {
    "max_offline_duration_s": "maxOfflineDuration",
    "invalid_after_offline_duration": "invalidAfterOfflineDuration",
    "dyn_update_interval_s": "dynUpdateInterval",
    "dyn_update_time": "dynUpdateTime",
}
_PURPOSES_V16 = {ChargingProfilePurpose.TX, ChargingProfilePurpose.TX_DEFAULT}
_PURPOSES_V21 = {ChargingProfilePurpose.PRIORITY_CHARGING, ChargingProfilePurpose.LOCAL_GENERATION}
_STATION_MAX_V16 = "ChargePointMaxProfile"


# ---- writing ---------------------------------------------------------------------------------


def profile_v16(profile: ChargingProfile) -> JsonObject:
    """As csChargingProfiles; raises NotSupportedByVersion for what OCPP 1.6 has no room for."""
    _refuse_v21(profile, "1.6")
    if len(profile.schedules) != 1:
        raise NotSupportedByVersion("OCPP 1.6 has one schedule per charging profile")
    (schedule,) = profile.schedules
    if any(period.phase_to_use is not None for period in schedule.periods):
        raise NotSupportedByVersion("OCPP 1.6 cannot choose the phase of a charging profile")
    payload = _written(profile, _PROFILE)
    payload["chargingProfileId"] = payload.pop("id")
    payload["chargingProfilePurpose"] = purpose_v16(profile.purpose)
    if profile.transaction_id is not None:
        payload["transactionId"] = transaction_id_v16(profile.transaction_id)
    payload["chargingSchedule"] = _schedule_v16(schedule)
    return payload


def profile_v201(profile: ChargingProfile) -> JsonObject:
    """ChargingProfileType; raises NotSupportedByVersion for what came with OCPP 2.1."""
    _refuse_v21(profile, "2.0.1")
    return profile_v21(profile)


def profile_v21(profile: ChargingProfile) -> JsonObject:
    """ChargingProfileType with all that OCPP 2.1 added."""
    payload = _written(profile, {**_PROFILE, **_PROFILE_V21})
    payload["chargingSchedule"] = [
        {
            "id": number if schedule.id is None else schedule.id,
            **_written(schedule, {**_SCHEDULE, **_SCHEDULE_V21}),
            "chargingSchedulePeriod": [
                _written(period, {**_PERIOD, **_PERIOD_V21}) for period in schedule.periods
            ],
        }
        for number, schedule in enumerate(profile.schedules, 1)
    ]
    return payload


def purpose_v16(purpose: ChargingProfilePurpose) -> str:
    """The purpose's name in OCPP 1.6; raises NotSupportedByVersion where it has none."""
    if purpose is ChargingProfilePurpose.STATION_MAX:
        return _STATION_MAX_V16
    if purpose in _PURPOSES_V16:
        return str(purpose.value)
    raise NotSupportedByVersion(f"OCPP 1.6 has no charging profiles for {purpose.value}")


def purpose_v201(purpose: ChargingProfilePurpose) -> str:
    """The purpose's name; raises NotSupportedByVersion for those that came with OCPP 2.1."""
    if purpose in _PURPOSES_V21:
        raise NotSupportedByVersion(f"OCPP 2.0.1 has no charging profiles for {purpose.value}")
    return purpose.value


def transaction_id_v16(transaction_id: str) -> int:
    """A transaction id as the integer that it is in OCPP 1.6."""
    digits = transaction_id.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise NotSupportedByVersion("a transaction_id of OCPP 1.6 is a whole number")
    return int(transaction_id)


def _schedule_v16(schedule: ChargingSchedule) -> JsonObject:
    for value in (schedule.min_charging_rate, *(period.limit for period in schedule.periods)):
        if value is not None and round(value, 1) != value:
            raise NotSupportedByVersion("OCPP 1.6 has limits of at most one decimal")
    periods = [_written(period, _PERIOD) for period in schedule.periods]
    return {**_written(schedule, _SCHEDULE), "chargingSchedulePeriod": periods}


def _refuse_v21(profile: ChargingProfile, version: str) -> None:
    """Raise NotSupportedByVersion when the profile needs OCPP 2.1."""
    added = _first_set(profile, _PROFILE_V21)
    if profile.purpose in _PURPOSES_V21:
        added = profile.purpose.value
    elif profile.kind is ChargingProfileKind.DYNAMIC:
        added = "Dynamic"
    for schedule in profile.schedules:
        added = added or _first_set(schedule, _SCHEDULE_V21)
        for period in schedule.periods:
            added = added or _first_set(period, _PERIOD_V21)
            if period.limit is None:
                added = added or "periods without a limit"
    if added is not None:
        raise NotSupportedByVersion(f"OCPP {version} has no {added} in charging profiles")


def _first_set(values: object, names: Mapping[str, str]) -> str | None:
    return next((name for name in names if getattr(values, name) is not None), None)


def _written(
    values: ChargingProfile | ChargingSchedule | SchedulePeriod, names: Mapping[str, str]
) -> JsonObject:
    return {
        wire: _plain(value)
        for name, wire in names.items()
        if (value := getattr(values, name)) is not None
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_timestamp(value)
    return value.value if isinstance(value, Enum) else value


# ---- reading ---------------------------------------------------------------------------------


def read_profile(
    payload: JsonObject, *, evse_id: int, source: str = CSMS_SOURCE
) -> InstalledProfile | None:
    """A profile of any version as one that a station has; None when it has no id."""
    number = integer(payload, "id")
    profile_id = integer(payload, "chargingProfileId") if number is None else number
    if profile_id is None:
        return None
    purpose = text(payload, "chargingProfilePurpose") or ""
    transaction_id = payload.get("transactionId")
    return InstalledProfile(
        profile_id=profile_id,
        evse_id=evse_id,
        purpose=in_2x_words(purpose),
        kind=text(payload, "chargingProfileKind"),
        stack_level=integer(payload, "stackLevel"),
        recurrency_kind=text(payload, "recurrencyKind"),
        valid_from=read_instant(payload.get("validFrom")),
        valid_to=read_instant(payload.get("validTo")),
        station_transaction_id=str(transaction_id)
        if type(transaction_id) is int
        else text(payload, "transactionId"),
        source=source,
        schedules=read_schedules(payload.get("chargingSchedule")),
        raw=raw(payload),
    )


def params_of_v16(payload: JsonObject) -> JsonObject:
    """What csChargingProfiles says as the parameters of a command, to be checked as any."""
    values = _read(payload, {**_PROFILE, "id": "chargingProfileId"})
    values["purpose"] = in_2x_words(values["purpose"])
    if "transaction_id" in values:
        values["transaction_id"] = str(values["transaction_id"])
    return {**values, "schedules": read_schedules(payload.get("chargingSchedule"))}


def path_v16(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A path into those parameters as one into csChargingProfiles, whose schedule is no list."""
    path = tuple(_NAMES_V16.get(part, part) if isinstance(part, str) else part for part in loc)
    return path[:1] + path[2:] if loc[:1] == ("schedules",) else path


_NAMES_V16 = {
    **_PERIOD,
    **_SCHEDULE,
    **_PROFILE,
    "id": "chargingProfileId",
    "schedules": "chargingSchedule",
    "periods": "chargingSchedulePeriod",
}


def read_instant(value: object) -> datetime | None:
    """A time of a plan, which may lie years ahead."""
    return read_timestamp(value, _NEVER)[0]


_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def in_2x_words(purpose: str) -> str:
    """The purpose's name in OCPP 2.x."""
    if purpose == _STATION_MAX_V16:
        return ChargingProfilePurpose.STATION_MAX.value
    return purpose


def read_schedules(payload: object) -> list[JsonObject]:
    """One schedule or a list of them in the words of the domain, as far as they can be read."""
    return [
        {
            **_read(schedule, {"id": "id", **_SCHEDULE, **_SCHEDULE_V21}),
            "periods": read_periods(schedule.get("chargingSchedulePeriod")),
        }
        for schedule in objects(payload)
    ]


def read_periods(payload: object) -> list[JsonObject]:
    """The periods of a schedule in the words of the domain."""
    return [_read(period, {**_PERIOD, **_PERIOD_V21}) for period in objects(payload)]


def _read(payload: JsonObject, names: Mapping[str, str]) -> JsonObject:
    return {
        name: payload[wire]
        for name, wire in names.items()
        if isinstance(payload.get(wire), str | int | float)
    }


def read_filter(payload: JsonObject, *, evse_id: int | None, id_name: str) -> ProfileFilter:
    """Which profiles a request of ours was about; the ids are one or a list."""
    ids = payload.get(id_name)
    sources = payload.get("chargingLimitSource")
    purpose = text(payload, "chargingProfilePurpose")
    return ProfileFilter(
        profile_ids=frozenset(ids if isinstance(ids, list) else [] if ids is None else [ids]),
        evse_id=evse_id,
        purpose=None if purpose is None else in_2x_words(purpose),
        stack_level=integer(payload, "stackLevel"),
        sources=frozenset(sources if isinstance(sources, list) else []),
    )
