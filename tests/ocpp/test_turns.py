from __future__ import annotations

import asyncio
import time

from csms.ocpp.turns import SLICE_S, Turns


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
