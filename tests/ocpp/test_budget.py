from __future__ import annotations

import asyncio
import time

import pytest

from csms.domain.versions import OcppVersion
from csms.ocpp.budget import MAX_PURSES, MESSAGE_S, Budget, Purse, Purses
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject
from tests.ocpp.conftest import Client, Handlers, Server, Start
from tests.ocpp.test_connection import raw_station


def test_what_is_sent_at_once_waits_after_the_reserve() -> None:
    purse = Purse(Budget.of(10.0, 5))
    served = 0
    while purse.wait_s(100.0) <= 0:
        purse.serve(100.0)
        served += 1
    assert served == 6
    assert 0 < purse.wait_s(100.0) <= 0.1
    assert purse.wait_s(100.2) <= 0


def test_a_pause_gives_back_no_more_than_the_reserve() -> None:
    purse = Purse(Budget.of(10.0, 5))
    purse.serve(3.0)
    purse.serve(1000.0)
    assert 0.1 - 0.5 == pytest.approx(purse.wait_s(1000.0))


def test_who_has_spent_everything_pays_nothing_for_a_connection() -> None:
    purse = Purse(Budget.of(10.0, 5))
    waits = [purse.open(100.0) for _ in range(100)]
    assert 6 == sum(wait_s <= 0 for wait_s in waits)
    assert 0.1 == pytest.approx(waits[-1])


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
    purse = Purse(Budget.of(10.0, 5))
    purse.serve(100.0)
    purse.charge(4 * MESSAGE_S)
    purse.charge(0.9 * MESSAGE_S)
    assert 0.4 - 0.5 == pytest.approx(purse.wait_s(100.0))
    assert 0.1 - 0.5 == pytest.approx(purse.read(64 * 1024, 0, 0.0, 100.0))
    assert 0.4 - 0.5 == pytest.approx(purse.read(0, 30, 0.002, 100.0))
    assert 0.9 - 0.5 == pytest.approx(purse.read(0, 1, 5 * MESSAGE_S, 100.0))


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param("", id="nothing"),
        pytest.param("[2,", id="no JSON"),
        pytest.param('[3,"x",{}]', id="answers to nothing"),
        pytest.param('[2,"x","DataTransfer",{"vendorId":"v"}]', id="the same again"),
        pytest.param(" " * 300_000, id="large"),
        pytest.param('[3,"x",{"d":["%s"]}]' % ('://@","' * 8000), id="dear"),
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


async def test_a_flooder_that_leaves_is_served_within_its_budget(start: Start) -> None:
    server = await start(messages_per_s=0.01, messages_burst=5)
    station, client = await server.online("S")
    for n in range(30):
        await client.send(f'[2,"m{n}","Heartbeat",{{}}]')
    await server.until(lambda: server.hub.stats().slowed > 0)
    await close(client)
    await server.until(lambda: not server.hub.is_connected(station.id))
    rows = await server.log_rows(station.id)
    assert ["boot", "m0", "m1", "m2", "m3"] == [row.message_id for row in rows]


async def test_what_was_spent_stays_spent_on_the_next_connection(start: Start) -> None:
    server = await start(messages_per_s=0.01, messages_burst=5)
    _, other = await server.online("B")
    station, password = await server.register("A")
    first = await server.connect("A", password)
    for n in range(30):
        await first.send(f'[2,"m{n}","Heartbeat",{{}}]')
    await server.until(lambda: server.hub.stats().slowed > 0)
    await close(first)
    await server.until(lambda: not server.hub.is_connected(station.id))
    second = await server.connect("A", password)
    await second.send('[2,"again","Heartbeat",{}]')
    await is_not_read(server, station.id, other)


async def test_an_upgrade_counts_as_a_message(start: Start) -> None:
    server = await start(messages_per_s=0.01, messages_burst=5)
    _, other = await server.online("B")
    station, password = await server.register("A")
    for _ in range(6):
        await close(await server.connect("A", password))
        await server.until(lambda: not server.hub.is_connected(station.id))
    client = await server.connect("A", password)
    await client.send('[2,"first","Heartbeat",{}]')
    await is_not_read(server, station.id, other)


async def test_strangers_of_one_address_cost_together_what_a_station_may(start: Start) -> None:
    server = await start(messages_per_s=0.01, messages_burst=5)
    _, other = await server.online("S")
    for identity in ("X1", "X2", "X3"):
        await close(await server.connect(identity))
    last = await server.connect("X4")
    answered = [await last.ask(f'[2,"m{n}","Heartbeat",{{}}]') for n in range(2)]
    assert [4, 4] == [answer[0] for answer in answered]
    await last.send('[2,"late","Heartbeat",{}]')
    waiting = asyncio.create_task(last.receive())
    for n in range(3):
        assert (await other.ask(f'[2,"h{n}","Heartbeat",{{}}]'))[1] == f"h{n}"
    assert not waiting.done()
    waiting.cancel()


def test_who_was_here_the_longest_time_ago_is_forgotten_first() -> None:
    purses = Purses(Budget.of(10.0, 5))
    first, second = purses.of(1), purses.of("192.0.2.7")
    assert first is purses.of(1)
    for key in range(2, MAX_PURSES + 1):
        purses.of(key)
    assert first is purses.of(1)
    assert second is not purses.of("192.0.2.7")


async def test_after_a_broken_frame_the_rest_is_not_read_for_free(start: Start) -> None:
    server = await start(messages_per_s=0.01, messages_burst=3)
    _, writer = await raw_station(server, "S")
    connection = server.hub.connection(1)
    assert connection is not None
    writer.write(b"\x81\x01x")  # not masked
    await server.until(lambda: connection.closing)
    writer.write(bytes(1_000_000))
    await server.until(lambda: not connection.socket.transport.is_reading())
    assert not connection.socket.transport.is_closing()
    writer.transport.abort()


async def is_not_read(server: Server, station_id: int, other: Client) -> None:
    """What the station has sent stays where it is, while the other one is served."""
    connection = server.hub.connection(station_id)
    assert connection is not None
    for n in range(3):
        assert (await other.ask(f'[2,"h{n}","Heartbeat",{{}}]'))[1] == f"h{n}"
        assert connection.frames_in == 0


async def close(client: Client) -> None:
    await asyncio.wait_for(client.close(), 10)
