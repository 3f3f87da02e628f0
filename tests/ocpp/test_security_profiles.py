"""A station never connects with less security than it has had, or than somebody asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from csms.domain.client_certificates import ClientCertificate
from csms.ocpp.endpoint import Admission, Endpoint, Refusal
from csms.ocpp.handshake import Peer, Upgrade
from csms.services import credentials, inbox, password_rotation
from csms.services.credentials import Passwords
from csms.store import stations
from csms.store.database import Tx
from tests.ocpp.conftest import Server, Start, basic
from tests.ocpp.test_endpoint import UPGRADE

SERIAL = "SN-1"
PLAIN = Peer("192.0.2.1")
ENCRYPTED = Peer("192.0.2.1", encrypted=True)
CERTIFIED = replace(ENCRYPTED, certificate=ClientCertificate((SERIAL,), ()))
PEERS = {1: PLAIN, 2: ENCRYPTED, 3: CERTIFIED}


async def comes(server: Server, password: str | None, profile: int) -> Admission | Refusal:
    headers = {name.lower(): value for name, value in UPGRADE.items()}
    if password is not None:
        headers["authorization"] = basic("S", password)
    endpoint = Endpoint(hub=server.hub, db=server.db, passwords=Passwords(server.db, b"k" * 32))
    return await endpoint.knock(Upgrade("GET", "/ocpp/S", headers, PEERS[profile or 1]))


async def required(server: Server) -> int:
    station = await server.db.read(lambda tx: stations.find_by_identity(tx, "S"))
    assert station is not None
    return station.security_profile


@pytest.mark.parametrize("needed", range(4))
@pytest.mark.parametrize("used", range(4))
async def test_no_station_comes_in_with_less_than_it_needs(
    start: Start, needed: int, used: int
) -> None:
    server = await start(allow_no_password=True)
    _, password = await server.register("S", serial_number=SERIAL, security_profile=needed)
    if used == 0:
        await server.db.write(lambda tx: tx.run("DELETE FROM credentials"))
    answer = await comes(server, password if used else None, used)
    if used >= needed:
        assert isinstance(answer, Admission)
        assert await required(server) == max(needed, used if used > 1 else 0)
    else:
        assert isinstance(answer, Refusal)
        assert 401 == answer.status
        (entry,) = await server.db.read(inbox.list_entries)
        assert ("S", "security_profile") == (entry.identity, entry.cause)
        assert await required(server) == needed


async def test_what_a_station_has_used_once_it_keeps(server: Server) -> None:
    _, password = await server.register("S", serial_number=SERIAL)
    found = []
    for profile in (1, 2, 1, 3, 2, 3):
        answer = await comes(server, password, profile)
        found.append(isinstance(answer, Admission))
    assert [True, True, False, True, False, True] == found
    raised = [event["security_profile"] for event in await server.events(RAISED)]
    assert [2, 3] == raised


RAISED = "station.security_profile_raised"


@pytest.mark.parametrize("profile", [0, 1, 2])
async def test_one_whose_password_is_waived_comes_in_without_and_raises_nothing(
    server: Server, profile: int
) -> None:
    station, password = await server.register("S")
    await server.db.write(lambda tx: credentials.waive(tx, station))
    for shown in (None, "x" * 20, password):
        assert isinstance(await comes(server, shown, profile), Admission)
    assert 0 == await required(server)
    await server.db.write(lambda tx: credentials.rotate(tx, station.id))
    assert isinstance(await comes(server, None, profile), Refusal)


async def test_who_came_in_without_a_password_leaves_when_there_is_one(server: Server) -> None:
    station, _ = await server.register("S")
    await server.db.write(lambda tx: credentials.waive(tx, station))
    client = await server.connect("S")

    def rotate(tx: Tx) -> None:
        credentials.rotate(tx, station.id)
        password_rotation.rotated_by_hand(tx, station.id)

    await asyncio.gather(client.closed(), server.db.write(rotate))
    assert 1000 == client.socket.close_code


async def test_a_refused_upgrade_raises_nothing(server: Server) -> None:
    _, password = await server.register("S", serial_number=SERIAL)
    assert isinstance(await comes(server, "wrong" * 4, 2), Refusal)
    assert 0 == await required(server)
    assert isinstance(await comes(server, password, 1), Admission)


async def test_a_changed_profile_ends_the_connection(server: Server) -> None:
    station, client = await server.online("S")
    await asyncio.gather(client.closed(), _change(server, station, security_profile=2))
    assert 1012 == client.socket.close_code


async def _change(server: Server, station: Any, **changes: Any) -> None:
    from csms.services import stations as service

    await server.db.write(lambda tx: service.update(tx, station, changes))


async def test_an_event_says_with_which_profile_it_came_in(server: Server) -> None:
    _, password = await server.register("S", serial_number=SERIAL)
    for profile in PEERS:
        answer = await comes(server, password, profile)
        assert isinstance(answer, Admission)
        assert profile == answer.profile
    waived, _ = await server.register("T")
    await server.db.write(lambda tx: credentials.waive(tx, waived))
    await server.connect("T")
    await server.until(lambda: server.hub.is_connected(waived.id))
    await server.db.write(lambda tx: None)  # behind the mark
    assert [0] == [one["security_profile"] for one in await server.events("station.connected")]
