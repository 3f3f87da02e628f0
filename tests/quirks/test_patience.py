"""Small rules over time: breaker, flaps, questions."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from csms.ocpp.breaker import Breaker, Suspicion
from csms.ocpp.flaps import CONNECTIONS, WINDOW_S, Flaps
from csms.ocpp.frames import CallError, CallResult
from csms.ocpp.questions import LONGEST_PAUSE_S, Patience, statuses
from csms.ocpp.quirks import orders

REJECTED = CallResult("1", {"status": "Rejected"})
ACCEPTED = CallResult("1", {"status": "Accepted"})


def test_only_the_last_call_before_a_boot_is_suspected() -> None:
    breaker = Breaker()
    for generation in (1, 2):
        breaker.sent(7, "ClearCache", generation, now=10.0 * generation)
        breaker.sent(7, "GetConfiguration", generation, now=10.0 * generation + 1)
        found = breaker.booted(7, generation + 1, now=10.0 * generation + 5)
    assert found == Suspicion("GetConfiguration", proven=True)
    assert breaker.booted(7, 4, now=30.0) is None


def test_a_boot_after_a_minute_is_nobodys_work() -> None:
    breaker = Breaker()
    for generation in (1, 2, 3):
        at = 100.0 * generation
        breaker.sent(7, "ClearCache", generation, now=at)
        assert breaker.booted(7, generation + 1, now=at + 60.1) is None


def test_a_station_is_not_blamed_for_what_another_did() -> None:
    breaker = Breaker()
    breaker.sent(7, "ClearCache", 1, now=0)
    assert breaker.booted(8, 2, now=1) is None
    breaker.sent(8, "ClearCache", 2, now=2)
    breaker.booted(7, 3, now=3)
    assert breaker.booted(8, 4, now=4) == Suspicion("ClearCache", proven=False)


def test_a_breaker_is_told_what_was_suspected_before() -> None:
    breaker = Breaker()
    breaker.remember(7, ["ClearCache"])
    breaker.sent(7, "ClearCache", 1, now=0)
    assert breaker.booted(7, 2, now=1) == Suspicion("ClearCache", proven=True)
    breaker.remember(7, ["Reset"])
    breaker.sent(7, "Reset", 2, now=2)
    assert breaker.forget_old(now=100) == [(7, "Reset")]
    assert breaker.forget_old(now=200) == []


def test_a_breaker_forgets_what_had_no_consequences() -> None:
    breaker = Breaker()
    for station_id in range(100):
        breaker.sent(station_id, "ClearCache", 1, now=0)
        breaker.booted(station_id, 2, now=1)
        breaker.sent(station_id, "ClearCache", 2, now=2)
    breaker.forget_old(now=100)
    assert (breaker._last, breaker._strikes) == ({}, {})


def test_flapping_begins_once_and_ends_once() -> None:
    flaps = Flaps()
    begun = [flaps.note(7, float(second)) for second in range(200)]
    assert begun.count(True) == 1
    assert begun.index(True) == CONNECTIONS - 1
    assert flaps.forget_old(200) == []
    assert flaps.forget_old(199 + WINDOW_S) == [7]
    assert flaps.forget_old(199 + WINDOW_S) == []
    assert flaps._connections == {}


def test_a_flapping_station_costs_little_memory() -> None:
    flaps = Flaps()
    for number in range(10_000):
        flaps.note(7, number / 100)
    assert len(flaps._connections[7]) <= CONNECTIONS * 10


def test_refusals_make_the_pause_longer_and_a_yes_ends_it() -> None:
    patience = Patience()
    now, pauses = 0.0, []
    for answer in (REJECTED, CallError("1", "NotSupported", "", {}), None, REJECTED):
        assert patience.may_ask(7, now)
        assert not patience.note(7, answer, now)
        pauses.append(patience._refused[7].pause_s)
        assert not patience.may_ask(7, now + pauses[-1] - 1)
        now += pauses[-1]
    assert pauses == [60, 120, 240, 480]
    assert patience.note(7, ACCEPTED, now)
    assert patience.may_ask(7, now)


def test_a_pause_ends_within_a_day() -> None:
    patience = Patience()
    for _ in range(40):
        patience.note(7, REJECTED, 0.0)
    assert patience._refused[7].pause_s == LONGEST_PAUSE_S


def test_the_questions_for_a_status_in_both_languages() -> None:
    assert [one["connectorId"] for one in statuses(OcppVersion.V16, 3, {2})] == [1, 3, 0]
    assert [one["evse"] for one in statuses(OcppVersion.V201, 2, {1})] == [
        {"id": 2, "connectorId": 1}
    ]


def test_a_call_is_known_by_its_action_and_its_keys() -> None:
    read = {"key": ["B", "A"]}
    assert orders.subject("GetConfiguration", read) == "GetConfiguration A,B"
    assert set(orders.names("GetConfiguration", read)) == {
        "GetConfiguration",
        "GetConfiguration A,B",
        "GetConfiguration A",
        "GetConfiguration B",
    }
    assert orders.subject("GetConfiguration", {}) == "GetConfiguration"
    written = {"setVariableData": [{"variable": {"name": "X"}, "component": {"name": "C"}}]}
    assert orders.subject("SetVariables", written) == "SetVariables X"
