from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.timestamps import (
    EARLIEST,
    MAX_AHEAD,
    TimestampFlag,
    format_timestamp,
    read_timestamp,
)
from tests.ocpp.corpus.timestamps import CORPUS

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = datetime(2026, 4, 30, 10, 20, 30, tzinfo=UTC)
NO_ZONE, UNREADABLE, OUT_OF_RANGE = (
    TimestampFlag.NO_ZONE,
    TimestampFlag.UNREADABLE,
    TimestampFlag.OUT_OF_RANGE,
)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-30T10:20:30Z",
        "2026-04-30T10:20:30.000Z",
        "2026-04-30T10:20:30.0000000Z",
        "2026-04-30T10:20:30,000Z",
        "2026-04-30T10:20:30.Z",
        "2026-04-30t10:20:30z",
        "2026-04-30 10:20:30Z",
        "2026-04-30T10:20:30 Z",
        " 2026-04-30T10:20:30Z\n",
        "2026-04-30T10:20:30 UTC",
        "2026-04-30T10:20:30GMT",
        "2026/04/30 10:20:30Z",
        "2026-4-30T10:20:30Z",
        "20260430T102030Z",
        "2026-04-30T12:20:30+02:00",
        "2026-04-30T12:20:30+0200",
        "2026-04-30T12:20:30+02",
        "2026-04-30T12:20:30 +2:00",
        "2026-04-30T05:50:30-04:30",
        "2026-05-01T00:20:30+14:00",
        "2026-04-30T10:20:30+00:00",
        "2026-04-30T10:20:30-00:00",
    ],
)
def test_spellings_of_one_instant(text):
    assert read_timestamp(text, NOW) == (AT, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-04-30T10:20:30.123456789Z", AT.replace(microsecond=123456)),
        ("2026-04-30T10:20:30.5Z", AT.replace(microsecond=500000)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60.5Z", datetime(2017, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)),
        ("2026-04-29T24:00:00Z", datetime(2026, 4, 30, tzinfo=UTC)),
        ("2026-04-30T10:20Z", AT.replace(second=0)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2000-01-01T00:00:00Z", EARLIEST),
        ("2026-05-02T12:00:00Z", NOW + MAX_AHEAD),
    ],
)
def test_readable_corner_cases(text, at):
    assert read_timestamp(text, NOW) == (at, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-04-30T10:20:30", AT),
        ("2026-04-30 10:20:30", AT),
        ("2026-04-30T10:20:30.000", AT),
        ("2026-04-30", AT.replace(hour=0, minute=0, second=0)),
        ("2026-W18-4", AT.replace(hour=0, minute=0, second=0)),
        ("20260430", AT.replace(hour=0, minute=0, second=0)),
    ],
)
def test_without_a_zone_it_is_utc_and_flagged(text, at):
    assert read_timestamp(text, NOW) == (at, NO_ZONE)


@pytest.mark.parametrize(
    "text",
    [
        "2022-02-29T00:00:00Z",
        "222222017-10-27T00:00:00Z",
        "1000000",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-04-30T25:00:00Z",
        "2026-04-30T24:00:01Z",
        "2026-04-30T10:61:00Z",
        "2026-04-30T10:20:61Z",
        "2026-04-30T10:20:30+25:00",
        "2026-04-30T10:20:30+99:99",
        "2026-04-30T10:20:30Europe/Berlin",
        "30.04.2026 10:20:30",
        "Thu, 30 Apr 2026 10:20:30 GMT",
        "1777544430",
        "now",
        "null",
        "0",
        "-",
        "T",
        "Z",
        " ",
        "\uff12\uff10\uff12\uff16-04-30T10:20:30Z",
        "2026-04-30T10:20:30Z" + " " * 100,
        "9" * 100_000,
        "\x00",
        "'; DROP TABLE stations; --",
        0,
        1777544430,
        1.5,
        True,
        [],
        {},
    ],
)
def test_unreadable(text):
    assert read_timestamp(text, NOW) == (None, UNREADABLE)


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:42Z",
        "1999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59Z",
        "2026-05-02T12:00:01Z",
        "2106-02-07T06:28:15Z",
        "2036-02-07T06:28:16Z",
    ],
)
def test_outside_of_the_window(text):
    assert read_timestamp(text, NOW) == (None, OUT_OF_RANGE)


@pytest.mark.parametrize(("value", "at", "flag"), CORPUS)
def test_sixty_times_of_stations(value, at, flag):
    assert read_timestamp(value, NOW) == (at, flag)


@pytest.mark.parametrize("value", [None, ""])
def test_absent_is_no_fault(value):
    assert read_timestamp(value, NOW) == (None, None)


@given(st.one_of(st.text(), st.from_regex(r"[0-9T:Z+.\- ]{0,40}"), st.integers(), st.none()))
def test_reading_is_total_and_stays_in_the_window(value):
    at, flag = read_timestamp(value, NOW)
    if at is not None:
        assert EARLIEST <= at <= NOW + MAX_AHEAD
        assert at.utcoffset() == timedelta(0)
    assert (at is None) <= (flag is not None or value in {None, ""})


@given(
    st.datetimes(
        min_value=datetime(2000, 1, 2),
        max_value=datetime(2026, 5, 1),
        timezones=st.sampled_from([UTC]),
    )
)
def test_what_we_write_we_read_to_the_millisecond(at):
    text = format_timestamp(at)
    found, flag = read_timestamp(text, NOW)
    assert flag is None
    assert timedelta(0) <= at - found < timedelta(milliseconds=1)


def test_format_has_milliseconds_and_z():
    assert format_timestamp(NOW) == "2026-05-01T12:00:00.000Z"
    assert format_timestamp(NOW.replace(microsecond=999_999)) == "2026-05-01T12:00:00.999Z"
