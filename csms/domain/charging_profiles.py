"""Charging profiles: what one says, and the rules of OCPP that every version shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.errors import Invalid

MAX_INTEGER = 2**31 - 1
_Id = Annotated[int, Ge(-(2**31)), Le(MAX_INTEGER)]
_Count = Annotated[int, Ge(0), Le(MAX_INTEGER)]
_Phases = Annotated[int, Ge(0), Le(3)]
_AtLeastZero = Annotated[float, Ge(0)]
_AtMostZero = Annotated[float, Le(0)]


class ChargingProfilePurpose(str, Enum):
    """ChargingProfilePurposeEnumType; the last two came with OCPP 2.1."""

    EXTERNAL_CONSTRAINTS = "ChargingStationExternalConstraints"
    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    PRIORITY_CHARGING = "PriorityCharging"
    LOCAL_GENERATION = "LocalGeneration"


class ChargingProfileKind(str, Enum):
    """ChargingProfileKindEnumType; Dynamic came with OCPP 2.1."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"


class RecurrencyKind(str, Enum):
    """RecurrencyKindEnumType."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class ChargingRateUnit(str, Enum):
    """ChargingRateUnitEnumType: ampere per phase, or watt in all."""

    A = "A"
    W = "W"


class OperationMode(str, Enum):
    """OperationModeEnumType of OCPP 2.1."""

    IDLE = "Idle"
    CHARGING_ONLY = "ChargingOnly"
    CENTRAL_SETPOINT = "CentralSetpoint"
    EXTERNAL_SETPOINT = "ExternalSetpoint"
    EXTERNAL_LIMITS = "ExternalLimits"
    CENTRAL_FREQUENCY = "CentralFrequency"
    LOCAL_FREQUENCY = "LocalFrequency"
    LOCAL_LOAD_BALANCING = "LocalLoadBalancing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLimits:
    """What may be drawn, fed back, or shall be, in the unit of the schedule.

    All but the first came with OCPP 2.1.
    """

    limit: _AtLeastZero | None = None
    limit_l2: _AtLeastZero | None = None
    limit_l3: _AtLeastZero | None = None
    discharge_limit: _AtMostZero | None = None
    discharge_limit_l2: _AtMostZero | None = None
    discharge_limit_l3: _AtMostZero | None = None
    setpoint: float | None = None
    setpoint_l2: float | None = None
    setpoint_l3: float | None = None
    setpoint_reactive: float | None = None
    setpoint_reactive_l2: float | None = None
    setpoint_reactive_l3: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePeriod(PowerLimits):
    """What holds from `start_period_s` on; all after the phases came with OCPP 2.1."""

    start_period_s: _Count
    number_phases: _Phases | None = None
    phase_to_use: _Phases | None = None
    preconditioning_request: bool | None = None
    evse_sleep: bool | None = None
    v2x_baseline: float | None = None
    operation_mode: OperationMode | None = None


@dataclass(frozen=True, slots=True)
class ChargingSchedule:
    """Periods one after the other."""

    rate_unit: ChargingRateUnit
    periods: Annotated[list[SchedulePeriod], MinLen(1), MaxLen(1024)]
    id: _Id | None = None
    """OCPP 2.x only; left out: its place in the profile, from 1."""
    start_schedule: datetime | None = None
    duration_s: Annotated[int, Ge(1), Le(MAX_INTEGER)] | None = None
    min_charging_rate: _AtLeastZero | None = None
    power_tolerance: float | None = None
    use_local_time: bool | None = None
    randomized_delay_s: _Count | None = None


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """A profile as an operator gives it."""

    id: _Id
    stack_level: _Count
    purpose: ChargingProfilePurpose
    kind: ChargingProfileKind
    schedules: Annotated[list[ChargingSchedule], MinLen(1), MaxLen(3)]
    recurrency_kind: RecurrencyKind | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] | None = None
    max_offline_duration_s: _Count | None = None
    invalid_after_offline_duration: bool | None = None
    dyn_update_interval_s: _Count | None = None
    dyn_update_time: datetime | None = None


def check_for_evse(profile: ChargingProfile, evse_id: int | None) -> None:
    """Raise Invalid when no station may be sent the profile for this EVSE; None: the station."""
    check_for_evse_v16(profile, evse_id)
    _check_v2x(profile)
    if profile.purpose is ChargingProfilePurpose.TX and profile.transaction_id is None:
        # OCPP 2.0.1 K01.FR.03
        raise Invalid(
            "a TxProfile names its transaction", loc=_at("transaction_id"), kind="missing"
        )


def check_for_evse_v16(profile: ChargingProfile, evse_id: int | None) -> None:
    """As `check_for_evse`, without what only OCPP 2.x asks for."""
    _check(profile)
    if profile.purpose is ChargingProfilePurpose.TX and evse_id is None:  # OCPP 2.0.1 K01.FR.16
        raise Invalid("a TxProfile is for one EVSE", loc=("evse_id",), kind="missing")
    if profile.purpose is ChargingProfilePurpose.STATION_MAX and evse_id is not None:
        # OCPP 1.6 3.13.1, 2.0.1 part 2 K 3.2
        raise Invalid("a ChargingStationMaxProfile is for the whole station", loc=("evse_id",))


def check_for_start(profile: ChargingProfile) -> None:
    """Raise Invalid when a remote start may not carry the profile."""
    check_for_start_v16(profile)
    _check_v2x(profile)


def check_for_start_v16(profile: ChargingProfile) -> None:
    """As `check_for_start`, without what only OCPP 2.x asks for."""
    _check(profile)
    # OCPP 1.6 5.11, 2.0.1 F01.FR.09 and F01.FR.10: of the transaction that has yet to begin.
    if profile.purpose is not ChargingProfilePurpose.TX:
        raise Invalid("a transaction is started with a TxProfile only", loc=_at("purpose"))
    if profile.transaction_id is not None:
        raise Invalid("the transaction has no id yet", loc=_at("transaction_id"))


def _check(profile: ChargingProfile) -> None:
    """Raise Invalid with the path of the first thing that makes the profile a wrong one."""
    _check_purpose(profile)
    _check_kind(profile)
    if (
        profile.valid_from is not None
        and profile.valid_to is not None
        and profile.valid_to <= profile.valid_from
    ):
        raise Invalid("must be after the beginning", loc=_at("valid_to"))
    if len(profile.schedules) > 1 and profile.purpose is not ChargingProfilePurpose.TX:
        # OCPP 2.0.1 K01.FR.34: a choice of schedules is for the EV of one transaction.
        raise Invalid("only a TxProfile has more than one schedule", loc=_at("schedules", 1))
    for index, schedule in enumerate(profile.schedules):
        _check_schedule(profile, schedule, _at("schedules", index))


def _check_v2x(profile: ChargingProfile) -> None:
    """Raise Invalid for what OCPP 1.6 leaves to the station."""
    kind, starts = profile.kind, {ChargingProfileKind.ABSOLUTE, ChargingProfileKind.RECURRING}
    is_relative = kind is ChargingProfileKind.RELATIVE
    if is_relative and profile.purpose is ChargingProfilePurpose.STATION_MAX:
        # OCPP 2.0.1 K01.FR.38
        raise Invalid("a ChargingStationMaxProfile is not Relative", loc=_at("kind"))
    for index, schedule in enumerate(profile.schedules):
        loc = _at("schedules", index, "start_schedule")
        if kind in starts and schedule.start_schedule is None:  # OCPP 2.0.1 K01.FR.40
            raise Invalid(f"is required when {kind.value}", loc=loc, kind="missing")
        if is_relative and schedule.start_schedule is not None:  # OCPP 2.0.1 K01.FR.41
            raise Invalid("a Relative profile has none", loc=loc)


def _check_purpose(profile: ChargingProfile) -> None:
    purpose = profile.purpose
    if purpose is ChargingProfilePurpose.EXTERNAL_CONSTRAINTS:  # OCPP 2.0.1 K01.FR.22
        raise Invalid("is for other systems than a CSMS", loc=_at("purpose"))
    if purpose is not ChargingProfilePurpose.TX and profile.transaction_id is not None:
        raise Invalid("only a TxProfile belongs to a transaction", loc=_at("transaction_id"))


def _check_kind(profile: ChargingProfile) -> None:
    recurs = profile.kind is ChargingProfileKind.RECURRING
    if recurs and profile.recurrency_kind is None:
        raise Invalid("is required when Recurring", loc=_at("recurrency_kind"), kind="missing")
    if not recurs and profile.recurrency_kind is not None:
        raise Invalid("is for Recurring profiles", loc=_at("recurrency_kind"))
    for name in ("dyn_update_interval_s", "dyn_update_time"):
        if (
            getattr(profile, name) is not None and profile.kind is not ChargingProfileKind.DYNAMIC
        ):  # OCPP 2.1 K01.FR.122
            raise Invalid("is for Dynamic profiles", loc=_at(name))


def _check_schedule(
    profile: ChargingProfile, schedule: ChargingSchedule, loc: tuple[str | int, ...]
) -> None:
    if profile.purpose is ChargingProfilePurpose.PRIORITY_CHARGING and schedule.duration_s:
        # OCPP 2.1 K01.FR.70
        raise Invalid("a PriorityCharging profile has none", loc=(*loc, "duration_s"))
    if schedule.randomized_delay_s and profile.purpose not in {
        ChargingProfilePurpose.TX,
        ChargingProfilePurpose.TX_DEFAULT,
    }:  # OCPP 2.1 K01.FR.95
        raise Invalid("is for profiles of transactions only", loc=(*loc, "randomized_delay_s"))
    _check_periods(schedule, (*loc, "periods"))


def _check_periods(schedule: ChargingSchedule, loc: tuple[str | int, ...]) -> None:
    periods, duration_s = schedule.periods, schedule.duration_s
    if periods[0].start_period_s != 0:  # OCPP 2.0.1 K01.FR.31
        raise Invalid("the first period starts at 0", loc=(*loc, 0, "start_period_s"))
    for index, (before, after) in enumerate(pairwise(periods), 1):
        if after.start_period_s <= before.start_period_s:  # OCPP 2.0.1 K01.FR.35
            raise Invalid("must be after the one before", loc=(*loc, index, "start_period_s"))
        if duration_s is not None and after.start_period_s >= duration_s:
            raise Invalid("the schedule is over by then", loc=(*loc, index, "start_period_s"))
    for index, period in enumerate(periods):
        if period.phase_to_use is not None and period.number_phases != 1:
            # OCPP 2.0.1 K01.FR.19
            raise Invalid("needs number_phases 1", loc=(*loc, index, "phase_to_use"))


def _at(*path: str | int) -> tuple[str | int, ...]:
    return ("charging_profile", *path)
