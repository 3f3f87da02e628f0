from __future__ import annotations

import asyncio

from csms.ocpp.crowds import Crowds


async def test_of_one_address_a_few_are_inside_at_once_and_all_get_in() -> None:
    crowds, inside, most, done = Crowds(3), 0, 0, 0

    async def one() -> None:
        nonlocal inside, most, done
        async with crowds.one_of("a"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            done += 1

    await asyncio.gather(*(one() for _ in range(20)))
    assert (3, 20) == (most, done)
    assert not crowds._crowds


async def test_one_who_gives_up_waiting_takes_no_place() -> None:
    crowds = Crowds(1)
    async with crowds.one_of("a"):
        waiting = asyncio.ensure_future(crowds.one_of("a").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with crowds.one_of("a"), crowds.one_of("b"):
        pass
    assert not crowds._crowds
