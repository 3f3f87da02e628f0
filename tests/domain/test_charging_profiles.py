"""The rules for charging profiles that every version shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from csms.domain.charging_profiles import (
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
    RecurrencyKind,
    SchedulePeriod,
    check_for_evse,
    check_for_start,
)
from csms.errors import Invalid


def period(start_s, limit, **more):
    return SchedulePeriod(start_period_s=start_s, limit=limit, **more)


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SCHEDULE = ChargingSchedule(
    ChargingRateUnit.A, [period(0, 16.0), period(3600, 8.0)], start_schedule=NOON
)
DEFAULT = ChargingProfile(
    7, 0, ChargingProfilePurpose.TX_DEFAULT, ChargingProfileKind.ABSOLUTE, [SCHEDULE]
)
TX = replace(DEFAULT, purpose=ChargingProfilePurpose.TX, transaction_id="42")
RELATIVE = replace(
    DEFAULT,
    kind=ChargingProfileKind.RELATIVE,
    schedules=[replace(SCHEDULE, start_schedule=None)],
)
DAILY = replace(DEFAULT, kind=ChargingProfileKind.RECURRING, recurrency_kind=RecurrencyKind.DAILY)
STATION_MAX = replace(DEFAULT, purpose=ChargingProfilePurpose.STATION_MAX)


def schedule(**changes):
    return replace(DEFAULT, schedules=[replace(SCHEDULE, **changes)])


def periods(*starts):
    return schedule(periods=[period(start, 6.0) for start in starts])


@pytest.mark.parametrize(
    ("profile", "evse_id"),
    [
        (DEFAULT, None),
        (DEFAULT, 1),
        (TX, 1),
        (RELATIVE, 1),
        (DAILY, None),
        (STATION_MAX, None),
        (schedule(periods=[period(0, 0.0)]), 1),
        (schedule(periods=[period(0, 6.0, number_phases=1, phase_to_use=2)]), 1),
        (replace(TX, schedules=[SCHEDULE] * 3), 1),
    ],
)
def test_a_profile_that_keeps_the_rules_may_be_sent(profile, evse_id):
    check_for_evse(profile, evse_id)


@pytest.mark.parametrize(
    ("profile", "evse_id", "loc"),
    [
        (TX, None, ("evse_id",)),
        (replace(TX, transaction_id=None), 1, ("charging_profile", "transaction_id")),
        (replace(DEFAULT, transaction_id="1"), 1, ("charging_profile", "transaction_id")),
        (STATION_MAX, 1, ("evse_id",)),
        (
            replace(RELATIVE, purpose=ChargingProfilePurpose.STATION_MAX),
            None,
            ("charging_profile", "kind"),
        ),
        (
            replace(DEFAULT, purpose=ChargingProfilePurpose.EXTERNAL_CONSTRAINTS),
            1,
            ("charging_profile", "purpose"),
        ),
        (
            replace(DAILY, recurrency_kind=None),
            1,
            ("charging_profile", "recurrency_kind"),
        ),
        (
            replace(DEFAULT, recurrency_kind=RecurrencyKind.WEEKLY),
            1,
            ("charging_profile", "recurrency_kind"),
        ),
        (
            replace(DEFAULT, valid_from=NOON, valid_to=NOON),
            1,
            ("charging_profile", "valid_to"),
        ),
        (
            replace(DEFAULT, schedules=[SCHEDULE] * 2),
            1,
            ("charging_profile", "schedules", 1),
        ),
        (
            schedule(start_schedule=None),
            1,
            ("charging_profile", "schedules", 0, "start_schedule"),
        ),
        (
            replace(RELATIVE, schedules=[SCHEDULE]),
            1,
            ("charging_profile", "schedules", 0, "start_schedule"),
        ),
        (
            replace(DEFAULT, dyn_update_interval_s=5),
            1,
            ("charging_profile", "dyn_update_interval_s"),
        ),
        (
            replace(
                STATION_MAX,
                schedules=[replace(SCHEDULE, randomized_delay_s=60)],
            ),
            None,
            ("charging_profile", "schedules", 0, "randomized_delay_s"),
        ),
        (
            replace(schedule(duration_s=60), purpose=ChargingProfilePurpose.PRIORITY_CHARGING),
            1,
            ("charging_profile", "schedules", 0, "duration_s"),
        ),
        (
            schedule(duration_s=3600),  # over when the second period begins
            1,
            ("charging_profile", "schedules", 0, "periods", 1, "start_period_s"),
        ),
        (periods(60), 1, ("charging_profile", "schedules", 0, "periods", 0, "start_period_s")),
        (
            periods(0, 60, 60),
            1,
            ("charging_profile", "schedules", 0, "periods", 2, "start_period_s"),
        ),
        (
            periods(0, 60, 30),
            1,
            ("charging_profile", "schedules", 0, "periods", 2, "start_period_s"),
        ),
        (
            schedule(periods=[period(0, 6.0, number_phases=3, phase_to_use=1)]),
            1,
            ("charging_profile", "schedules", 0, "periods", 0, "phase_to_use"),
        ),
    ],
)
def test_a_profile_that_breaks_a_rule_is_refused_with_the_place(profile, evse_id, loc):
    with pytest.raises(Invalid) as refusal:
        check_for_evse(profile, evse_id)
    assert refusal.value.loc == loc


def test_a_remote_start_takes_the_profile_of_its_own_transaction_only():
    check_for_start(replace(TX, transaction_id=None))
    with pytest.raises(Invalid) as refusal:
        check_for_start(TX)
    assert refusal.value.loc == ("charging_profile", "transaction_id")
    with pytest.raises(Invalid) as refusal:
        check_for_start(DEFAULT)
    assert refusal.value.loc == ("charging_profile", "purpose")
