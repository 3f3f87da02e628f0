"""Does an EV stay within its profile?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from csms.domain.ev_schedules import exceeds
from csms.domain.installed_profiles import EvSchedule, InstalledProfile

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def steps(*pairs, unit="A", **more):
    periods = [{"start_period_s": at, "limit": limit} for at, limit in pairs]
    return {"rate_unit": unit, "periods": periods, **more}


def intended(*schedules):
    return EvSchedule(1, NOON, list(schedules), "{}")


def allowed(*schedules):
    return InstalledProfile(
        7, 1, "TxProfile", "Absolute", 0, None, None, None, "42", "CSO", list(schedules), "{}"
    )


@pytest.mark.parametrize(
    ("ev", "profile", "expected"),
    [
        (steps((0, 16)), steps((0, 16)), False),
        (steps((0, 16.1)), steps((0, 16)), True),
        (steps((0, 10)), steps((0, 16), (600, 6)), True),
        (steps((0, 10), (600, 6)), steps((0, 16), (600, 6)), False),
        (steps((0, 6), (900, 10)), steps((0, 16), (600, 6)), True),
        (steps((0, 10)), steps((0, 6), start_schedule="2026-05-01T12:10:00Z"), True),
        (
            steps((0, 10), (600, 6)),
            steps((0, 6), start_schedule="2026-05-01T12:10:00Z"),
            False,
        ),
        (steps((0, 11000), unit="W"), steps((0, 16)), False),
        (steps(("x", 99), (0, None)), steps((0, 16)), False),
    ],
)
def test_every_moment_counts(ev, profile, expected):
    assert exceeds(intended(ev), allowed(profile), NOON) is expected


def test_a_choice_of_schedules_is_not_compared():
    assert not exceeds(intended(steps((0, 99))), allowed(steps((0, 6)), steps((0, 7))), NOON)
    assert not exceeds(intended(), allowed(steps((0, 6))), NOON)
