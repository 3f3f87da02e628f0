"""Timestamps as stations write them, and as we do.

Reading is total: whatever the text, the result is an instant inside a sane window or None, and
a flag when the text was not a plain instant. The caller keeps the raw text beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# A clock may run ahead a little, and a local time labelled Z is up to 14 hours off.
MAX_AHEAD = timedelta(hours=24)
_MAX_LENGTH = 64


class TimestampFlag(str, Enum):
    """Why a timestamp is not to be trusted as it stands."""

    NO_ZONE = "no_zone"
    """Taken as UTC."""
    UNREADABLE = "unreadable"
    OUT_OF_RANGE = "out_of_range"
    """Before 2000 or more than a day ahead: a clock that was never set."""


def read_timestamp(value: object, now: datetime) -> tuple[datetime | None, TimestampFlag | None]:
    """The instant a station meant, if any, and what is wrong with it.

    An absent or empty value is (None, None).
    """
    if value is None or value == "":
        return None, None
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        return None, TimestampFlag.UNREADABLE
    at = _strict(value) or _lenient(value)
    if at is None:
        return None, TimestampFlag.UNREADABLE
    flag = None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
        flag = TimestampFlag.NO_ZONE
    elif at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except OverflowError:  # year 1 or 9999 and an offset
            return None, TimestampFlag.OUT_OF_RANGE
    if at < EARLIEST or at > now + MAX_AHEAD:
        return None, TimestampFlag.OUT_OF_RANGE
    return at, flag


def format_timestamp(at: datetime) -> str:
    """`2026-05-01T12:00:00.000Z`: the one form that every station we know of takes."""
    # Webasto NEXT wants a fraction, others stumble over microseconds and over +00:00.
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def _strict(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_LENIENT = re.compile(
    r"""\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})
    (?:[Tt\s]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d*))?)?)?
    \s*(?:(Z|z|UTC|GMT)|([+-])(\d{1,2}):?(\d{2})?)?\s*""",
    re.VERBOSE | re.ASCII,
)


def _lenient(text: str) -> datetime | None:
    match = _LENIENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, utc, sign, zone_h, zone_m = match.groups()
    # 24:00:00 and the leap second 23:59:60 are instants that datetime cannot spell.
    carry = timedelta(0)
    hours, seconds = int(hour or 0), int(second or 0)
    if hours == 24 and int(minute) == seconds == 0:
        hours, carry = 0, timedelta(days=1)
    if seconds == 60:
        seconds, carry = 59, carry + timedelta(seconds=1)
    try:
        at = datetime(  # noqa: DTZ001 - the zone follows
            int(year),
            int(month),
            int(day),
            hours,
            int(minute or 0),
            seconds,
            int((fraction or "")[:6].ljust(6, "0")),
        )
        at += carry
        if utc:
            return at.replace(tzinfo=UTC)
        if sign:
            offset = timedelta(hours=int(zone_h), minutes=int(zone_m or 0))
            return at.replace(tzinfo=timezone(-offset if sign == "-" else offset))
    except (ValueError, OverflowError):  # 2022-02-29 (ABB Terra AC), month 13, offset 99
        return None
    return at
