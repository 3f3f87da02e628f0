from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from csms.cli.failures import BadUsage
from csms.cli.instants import instant, upcoming


def read(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def test_an_offset_is_kept_in_mind() -> None:
    assert read(instant("2026-05-01T12:00+02:00")) == datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_without_an_offset_it_is_the_time_of_this_machine() -> None:
    assert read(instant("2026-05-01T12:00")) == datetime(2026, 5, 1, 12).astimezone()


def test_a_span_is_so_long_ago() -> None:
    began = datetime.now(UTC)
    assert timedelta() <= read(instant("7d")) - (began - timedelta(days=7)) < timedelta(minutes=1)


def test_a_span_is_so_far_ahead_where_something_is_to_come() -> None:
    began = datetime.now(UTC)
    assert timedelta() <= read(upcoming("4w")) - (began + timedelta(weeks=4)) < timedelta(minutes=1)


def test_nothing_stays_nothing() -> None:
    assert (None, None) == (instant(None), upcoming(None))


@pytest.mark.parametrize("text", ["", "tomorrow", "7", "d", "-7d", "7y", "2026-13-01"])
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(BadUsage, match="is no time"):
        instant(text)
