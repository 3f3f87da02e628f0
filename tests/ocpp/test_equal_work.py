"""In `closed` mode a refusal takes the same time, whoever is refused."""

from __future__ import annotations

import threading
import time

import pytest

from csms.domain.onboarding import Onboarding
from csms.ocpp.endpoint import REFUSAL_GRID_S
from csms.services import credentials
from csms.services.credentials import Passwords
from tests.ocpp.conftest import Start
from tests.ocpp.test_endpoint import refused

NAMES = ("CHOSEN", "GENERATED", "UNSET", "NOBODY")


async def steps(start: Start, monkeypatch: pytest.MonkeyPatch, mode: Onboarding) -> list[int]:
    """On which step of the grid each of them is refused, on a machine that hashes slowly."""
    server = await start(onboarding=mode)
    made = {name: (await server.register(name))[0] for name in NAMES[:3]}
    await server.db.write(
        lambda tx: tx.run("DELETE FROM credentials WHERE station_id = ?", (made["UNSET"].id,))
    )
    passwords = Passwords(server.db, b"k" * 32)
    await passwords.set_supplied(made["CHOSEN"].id, b"a-persons-password")

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


async def test_where_strangers_are_held_nobody_waits_for_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, *others = await steps(start, monkeypatch, Onboarding.MANUAL)
    assert chosen >= 2
    assert others == [1, 1]
