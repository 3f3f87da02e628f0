"""Tariffs of OCPP 2.1: what charging costs, told to the station that shows and computes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.errors import Invalid

_Amount = Annotated[float, Ge(0)]
_Seconds = Annotated[int, Ge(0), Le(2**31 - 1)]
_Time = Annotated[str, MinLen(5), MaxLen(5)]
_Date = Annotated[str, MinLen(10), MaxLen(10)]


class EvseKind(str, Enum):
    """EvseKindEnumType."""

    AC = "AC"
    DC = "DC"


class DayOfWeek(str, Enum):
    """DayOfWeekEnumType."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class MessageFormat(str, Enum):
    """MessageFormatEnumType."""

    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"
    QRCODE = "QRCODE"


@dataclass(frozen=True, slots=True)
class Text:
    """MessageContentType."""

    content: Annotated[str, MaxLen(1024)]
    format: MessageFormat = MessageFormat.UTF8
    language: Annotated[str | None, MaxLen(8)] = None


@dataclass(frozen=True, slots=True)
class TaxRate:
    """TaxRateType."""

    type: Annotated[str, MinLen(1), MaxLen(20)]
    tax: float
    """Percent."""
    stack: Annotated[int | None, Ge(0)] = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """TariffConditionsType: all that are given must hold."""

    start_time_of_day: _Time | None = None
    end_time_of_day: _Time | None = None
    day_of_week: Annotated[list[DayOfWeek] | None, MinLen(1), MaxLen(7)] = None
    valid_from_date: _Date | None = None
    valid_to_date: _Date | None = None
    evse_kind: EvseKind | None = None
    min_energy_wh: _Amount | None = None
    max_energy_wh: _Amount | None = None
    min_current_a: _Amount | None = None
    max_current_a: _Amount | None = None
    min_power_w: _Amount | None = None
    max_power_w: _Amount | None = None
    min_time_s: _Seconds | None = None
    max_time_s: _Seconds | None = None
    min_charging_time_s: _Seconds | None = None
    max_charging_time_s: _Seconds | None = None
    min_idle_time_s: _Seconds | None = None
    max_idle_time_s: _Seconds | None = None


@dataclass(frozen=True, slots=True)
class FixedConditions:
    """TariffConditionsFixedType."""

    start_time_of_day: _Time | None = None
    end_time_of_day: _Time | None = None
    day_of_week: Annotated[list[DayOfWeek] | None, MinLen(1), MaxLen(7)] = None
    valid_from_date: _Date | None = None
    valid_to_date: _Date | None = None
    evse_kind: EvseKind | None = None
    payment_brand: Annotated[str | None, MaxLen(20)] = None
    payment_recognition: Annotated[str | None, MaxLen(20)] = None


@dataclass(frozen=True, slots=True)
class EnergyPrice:
    """TariffEnergyPriceType."""

    price_kwh: float
    conditions: Conditions | None = None


@dataclass(frozen=True, slots=True)
class TimePrice:
    """TariffTimePriceType."""

    price_minute: float
    conditions: Conditions | None = None


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """TariffFixedPriceType."""

    price_fixed: float
    conditions: FixedConditions | None = None


_TaxRates = Annotated[list[TaxRate] | None, MinLen(1), MaxLen(5)]


@dataclass(frozen=True, slots=True)
class Energy:
    """TariffEnergyType."""

    prices: Annotated[list[EnergyPrice], MinLen(1)]
    tax_rates: _TaxRates = None


@dataclass(frozen=True, slots=True)
class Time:
    """TariffTimeType."""

    prices: Annotated[list[TimePrice], MinLen(1)]
    tax_rates: _TaxRates = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """TariffFixedType."""

    prices: Annotated[list[FixedPrice], MinLen(1)]
    tax_rates: _TaxRates = None


@dataclass(frozen=True, slots=True)
class Price:
    """PriceType: one of the two, or both."""

    excl_tax: float | None = None
    incl_tax: float | None = None
    tax_rates: _TaxRates = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """TariffType."""

    tariff_id: Annotated[str, MinLen(1), MaxLen(60)]
    currency: Annotated[str, MinLen(3), MaxLen(3)]
    description: Annotated[list[Text] | None, MinLen(1), MaxLen(10)] = None
    energy: Energy | None = None
    charging_time: Time | None = None
    idle_time: Time | None = None
    fixed_fee: Fixed | None = None
    reservation_time: Time | None = None
    reservation_fixed: Fixed | None = None
    min_cost: Price | None = None
    max_cost: Price | None = None
    valid_from: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("min_cost", "max_cost"):
            price: Price | None = getattr(self, name)
            if price is not None and price.excl_tax is None and price.incl_tax is None:
                raise Invalid("has no amount", loc=(name,))
