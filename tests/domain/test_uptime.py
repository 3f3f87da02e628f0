"""Uptime: the parts of a time, judged by connections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from csms.domain.uptime import Stretch, Uptime, uptime


def hour(number: float) -> datetime:
    return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=number)


def parts(found: Uptime) -> tuple[float, float, float, int, float | None]:
    spans = (found.connected, found.disconnected, found.unobserved)
    connected, disconnected, unobserved = (span / timedelta(hours=1) for span in spans)
    return connected, disconnected, unobserved, found.outages, found.percent


def judge(*stretches: Stretch, known: float = 0) -> tuple[float, float, float, int, float | None]:
    return parts(uptime(stretches, hour(0), hour(10), known_since=hour(known)))


def test_what_goes_on_counts_to_the_end() -> None:
    assert judge(Stretch(hour(-5), None, None)) == (10, 0, 0, 0, 100)


def test_a_gap_between_two_connections_is_an_outage() -> None:
    found = judge(Stretch(hour(-5), hour(4), None), Stretch(hour(6), None, None))
    assert found == (8, 2, 0, 1, 80)


def test_the_time_in_which_the_server_did_not_run_is_not_held_against_the_station() -> None:
    found = judge(Stretch(hour(-5), hour(4), hour(6)), Stretch(hour(8), None, None))
    assert found == (6, 2, 2, 0, 75)


def test_before_the_first_connection_nothing_is_known() -> None:
    assert judge(Stretch(hour(6), None, None), known=6) == (4, 0, 6, 0, 100)


def test_a_station_that_never_came_has_no_uptime() -> None:
    assert judge(known=10) == (0, 0, 10, 0, None)


def test_a_connection_that_ended_before_leaves_the_whole_time_down() -> None:
    assert judge(Stretch(hour(-5), hour(-1), None), known=-5) == (0, 10, 0, 0, 0)


def test_connections_that_overlap_count_once() -> None:
    found = judge(Stretch(hour(0), hour(6), None), Stretch(hour(5), None, None))
    assert found == (10, 0, 0, 1, 100)
