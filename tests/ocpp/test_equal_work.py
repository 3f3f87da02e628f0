"""In `closed` mode a refusal takes the same time, whoever is refused."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from csms.domain.onboarding import Onboarding
from csms.ocpp.endpoint import REFUSAL_GRID_S
from csms.services import credentials
from csms.services.credentials import Passwords
from tests.ocpp.conftest import Server, Start
from tests.ocpp.test_endpoint import refused

NAMES = ("CHOSEN", "GENERATED", "UNSET", "NOBODY")


async def knowing(start: Start, **settings: Any) -> Server:
    """A server that knows all but the last of them."""
    server = await start(**settings)
    made = {name: (await server.register(name))[0] for name in NAMES[:3]}
    await server.db.write(
        lambda tx: tx.run("DELETE FROM credentials WHERE station_id = ?", (made["UNSET"].id,))
    )
    await Passwords(server.db, b"").set_supplied(made["CHOSEN"].id, b"a-persons-password")
    return server


async def steps(start: Start, monkeypatch: pytest.MonkeyPatch, mode: Onboarding) -> list[int]:
    """On which step of the grid each of them is refused, on a machine that hashes slowly."""
    server = await knowing(start, onboarding=mode)

    def slower(salt: bytes, password: bytes) -> bytes:
        threading.Event().wait(1.5 * REFUSAL_GRID_S)
        return b"not the right one"

    monkeypatch.setattr(credentials, "slow_hash", slower)
    found = []
    for name in NAMES if mode is Onboarding.CLOSED else NAMES[:3]:
        began = time.monotonic()
        assert 401 == await refused(server, name, f"wrong-{name}")
        found.append(int((time.monotonic() - began) / REFUSAL_GRID_S))
    return found


async def test_closed_takes_the_time_of_a_slow_hash_for_everybody(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert min(await steps(start, monkeypatch, Onboarding.CLOSED)) >= 2


async def test_in_a_queue_that_is_too_long_everybody_waits_as_long(start: Start) -> None:
    server = await knowing(start, onboarding=Onboarding.CLOSED, handshake_timeout_s=0.1)
    queue = server.endpoint._passwords._slow_for_strangers
    async with queue, queue:  # others guess all the time
        assert [503] * 4 == [await refused(server, name, f"wrong-{name}") for name in NAMES]


async def test_where_strangers_are_held_nobody_waits_for_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, *others = await steps(start, monkeypatch, Onboarding.MANUAL)
    assert chosen >= 2
    assert others == [1, 1]
