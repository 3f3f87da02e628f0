from __future__ import annotations

from dataclasses import replace

import pytest

from csms.ocpp.liveness import MAX_UNSENT_BYTES, Seen, Step, next_step, silence_limit_s
from csms.ocpp.quirks.settings import Quirks
from csms.ocpp.settings import OcppSettings

SETTINGS = OcppSettings()
FRESH = Seen(
    last_frame_at=1000.0, pinged_at=1000.0, has_ponged=False, writing_since=None, unsent_bytes=0
)


@pytest.mark.parametrize(
    ("seen", "now", "step"),
    [
        (FRESH, 1029.9, Step.NOTHING),
        (FRESH, 1030.0, Step.PING),
        (FRESH, 1900.0, Step.PING),
        (FRESH, 1900.1, Step.CLOSE),
        (replace(FRESH, has_ponged=True, pinged_at=1040.0), 1050.0, Step.NOTHING),
        (replace(FRESH, has_ponged=True, pinged_at=1040.0), 1050.1, Step.CLOSE),
        (replace(FRESH, writing_since=1000.0), 1030.0, Step.PING),
        (replace(FRESH, writing_since=1000.0), 1030.1, Step.CUT),
        (replace(FRESH, unsent_bytes=MAX_UNSENT_BYTES), 1001.0, Step.NOTHING),
        (replace(FRESH, unsent_bytes=MAX_UNSENT_BYTES + 1), 1001.0, Step.CUT),
    ],
)
def test_what_is_done_with_a_connection(seen: Seen, now: float, step: Step) -> None:
    assert next_step(seen, SETTINGS, Quirks(), now) is step


def test_a_station_that_never_pongs_has_at_least_three_heartbeats() -> None:
    assert silence_limit_s(OcppSettings(heartbeat_interval_s=60), has_ponged=False) == 180
    assert silence_limit_s(OcppSettings(heartbeat_interval_s=10), has_ponged=False) == 180
    assert silence_limit_s(OcppSettings(heartbeat_interval_s=100), has_ponged=False) == 300


def test_a_station_may_have_its_own_ping_interval_or_none() -> None:
    assert next_step(FRESH, SETTINGS, Quirks(ping_interval_s=20), 1020.0) is Step.PING
    assert next_step(FRESH, SETTINGS, Quirks(ping_interval_s=0), 1899.0) is Step.NOTHING
    assert next_step(FRESH, SETTINGS, Quirks(ping_interval_s=0), 1900.1) is Step.CLOSE
