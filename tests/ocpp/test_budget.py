from __future__ import annotations

import asyncio
import time

import pytest

from csms.domain.versions import OcppVersion
from csms.ocpp.budget import BYTE_S, MESSAGE_S, Budget
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject
from tests.ocpp.conftest import Client, Handlers, Start


def test_what_is_sent_at_once_waits_after_the_reserve() -> None:
    budget, spent_until = Budget.of(10.0, 5), 0.0
    served = 0
    while budget.wait_s(spent_until, 100.0) <= 0:
        spent_until = budget.spend(spent_until, 100.0)
        served += 1
    assert served == 6
    assert 0 < budget.wait_s(spent_until, 100.0) <= 0.1
    assert budget.wait_s(spent_until, 100.2) <= 0


def test_a_pause_gives_back_no_more_than_the_reserve() -> None:
    budget = Budget.of(10.0, 5)
    assert budget.spend(3.0, 1000.0) == 1000.1


async def test_a_station_that_sends_too_much_is_slowed_and_loses_nothing(start: Start) -> None:
    server = await start(messages_per_s=200.0, messages_burst=20)
    _, client = await server.online("S")
    began = time.monotonic()
    for n in range(80):
        await client.send(f'[2,"m{n}","Heartbeat",{{}}]')
    answers = [(await client.receive())[1] for _ in range(80)]
    assert answers == [f"m{n}" for n in range(80)]
    assert time.monotonic() - began >= 0.2
    assert server.hub.stats().slowed > 0


async def test_another_station_is_served_while_one_floods(start: Start) -> None:
    server = await start(messages_per_s=1.0, messages_burst=5)
    _, flooder = await server.online("A")
    _, other = await server.online("B")
    for n in range(50):
        await flooder.send(f'[2,"m{n}","Heartbeat",{{}}]')
    await server.until(lambda: server.hub.stats().slowed > 0)
    assert (await other.ask('[2,"h","Heartbeat",{}]'))[1] == "h"


def test_what_is_dear_counts_as_several() -> None:
    budget = Budget.of(10.0, 5)
    assert 100.0 + 3 * 0.1 == pytest.approx(budget.spend_time(100.0, 3 * MESSAGE_S))
    assert 100.0 + 0.1 == pytest.approx(budget.spend_time(100.0, 64 * 1024 * BYTE_S))


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param("", id="nothing"),
        pytest.param("[2,", id="no JSON"),
        pytest.param('[3,"x",{}]', id="answers to nothing"),
        pytest.param('[2,"x","DataTransfer",{"vendorId":"v"}]', id="the same again"),
        pytest.param(" " * 300_000, id="large"),
    ],
)
async def test_what_is_no_message_is_paid_for_too(start: Start, noise: str) -> None:
    server = await start(messages_per_s=0.01, messages_burst=2)
    station, flooder = await server.online("A")
    _, other = await server.online("B")
    connection = server.hub.connection(station.id)
    assert connection is not None
    sent = 0
    async with asyncio.timeout(10):
        while server.hub.stats().slowed == 0:
            await flooder.send(noise)
            await asyncio.sleep(0)
            sent += 1
    for _ in range(100):
        await flooder.send(noise[:100])
    read = connection.frames_in
    assert (await other.ask('[2,"h","Heartbeat",{}]'))[1] == "h"
    assert read == connection.frames_in < sent + 100


async def test_a_message_that_takes_long_counts_as_several(start: Start) -> None:
    def dear(station: StationContext, payload: JsonObject) -> JsonObject:
        began = time.thread_time()
        while time.thread_time() - began < 5 * MESSAGE_S:
            pass
        return {"status": "Accepted"}

    handlers: Handlers = {(OcppVersion.V16, "DataTransfer"): dear}
    server = await start(handlers, messages_per_s=0.01, messages_burst=20)
    _, client = await server.online("S")
    for n in range(10):  # with the boot half of what may be sent at once
        await client.send(f'[2,"m{n}","DataTransfer",{{"vendorId":"v"}}]')
    await server.until(lambda: server.hub.stats().slowed > 0)


async def test_a_flooder_that_leaves_is_served_to_the_end(start: Start) -> None:
    server = await start(messages_per_s=0.01, messages_burst=5)
    station, client = await server.online("S")
    for n in range(30):
        await client.send(f'[2,"m{n}","Heartbeat",{{}}]')
    await server.until(lambda: server.hub.stats().slowed > 0)
    await close(client)
    await server.until(lambda: not server.hub.is_connected(station.id))
    rows = await server.log_rows(station.id)
    assert 31 == len(rows)


async def close(client: Client) -> None:
    await asyncio.wait_for(client.close(), 10)
