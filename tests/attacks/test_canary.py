"""A secret goes every way there is, and is found nowhere but where it has to be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import TOKEN, Server
from tests.attacks.canaries import Listening, Parrot
from tests.attacks.canary_tour import Tour
from tests.attacks.raw import Raw

VERSIONS = ("1.6", "2.0.1", "2.1")
DATABASE = {
    *("file data/csms.sqlite3", "file data/csms.sqlite3-wal"),
    *("file backup.tar", "backup csms.sqlite3"),
}
# What has to hold a secret, and nothing else does.
MUST_HOLD = {
    # Its receiver may have a secret in its address; who manages webhooks sees that.
    "a receiver's address": {
        *("/api/v1/webhooks", "/api/v1/webhooks/{id}", *DATABASE),
        "answer of POST /api/v1/webhooks/{id}/rotate-secret",
    },
    # The answer to a message bears its id, to whoever chose that.
    **{f"a message id, {version}": {"answer to a broken frame"} for version in VERSIONS},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """With all that it may say in its log."""
    made = Server(
        tmp_path,
        dev=False,
        CSMS_LOG__LEVEL="debug",
        CSMS_OCPP__ASSUME_SUBPROTOCOL="1.6",
        CSMS_OCPP__CALL_TIMEOUT_S="2",
        CSMS_WEBHOOKS__ALLOWED_TARGETS="127.0.0.1",
    )
    made.start()
    yield made
    if not made.dead:
        made.stop()


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_a_secret_is_found_nowhere(server: Server, tmp_path: Path) -> None:
    tour = Tour(server)
    tour.canaries.watch("the admin token", TOKEN)
    listening = Listening(f"{server.client.url}/api/v1/events", TOKEN)
    listening.start()
    stations = {version: tour.make(f"CP-{version}") for version in VERSIONS}
    await tour.doors(stations["1.6"])
    await asyncio.to_thread(tour.tokens)
    await asyncio.to_thread(tour.people)
    await tour.garbled()
    await asyncio.to_thread(tour.webhooks)
    for version, station in stations.items():
        for refuses in (True, False):
            raw = await Raw.booted(server, station, version)
            await tour.frames(raw)
            if refuses:  # before anything else waits for it
                await tour.late_answers(raw, station)
            parrot = asyncio.create_task(Parrot(raw, tour.canaries, refuses=refuses).run())
            state = "refused" if refuses else "accepted"
            await asyncio.to_thread(tour.orders, station, version, state)
            parrot.cancel()
            await asyncio.gather(parrot, return_exceptions=True)
            await raw.close()
    for version, station in stations.items():
        await asyncio.to_thread(tour.orders, station, version, "offline")
    await asyncio.to_thread(tour.sheet)
    await asyncio.to_thread(tour.read_all, tmp_path)
    tour.told.add("events", bytes(listening.heard))
    assert len(listening.heard) > 1000
    assert 0 == server.stop()
    tour.told.add_files(tmp_path)
    print(f"{len(tour.canaries.names)} secrets, looked for in {tour.told.places} places")
    assert len(tour.canaries.names) > 100, sorted(tour.canaries.names)
    found = tour.told.finds(tour.canaries)
    wrong = {name: places - MUST_HOLD.get(name, set()) for name, places in found.items()}
    wrong = {name: places for name, places in wrong.items() if places}
    assert not wrong, "\n".join(f"{name}: {sorted(wrong[name])}" for name in sorted(wrong))
