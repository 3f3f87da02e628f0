"""Charging profiles: what each station has, by what it accepted and by what it reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from csms.domain.installed_profiles import (
    CompositeSchedule,
    InstalledProfile,
    ProfileFilter,
    is_clearable,
    matches,
    takes_the_place,
)
from csms.services import station_events
from csms.store import charging_profiles
from csms.store.database import Tx


def install(tx: Tx, station_id: int, profile: InstalledProfile) -> None:
    """The station accepted a profile."""
    charging_profiles.delete_of_ended_transactions(tx, station_id)
    charging_profiles.upsert(tx, station_id, profile)
    station_events.emit(
        tx,
        station_id,
        "charging_profile.installed",
        profile_id=profile.profile_id,
        evse_id=profile.evse_id or None,
        purpose=profile.purpose,
        stack_level=profile.stack_level,
    )


def install_v16(tx: Tx, station_id: int, profile: InstalledProfile) -> None:
    """As `install`, by the rule of OCPP 1.6 for which profiles give way."""
    replaced = [
        old.profile_id
        for old in charging_profiles.list_of_station(tx, station_id)
        if takes_the_place(profile, old)
    ]
    charging_profiles.delete(tx, station_id, replaced)
    install(tx, station_id, profile)


def clear(tx: Tx, station_id: int, wanted: ProfileFilter) -> None:
    """The station has none of these any more, because we had them cleared."""
    gone = [
        profile.profile_id
        for profile in charging_profiles.list_of_station(tx, station_id)
        if matches(profile, wanted) and is_clearable(profile)
    ]
    _forget(tx, station_id, gone)


def record_reported(tx: Tx, station_id: int, profiles: Iterable[InstalledProfile]) -> None:
    """The station reports that it has these, whoever set them."""
    for profile in profiles:
        charging_profiles.upsert(tx, station_id, profile)


def forget_unreported(
    tx: Tx,
    station_id: int,
    wanted: ProfileFilter,
    *,
    reported: frozenset[int],
    asked_at: datetime,
) -> None:
    """Asked for these, the station reported others: it has them no more.

    What was set since the station was asked may have missed the report.
    """
    gone = [
        profile.profile_id
        for profile in charging_profiles.list_of_station(tx, station_id)
        if matches(profile, wanted)
        and profile.profile_id not in reported
        and profile.updated_at is not None
        and profile.updated_at <= asked_at
    ]
    _forget(tx, station_id, gone)


def record_composite(tx: Tx, station_id: int, schedule: CompositeSchedule) -> None:
    """The station worked out what it will do."""
    charging_profiles.upsert_composite(tx, station_id, schedule)


def _forget(tx: Tx, station_id: int, profile_ids: list[int]) -> None:
    if charging_profiles.delete(tx, station_id, profile_ids):
        station_events.emit(
            tx, station_id, "charging_profile.cleared", profile_ids=sorted(profile_ids)
        )
