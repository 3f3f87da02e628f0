from __future__ import annotations

import pytest

from csms.ocpp import throttle
from csms.ocpp.duels import REPLACEMENTS, WINDOW_S, Duels
from csms.ocpp.throttle import Throttle


def test_a_key_passes_once_in_an_interval() -> None:
    gate = Throttle(1.0)
    assert [gate.passes("a", at) for at in (0.0, 0.5, 0.99, 1.0, 1.5)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert gate.passes("b", 0.5)


def test_the_number_of_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEYS", 2)
    gate = Throttle(1000.0)
    for key in "abc":
        assert gate.passes(key, 1.0)
    assert gate.passes("a", 2.0)
    assert not gate.passes("c", 2.0)


def test_replacements_within_the_window_are_a_duel() -> None:
    duels = Duels()
    for number in range(REPLACEMENTS):
        assert not duels.goes_on(1, float(number))
        duels.note(1, float(number))
    assert duels.goes_on(1, 10.0)
    assert not duels.goes_on(2, 10.0)
    assert not duels.goes_on(1, WINDOW_S + 1)
    duels.forget_old(WINDOW_S * 3)
    assert not duels.goes_on(1, 10.0)
