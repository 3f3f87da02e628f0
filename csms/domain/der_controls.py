"""Controls of distributed energy resources, OCPP 2.1: how a station helps the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

_Priority = Annotated[int, Ge(0), Le(2**31 - 1)]
_Seconds = Annotated[float, Ge(0)]


class DerControlType(str, Enum):
    """DERControlEnumType."""

    ENTER_SERVICE = "EnterService"
    FREQ_DROOP = "FreqDroop"
    FREQ_WATT = "FreqWatt"
    FIXED_PF_ABSORB = "FixedPFAbsorb"
    FIXED_PF_INJECT = "FixedPFInject"
    FIXED_VAR = "FixedVar"
    GRADIENTS = "Gradients"
    HF_MUST_TRIP = "HFMustTrip"
    HF_MAY_TRIP = "HFMayTrip"
    HV_MUST_TRIP = "HVMustTrip"
    HV_MOM_CESS = "HVMomCess"
    HV_MAY_TRIP = "HVMayTrip"
    LIMIT_MAX_DISCHARGE = "LimitMaxDischarge"
    LF_MUST_TRIP = "LFMustTrip"
    LV_MUST_TRIP = "LVMustTrip"
    LV_MOM_CESS = "LVMomCess"
    LV_MAY_TRIP = "LVMayTrip"
    POWER_MONITORING_MUST_TRIP = "PowerMonitoringMustTrip"
    VOLT_VAR = "VoltVar"
    VOLT_WATT = "VoltWatt"
    WATT_PF = "WattPF"
    WATT_VAR = "WattVar"


class DerUnit(str, Enum):
    """DERUnitEnumType."""

    NOT_APPLICABLE = "Not_Applicable"
    PCT_MAX_W = "PctMaxW"
    PCT_MAX_VAR = "PctMaxVar"
    PCT_W_AVAIL = "PctWAvail"
    PCT_VAR_AVAIL = "PctVarAvail"
    PCT_EFFECTIVE_V = "PctEffectiveV"


class PowerDuringCessation(str, Enum):
    """PowerDuringCessationEnumType."""

    ACTIVE = "Active"
    REACTIVE = "Reactive"


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """DERCurvePointsType."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """HysteresisType."""

    hysteresis_high: float | None = None
    hysteresis_low: float | None = None
    hysteresis_delay_s: _Seconds | None = None
    hysteresis_gradient: float | None = None


@dataclass(frozen=True, slots=True)
class ReactivePower:
    """ReactivePowerParamsType."""

    v_ref: float | None = None
    autonomous_v_ref_enable: bool | None = None
    autonomous_v_ref_time_constant: float | None = None


@dataclass(frozen=True, slots=True)
class Voltage:
    """VoltageParamsType."""

    hv10_min_mean_value: float | None = None
    hv10_min_mean_trip_delay: float | None = None
    power_during_cessation: PowerDuringCessation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    priority: _Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed(_Setting):
    start_time: datetime | None = None
    duration_s: _Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve(_Timed):
    """DERCurveType."""

    curve_data: Annotated[list[CurvePoint], MinLen(1), MaxLen(10)]
    y_unit: DerUnit
    hysteresis: Hysteresis | None = None
    reactive_power_params: ReactivePower | None = None
    voltage_params: Voltage | None = None
    response_time_s: _Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterService(_Setting):
    """EnterServiceType."""

    high_voltage: float
    low_voltage: float
    high_freq: float
    low_freq: float
    delay_s: _Seconds | None = None
    random_delay_s: _Seconds | None = None
    ramp_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPowerFactor(_Timed):
    """FixedPFType."""

    displacement: float
    excitation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedVar(_Timed):
    """FixedVarType."""

    setpoint: float
    unit: DerUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class FreqDroop(_Timed):
    """FreqDroopType."""

    over_freq: float
    under_freq: float
    over_droop: float
    under_droop: float
    response_time_s: _Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradient(_Setting):
    """GradientType."""

    gradient: float
    soft_gradient: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitMaxDischarge(_Timed):
    """LimitMaxDischargeType."""

    pct_max_discharge_power: float | None = None
    power_monitoring_must_trip: Curve | None = None


_SETTINGS: Mapping[DerControlType, str] = MappingProxyType(
    {
        DerControlType.ENTER_SERVICE: "enter_service",
        DerControlType.FREQ_DROOP: "freq_droop",
        DerControlType.FIXED_PF_ABSORB: "fixed_pf_absorb",
        DerControlType.FIXED_PF_INJECT: "fixed_pf_inject",
        DerControlType.FIXED_VAR: "fixed_var",
        DerControlType.GRADIENTS: "gradient",
        DerControlType.LIMIT_MAX_DISCHARGE: "limit_max_discharge",
    }
)


def setting_of(control_type: DerControlType) -> str:
    """Where the settings of such a control stand; most are curves."""
    return _SETTINGS.get(control_type, "curve")
