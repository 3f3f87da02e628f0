"""What is kept of connections, and whom the door keeps out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from csms.domain.credentials import Verdict
from csms.domain.stations import Station
from csms.events import Event
from csms.ocpp.duels import REPLACEMENTS
from csms.services import credentials, password_rotation, stations
from csms.services.credentials import Passwords
from csms.store import connections
from csms.store import stations as store
from csms.store.database import Tx
from tests.ocpp.conftest import Server

if TYPE_CHECKING:
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


Change = Callable[[Tx, Station], Any]


def rotate(tx: Tx, station: Station) -> None:
    credentials.rotate(tx, station.id)
    password_rotation.rotated_by_hand(tx, station.id)


@pytest.mark.parametrize(
    ("change", "comes_in"),
    [
        (stations.block, False),
        (stations.delete, False),
        (rotate, False),
        (lambda tx, station: stations.update(tx, station, {"security_profile": 2}), False),
        (lambda tx, station: stations.update(tx, station, {"name": "Left"}), True),
        (lambda tx, station: stations.update(tx, station, {"serial_number": "7"}), True),
        (lambda tx, station: tx.emit(Event("station.blocked", {}, station_id=99)), True),
    ],
)
async def test_who_is_kept_out_while_it_knocks_does_not_come_in(
    server: Server, monkeypatch: pytest.MonkeyPatch, change: Change, comes_in: bool
) -> None:
    station, password = await server.register("S")
    verify = Passwords.verify

    async def slowly(self: Passwords, *args: Any, **more: Any) -> Verdict:
        verdict = await verify(self, *args, **more)
        await server.db.write(lambda tx: change(tx, station))
        return verdict

    monkeypatch.setattr(Passwords, "verify", slowly)
    if comes_in:
        await server.connect("S", password)
        return
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.connect("S", password)
    assert 503 == refusal.value.status
    assert not server.hub.is_connected(station.id)


async def test_who_comes_back_while_we_say_goodbye_duels_with_nobody(server: Server) -> None:
    station, password = await server.register("S")
    for _ in range(REPLACEMENTS + 1):
        await server.connect("S", password)
        connection = server.hub.connection(station.id)
        assert connection is not None
        connection.closing = True
    assert not server.hub.is_dueling(station.id)
