"""What is kept of connections, and whom the door keeps out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from csms.ocpp.duels import REPLACEMENTS
from csms.ocpp.marks import Marks
from csms.services import stations
from csms.store import connections
from csms.store import stations as store
from tests.ocpp.conftest import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from csms.domain.stations import Station
    from csms.store.connections import StoredConnection


async def kept(
    server: Server, station: Station, enough: Callable[[list[StoredConnection]], bool]
) -> list[StoredConnection]:
    async with asyncio.timeout(10):
        while True:
            found = await server.db.read(lambda tx: connections.list_page(tx, station.id, limit=9))
            if enough(found):
                return found
            await asyncio.sleep(0)


async def test_a_connection_is_kept_with_its_end(server: Server) -> None:
    station, client = await server.online("S")
    (going_on,) = await kept(server, station, lambda found: len(found) == 1)
    assert (going_on.address, going_on.disconnected_at) == ("127.0.0.1", None)
    server.clock.advance(60)
    await client.close()
    (over,) = await kept(server, station, lambda found: found[0].disconnected_at is not None)
    assert (over.disconnected_at, over.close_code) == (server.clock.now(), 1000)


async def test_a_connection_that_is_replaced_is_over(server: Server) -> None:
    station, password = await server.register("S")
    await server.connect("S", password)
    await kept(server, station, lambda found: len(found) == 1)
    server.clock.advance(60)
    await server.connect("S", password)
    newer, older = await kept(server, station, lambda found: len(found) == 2)
    assert (older.disconnected_at, newer.disconnected_at) == (server.clock.now(), None)


async def test_a_blocked_station_is_sent_away_and_kept_out(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    await server.db.write(lambda tx: stations.block(tx, station))
    assert await client.closed() == 1008
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.connect("S", password)
    assert refusal.value.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.connect("S", "not its password")
    assert refusal.value.status == 401
    blocked = await server.db.read(lambda tx: store.get(tx, station.id))
    await server.db.write(lambda tx: stations.unblock(tx, blocked))
    await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))


async def test_a_station_that_is_blocked_during_its_handshake_is_sent_away(server: Server) -> None:
    station, client = await server.online("S")
    context = server.hub._links[station.id].context
    await server.db.write(lambda tx: store.update(tx, station.id, blocked_at=tx.now))
    await Marks(server.db).connected(context)
    assert await client.closed() == 1008


async def test_who_comes_back_while_we_say_goodbye_duels_with_nobody(server: Server) -> None:
    station, password = await server.register("S")
    for _ in range(REPLACEMENTS + 1):
        await server.connect("S", password)
        connection = server.hub.connection(station.id)
        assert connection is not None
        connection.closing = True
    assert not server.hub.is_dueling(station.id)
