"""The device model: what a station says about its components, and what watches over them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableKey:
    """A variable by its names, which are compared without ASCII case."""

    component: str
    variable: str
    component_instance: str | None = None
    variable_instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None

    @property
    def folded(self) -> tuple[str | int | None, ...]:
        """Equal for two spellings of the same name."""
        names = (self.component, self.component_instance, self.variable, self.variable_instance)
        folded = (name and name.casefold() for name in names)
        return (*folded, self.evse_id, self.connector_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One of the values of a variable; None is what was not told."""

    type: str = "Actual"
    value: str | None = None
    mutability: str | None = None
    persistent: bool | None = None
    constant: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """What values a variable can have."""

    unit: str | None = None
    data_type: str | None = None
    min_limit: float | None = None
    max_limit: float | None = None
    max_elements: int | None = None
    values_list: str | None = None
    supports_monitoring: bool | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as a station told it, or as we know it."""

    key: VariableKey
    attributes: tuple[Attribute, ...]
    characteristics: Characteristics | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """What watches a variable; `id` is the station's."""

    id: int
    key: VariableKey
    type: str
    value: float | None
    severity: int | None
    in_transaction: bool
    origin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringEvent:
    """One event of NotifyEvent; None is what the station did not say, or not readably."""

    event_id: int | None
    key: VariableKey | None
    monitor_id: int | None
    severity: int | None
    trigger: str | None
    origin: str | None
    actual_value: str | None
    cleared: bool
    cause: int | None
    station_transaction_id: str | None
    tech_code: str | None
    tech_info: str | None
    reported_at: datetime | None
    raw: str
