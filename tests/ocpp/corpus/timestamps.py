"""Sixty ways in which stations write a time, and what each means at noon of 1 May 2026, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from csms.domain.timestamps import TimestampFlag

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NO_ZONE, UNREADABLE, OUT_OF_RANGE = (
    TimestampFlag.NO_ZONE,
    TimestampFlag.UNREADABLE,
    TimestampFlag.OUT_OF_RANGE,
)


def _at(hour: int, minute: int = 0, second: int = 0, micros: int = 0, *, day: int = 1) -> datetime:
    return datetime(2026, 5, day, hour, minute, second, micros, tzinfo=UTC)


CORPUS: list[tuple[Any, datetime | None, TimestampFlag | None]] = [
    # As they should be.
    ("2026-05-01T10:20:30Z", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30.000Z", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30.123456789Z", _at(10, 20, 30, 123456), None),
    ("2026-05-01T12:20:30+02:00", _at(10, 20, 30), None),
    ("2026-05-01T05:50:30-04:30", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30-00:00", _at(10, 20, 30), None),
    ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC), None),
    ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC), None),
    # Local time labelled Z: cannot be told from a clock that runs ahead.
    ("2026-05-01T14:00:00Z", _at(14), None),
    ("2026-05-02T12:00:00Z", _at(12, day=2), None),
    ("2026-05-02T12:00:00.001Z", None, OUT_OF_RANGE),
    # Another spelling of an instant.
    ("2026-05-01T10:20:30z", _at(10, 20, 30), None),
    ("2026-05-01t10:20:30Z", _at(10, 20, 30), None),
    ("2026-05-01 10:20:30Z", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30 Z", _at(10, 20, 30), None),
    (" 2026-05-01T10:20:30Z ", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30Z\r\n", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30,5Z", _at(10, 20, 30, 500000), None),
    ("2026-05-01T10:20:30.Z", _at(10, 20, 30), None),
    ("2026-05-01T12:20:30+02", _at(10, 20, 30), None),
    ("2026-05-01T12:20:30+0200", _at(10, 20, 30), None),
    ("2026-05-01T12:20:30 +2:00", _at(10, 20, 30), None),
    ("2026-05-01T10:20Z", _at(10, 20), None),
    ("2026-5-1T1:2:3Z", _at(1, 2, 3), None),
    ("2026/05/01 10:20:30Z", _at(10, 20, 30), None),
    ("20260501T102030Z", _at(10, 20, 30), None),
    ("2026-05-01T10:20:30UTC", _at(10, 20, 30), None),
    ("2026-05-01T10:20:60Z", _at(10, 21), None),
    ("2026-04-30T24:00:00Z", _at(0), None),
    # Without a zone.
    ("2026-05-01T10:20:30", _at(10, 20, 30), NO_ZONE),
    ("2026-05-01 10:20:30.5", _at(10, 20, 30, 500000), NO_ZONE),
    ("2026-05-01T10:20:60", _at(10, 21), NO_ZONE),
    ("2026-05-01", _at(0), NO_ZONE),
    # A clock that was never set, or wrapped.
    ("0001-01-01T00:00:00Z", None, OUT_OF_RANGE),
    ("0001-01-01T00:00:00+14:00", None, OUT_OF_RANGE),
    ("1970-01-01T00:00:00Z", None, OUT_OF_RANGE),
    ("1970-01-01 00:00:42", None, OUT_OF_RANGE),
    ("1999-12-31T23:59:59Z", None, OUT_OF_RANGE),
    ("2036-02-07T06:28:16Z", None, OUT_OF_RANGE),
    ("2106-02-07T06:28:15Z", None, OUT_OF_RANGE),
    ("9999-12-31T23:59:59-14:00", None, OUT_OF_RANGE),
    ("222222017-10-27T00:00:00Z", None, UNREADABLE),
    ("0000-00-00T00:00:00Z", None, UNREADABLE),
    # Days and hours that do not exist.
    ("2022-02-29T10:00:00Z", None, UNREADABLE),
    ("2026-04-31T10:00:00Z", None, UNREADABLE),
    ("2026-05-01T25:00:00Z", None, UNREADABLE),
    ("2026-05-01T10:20:30+99:99", None, UNREADABLE),
    # Seconds since 1970: nothing says whether they are seconds, so they are kept as they came.
    ("1777630830", None, UNREADABLE),
    ("1777630830000", None, UNREADABLE),
    (1777630830, None, UNREADABLE),
    (1777630830000, None, UNREADABLE),
    (1777630830.5, None, UNREADABLE),
    # No time at all.
    (None, None, None),
    ("", None, None),
    (" ", None, UNREADABLE),
    ("now", None, UNREADABLE),
    ("Fri, 01 May 2026 10:20:30 GMT", None, UNREADABLE),
    ("01.05.2026 10:20:30", None, UNREADABLE),
    (True, None, UNREADABLE),
    (["2026-05-01T10:20:30Z"], None, UNREADABLE),
]
