"""Accepted as it came, without a password: how such a station comes back, and nobody else does."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest

from csms.domain.onboarding import Cause, Onboarding
from csms.domain.stations import Station
from csms.services import credentials, inbox, password_rotation
from csms.services.credentials import NONE_YET_STANDS
from csms.store import stations
from tests.ocpp.conftest import BOOT, Server, Start

from .test_endpoint import UPGRADE, causes, refused


@pytest.fixture
async def accepted(server: Server) -> Station:
    """It was held, and its socket has ended since."""
    client = await server.connect("New")
    await client.ask(BOOT)
    (entry,) = await server.db.read(inbox.list_entries)
    station = await server.db.write(lambda tx: inbox.accept_untold(tx, entry.uuid))
    await client.close()
    return station


async def status_from(server: Server, address: str) -> int:
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.get(server.url("/ocpp/New"), headers=UPGRADE) as response,
    ):
        return response.status


async def test_it_comes_back_as_it_came_as_often_as_it_needs(
    server: Server, accepted: Station
) -> None:
    for _ in range(2):
        client = await server.connect("New")
        assert "Accepted" == (await client.ask(BOOT))[2]["status"]
        await client.close()
        await server.until(lambda: not server.hub.is_connected(accepted.id))


async def test_nobody_comes_in_its_name_from_elsewhere(server: Server, accepted: Station) -> None:
    assert 401 == await status_from(server, "127.0.0.2")
    assert [("New", Cause.NO_PASSWORD_SET)] == await causes(server)


async def test_nobody_takes_its_place_while_it_is_in(server: Server, accepted: Station) -> None:
    await server.connect("New")
    assert 401 == await refused(server, "New")


async def test_after_a_day_a_person_has_to_help(server: Server, accepted: Station) -> None:
    server.clock.advance((NONE_YET_STANDS + timedelta(seconds=1)).total_seconds())
    assert 401 == await refused(server, "New")


async def test_a_password_by_a_person_is_the_only_way_in(server: Server, accepted: Station) -> None:
    password = await server.db.write(lambda tx: credentials.rotate(tx, accepted.id))
    assert 401 == await refused(server, "New")
    await server.connect("New", password)


async def test_the_password_that_it_is_told_counts_beside_none_until_it_uses_it(
    server: Server, accepted: Station
) -> None:
    number = password_rotation.draw_number()
    await server.db.write(lambda tx: password_rotation.offer(tx, accepted.id, number))
    password = credentials.Passwords(server.db, b"k" * 32).derived(accepted.id, number)
    for shown in (None, password):  # whether the order was heard or not
        client = await server.connect("New", shown)
        await client.close()
        await server.until(lambda: not server.hub.is_connected(accepted.id))
    assert 401 == await refused(server, "New")


# ---- what is wrong with the attempt ----------------------------------------------------------


async def test_who_is_refused_is_not_registered(start: Start) -> None:
    server = await start(onboarding=Onboarding.OPEN, allow_no_password=True)
    assert 400 == await refused(server, "New", protocols=("ocpp1.5",))
    assert None is await server.db.read(lambda tx: stations.find_by_identity(tx, "New"))
    assert [("New", Cause.NO_COMMON_SUBPROTOCOL)] == await causes(server)


async def test_nor_is_one_while_the_window_is_open(start: Start) -> None:
    server = await start(onboarding=Onboarding.CLOSED)
    assert 401 == await refused(server, "New", protocols=("ocpp1.5",))
    await server.endpoint.window.open(server.db, 5)
    assert 400 == await refused(server, "New", protocols=("ocpp1.5",))
    assert None is await server.db.read(lambda tx: stations.find_by_identity(tx, "New"))
