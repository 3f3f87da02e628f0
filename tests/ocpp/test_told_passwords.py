"""A password that was told to a station, at the door."""

from __future__ import annotations

import aiohttp
import pytest

from csms.services import password_rotation
from csms.services.credentials import Passwords
from tests.ocpp.conftest import Server


async def comes_in(server: Server, password: str) -> bool:
    try:
        client = await server.connect("S", password)
    except aiohttp.WSServerHandshakeError as refused:
        assert 401 == refused.status
        return False
    await client.close()
    return True


@pytest.mark.parametrize("as_hex", [False, True])
async def test_the_first_use_of_the_new_one_is_the_end_of_the_old(
    server: Server, as_hex: bool
) -> None:
    station, old = await server.register("S")
    new = Passwords(server.db, b"k" * 32).derived(station.id, 7)
    await server.db.write(lambda tx: password_rotation.offer(tx, station.id, 7))
    # Some stations present the digits of 1.6 as they came.
    presented = new.encode().hex() if as_hex else new
    assert await comes_in(server, old)
    assert await comes_in(server, presented)
    assert not await comes_in(server, old)
    assert await comes_in(server, new)
    (event,) = await server.events("station.credentials_rotated")
    assert {"id": station.uuid, "identity": "S", "pushed": True} == event


async def test_several_that_are_on_offer_are_all_valid_and_bounded(server: Server) -> None:
    station, old = await server.register("S")
    for number in range(1, 9):
        await server.db.write(
            lambda tx, number=number: password_rotation.offer(tx, station.id, number + 100)
        )
    passwords = Passwords(server.db, b"k" * 32)
    assert 6 == await server.db.read(lambda tx: tx.value("SELECT count(*) FROM credentials"))
    assert not await comes_in(server, passwords.derived(station.id, 103))
    assert await comes_in(server, old)
    assert await comes_in(server, passwords.derived(station.id, 105))
    assert 1 == await server.db.read(lambda tx: tx.value("SELECT count(*) FROM credentials"))
    assert not await comes_in(server, passwords.derived(station.id, 108))


async def test_a_password_made_by_hand_ends_the_connection_with_the_old_one(
    server: Server,
) -> None:
    station, client = await server.online("S")
    await server.db.write(lambda tx: password_rotation.rotated_by_hand(tx, station.id))
    assert 1000 == await client.closed()


async def test_a_password_that_the_station_took_leaves_its_connection(server: Server) -> None:
    station, client = await server.online("S")
    await server.db.write(lambda tx: password_rotation.offer(tx, station.id, 7))
    await server.db.write(lambda tx: password_rotation.take(tx, station.id, 7))
    assert "currentTime" in (await client.ask('[2,"h","Heartbeat",{}]'))[2]
