"""What a station has and says about charging limits: installed profiles, schedules, needs.

Stations report words and values of their own, so nothing here is narrower than text and JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.domain.charging_profiles import ChargingProfilePurpose

CSMS_SOURCE = "CSO"
"""What ChargingLimitSourceEnumType calls us."""


@dataclass(frozen=True, slots=True)
class InstalledProfile:
    """A profile that a station has, as we sent it or as the station reported it."""

    profile_id: int
    evse_id: int
    """0: the whole station."""
    purpose: str
    kind: str | None
    stack_level: int | None
    recurrency_kind: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    station_transaction_id: str | None
    source: str
    """Who set it, ChargingLimitSourceEnumType."""
    schedules: list[dict[str, Any]]
    """In the words of `ChargingSchedule`, as far as they could be read."""
    raw: str
    updated_at: datetime | None = None
    """When it was set or last reported; None before it is stored."""


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Which installed profiles are meant; what is None or empty does not count."""

    profile_ids: frozenset[int] = frozenset()
    evse_id: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    sources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CompositeSchedule:
    """All profiles and limits together, as the station works them out."""

    evse_id: int
    """0: the whole station."""
    rate_unit: str | None
    starts_at: datetime | None
    duration_s: int | None
    periods: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ChargingLimit:
    """A limit that another system imposes on a station."""

    evse_id: int
    """0: the whole station."""
    source: str
    grid_critical: bool | None
    local_generation: bool | None
    schedules: list[dict[str, Any]]
    raw: str


@dataclass(frozen=True, slots=True)
class ChargingNeeds:
    """What an EV asks for, and what we answered."""

    evse_id: int
    energy_transfer: str | None
    departure_at: datetime | None
    answered: str
    raw: str


@dataclass(frozen=True, slots=True)
class EvSchedule:
    """The schedule that an EV intends to follow."""

    evse_id: int
    time_base: datetime | None
    schedules: list[dict[str, Any]]
    raw: str


def matches(profile: InstalledProfile, wanted: ProfileFilter) -> bool:
    """Whether the profile is one of those that are meant."""
    return (
        (not wanted.profile_ids or profile.profile_id in wanted.profile_ids)
        and wanted.evse_id in {None, profile.evse_id}
        and wanted.purpose in {None, profile.purpose}
        and wanted.stack_level in {None, profile.stack_level}
        and (not wanted.sources or profile.source in wanted.sources)
    )


def is_clearable(profile: InstalledProfile) -> bool:
    """Whether ClearChargingProfile reaches it; OCPP 2.0.1 K10.FR.04, K10.FR.09."""
    return profile.purpose != ChargingProfilePurpose.EXTERNAL_CONSTRAINTS.value


def takes_the_place(new: InstalledProfile, old: InstalledProfile) -> bool:
    """Whether OCPP 1.6 replaces `old`, whatever its id (5.16.4).

    In OCPP 2.x only the id counts, and such a profile is refused (K01.FR.52, K01.FR.53).
    """
    return (new.evse_id, new.purpose, new.stack_level) == (
        old.evse_id,
        old.purpose,
        old.stack_level,
    )
