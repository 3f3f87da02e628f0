from __future__ import annotations

import asyncio

import pytest

from csms.clock import SystemClock
from csms.events import Event
from csms.services import onboarding
from csms.services.onboarding import Window


async def test_it_ends_by_itself_and_says_so(db, bus, monkeypatch):
    over = asyncio.Event()
    told = []

    def on_event(event):
        told.append((event.type, event.data.get("reason")))
        if event.type == "onboarding.closed":
            over.set()

    bus.subscribe(Event, on_event)
    window = Window(SystemClock())
    running = asyncio.create_task(window.run(db))
    opening = await window.open(db, 1)
    opening.ends_at = window._clock.monotonic() + 0.01
    window.came_in(7, is_guest=False)
    async with asyncio.timeout(5):
        await over.wait()
    assert window.present is None
    assert told == [("onboarding.opened", None), ("onboarding.closed", "over")]
    running.cancel()


async def test_a_guest_is_told_once_and_one_until_the_end(db, clock):
    window = Window(clock)
    await window.open(db, 5)
    window.came_in(1, is_guest=True)
    window.came_in(2, is_guest=False)
    assert [window.has_guest(one) for one in (1, 2, 3)] == [True, False, False]
    assert [window.take_untold(one) for one in (1, 1, 2)] == [True, False, False]
    clock.advance(5 * 60)
    assert not window.has_guest(1)


async def test_strangers_do_not_come_without_end(db, clock, monkeypatch):
    monkeypatch.setattr(onboarding, "MAX_STATIONS", 2)
    window = Window(clock)
    await window.open(db, 5)
    for number in range(2):
        assert not window.is_full()
        window.came_in(number, is_guest=False)
    assert window.is_full()


@pytest.mark.parametrize("minutes", [1, 60])
async def test_a_change_of_the_wall_clock_makes_it_no_longer(db, clock, minutes):
    window = Window(clock)
    opening = await window.open(db, minutes)
    assert opening.ends_at - clock.monotonic() == minutes * 60
    await window.close(db)
    assert window.present is None
    window.came_in(1, is_guest=True)
    assert not window.has_guest(1)
