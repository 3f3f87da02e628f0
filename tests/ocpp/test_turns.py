from __future__ import annotations

import asyncio
import time

import pytest

from csms.ocpp import turns as turns_module
from csms.ocpp.turns import SLICE_S, Turns


class Clocks:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.passed = self.spent = 0.0
        self.asked = 0

    def monotonic(self) -> float:
        return self.passed

    def thread_time(self) -> float:
        self.asked += 1
        return self.spent


async def test_work_is_done_in_order() -> None:
    turns, done = Turns(), []
    for number in range(5):
        turns.put(lambda number=number: done.append(number))
    assert done == []
    await asyncio.sleep(0)
    assert done == [0, 1, 2, 3, 4]


async def test_others_get_their_turn_between_two_slices() -> None:
    turns, done = Turns(), []

    def long() -> None:
        until = time.monotonic() + SLICE_S
        while time.monotonic() < until:
            pass
        done.append("long")

    turns.put(long)
    turns.put(long)
    asyncio.get_running_loop().call_soon(done.append, "other")
    for _ in range(3):
        await asyncio.sleep(0)
    assert done == ["long", "other", "long"]


async def test_only_time_on_the_processor_counts_and_is_asked_for_when_it_may_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks, turns, took = Clocks(), Turns(), []
    monkeypatch.setattr(turns_module, "time", clocks)

    def work(passed: float, spent: float) -> None:
        began = turns.begin()
        clocks.passed += passed
        clocks.spent += spent
        took.append(turns.dear_s(began))

    clocks.passed = clocks.spent = 100.0
    work(0.0004, 0.0004)
    assert 1 == clocks.asked
    work(0.005, 0.0001)  # it was others' turn
    work(0.004, 0.004)
    assert [0.0, 0.0005, 0.004] == pytest.approx(took)
    assert 3 == clocks.asked
    clocks.spent += 50.0
    clocks.passed += 60.0
    work(0.002, 0.002)
    assert 0.002 == pytest.approx(took[-1])
