"""The upgrade, the websocket, and the life of a connection."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
import pytest

from csms.domain.versions import OcppVersion
from csms.errors import CallTimeout
from csms.ocpp import flaps
from csms.store import stations
from tests.ocpp.conftest import Server, Start
from tests.quirks.conftest import (
    HEARTBEAT,
    STATUS,
    RawStation,
    answering,
    boot,
    call,
    fired,
    frame,
    known,
    never_fired,
    online,
    override,
)

V16, V201 = OcppVersion.V16, OcppVersion.V201


async def test_autel_leaves_the_connection_header_out(server: Server) -> None:
    station, password = await server.register("S")
    raw = await RawStation.dial(server, password, without=("Connection",))
    assert "101 Switching Protocols" in await raw.head()
    raw.send(boot("Autel", "MaxiChargerAC", "PFA0102|V0.00.00|V1.38.00||2.4.3.0"))
    assert orjson.loads((await raw.receive())[1])[2]["status"] == "Accepted"
    assert (await fired(server, station, "no-upgrade-header")).connections == 1
    raw.writer.close()


async def test_grizzl_e_offers_no_subprotocol(server: Server) -> None:
    station, password = await server.register("S")
    raw = await RawStation.dial(
        server,
        password,
        without=("Sec-WebSocket-Protocol",),
        User_Agent="TinyWebsockets Client",
        Origin="https://github.com/gilmaimon/TinyWebsockets",
    )
    head = await raw.head()
    assert "101" in head
    assert "Protocol:" not in head
    raw.send(boot("UnitedChargers", "Grizzl-E"))
    await raw.receive()
    assert server.hub.version(station.id) is V16
    await fired(server, station, "no-subprotocol")
    raw.writer.close()


async def test_an_operator_lets_one_station_offer_no_subprotocol(server: Server) -> None:
    station, password = await server.register("S")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await server.connect("S", password, protocols=())
    await override(server, station, assume_subprotocol="1.6")
    client = await server.connect("S", password, protocols=())
    assert (await client.ask(HEARTBEAT))[0] == 3


async def test_ids_are_found_however_they_are_spelled(server: Server) -> None:
    station, password = await server.register("RDAM|1 a")
    targets = (
        "/ocpp/RDAM%7C1%20a",
        "//rdam%7c1%20A//",
        "ws://example.com:80/ocpp/1.6/RDAM%7C1%20a/?x=y",
    )
    for target in targets:
        raw = await RawStation.dial(server, password, target=target, user="rdam|1 A")
        assert "101" in await raw.head()
        await server.until(lambda: server.hub.is_connected(station.id))
        raw.writer.close()
        await server.until(lambda: not server.hub.is_connected(station.id))


async def test_fox_ess_probes_one_version_and_comes_back_in_another(start: Start) -> None:
    server = await start()
    station, password = await server.register("S")
    versions = []
    for version in (V16, V201):
        client = await server.connect("S", password, protocols=(version.subprotocol,))
        await server.until(lambda: server.hub.is_connected(station.id))
        versions.append(server.hub.version(station.id))
        await client.close()
        await server.until(lambda: not server.hub.is_connected(station.id))
    assert versions == [V16, V201]


async def test_fox_ess_sends_payloads_of_1_6_on_a_socket_of_2_0_1(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp2.0.1",))
    assert (await client.ask(boot("FoxESS", "EVC", "1.10")))[2]["status"] == "Accepted"
    assert (await client.ask(frame("st", "StatusNotification", STATUS))) == [3, "st", {}]
    tag = {"connectorId": 1, "idTag": "T", "meterStart": 5, "timestamp": "2026-05-01T12:00:00Z"}
    started = await client.ask(frame("tx", "StartTransaction", tag))
    assert started[2]["idTagInfo"] == {"status": "Accepted"}
    row = await fired(server, station, "payload-of-another-version")
    assert row.detail == "BootNotification of OCPP 1.6"
    stored = await server.db.read(lambda tx: stations.get(tx, station.id))
    assert (stored.vendor, stored.connected_version) == ("FoxESS", V201)


async def test_a_strict_server_names_what_is_wrong_with_them(start: Start) -> None:
    server = await start(strict=True)
    _, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp2.0.1",))
    answer = await client.ask(boot("FoxESS", "EVC"))
    assert (answer[0], answer[2]) == (4, "OccurrenceConstraintViolation")
    assert (await client.ask(frame("tx", "StartTransaction", {})))[2] == "NotImplemented"


async def test_fox_ess_is_spoken_to_in_1_6(server: Server) -> None:
    station, password = await known(server, "FoxESS", "A022KP1-E-2", "1.10")
    client = await server.connect("S", password, protocols=("ocpp2.0.1", "ocpp1.6"))
    assert client.socket.protocol == "ocpp1.6"
    await fired(server, station, "foxess-version")
    only = await server.connect("S", password, protocols=("ocpp2.0.1",))
    assert only.socket.protocol == "ocpp2.0.1"


async def test_en_plus_never_pongs_and_is_not_pinged(server: Server) -> None:
    station, client = await online(server, "EN+", "AC7000-AE-25")
    connection = server.hub.connection(station.id)
    assert connection is not None
    pinged_at = connection.pinged_at
    for _ in range(10):
        server.clock.advance(89)
        await server.hub.sweep()
    assert connection.pinged_at == pinged_at
    assert (await client.ask(HEARTBEAT))[0] == 3


async def test_a_station_that_never_pongs_is_kept_by_any_frame(server: Server) -> None:
    station, client = await server.online("S")
    for _ in range(10):
        server.clock.advance(120)
        await client.ask(HEARTBEAT)
        await server.hub.sweep()
    assert server.hub.is_connected(station.id)


async def test_a_station_that_hears_nothing_any_more_is_made_to_reconnect(start: Start) -> None:
    server = await start(call_timeout_s=0.02)
    station, client = await server.online("S")
    for number in range(3):
        calling = call(server, station, "ClearCache", message_id=f"c{number}", timeout_s=0.02)
        assert (await client.receive())[1] == f"c{number}"
        assert (await client.ask(f'[2,"h{number}","Heartbeat",{{}}]'))[0] == 3
        with pytest.raises(CallTimeout):
            await calling
    assert await client.closed() == 1001
    assert (await fired(server, station, "deaf")).detail == "ClearCache"


async def test_one_answer_in_between_shows_that_it_listens(start: Start) -> None:
    server = await start(call_timeout_s=0.02)
    station, client = await server.online("S")
    for number in range(6):
        calling = call(server, station, "ClearCache", message_id=f"c{number}", timeout_s=0.02)
        await client.receive()
        if number % 2:
            await client.send(f'[3,"c{number}",{{"status":"Accepted"}}]')
            await calling
        else:
            await client.ask(HEARTBEAT)
            with pytest.raises(CallTimeout):
                await calling
    assert (await client.ask(HEARTBEAT))[0] == 3


async def test_callers_in_a_hurry_prove_nothing(server: Server) -> None:
    station, client = await server.online("S")
    for number in range(4):
        calling = call(server, station, "ClearCache", message_id=f"c{number}", timeout_s=0.01)
        await client.receive()
        await client.ask(HEARTBEAT)
        with pytest.raises(CallTimeout):
            await calling
    assert (await client.ask(HEARTBEAT))[0] == 3


async def test_delta_sends_empty_frames(server: Server) -> None:
    station, client = await online(server, "Delta", "AC MAX")
    await client.socket.pong(b"")
    await client.send("")
    assert (await client.ask(HEARTBEAT))[0] == 3
    await fired(server, station, "empty-frame")


async def test_a_reserved_bit_does_not_poison_the_next_connection(server: Server) -> None:
    station, password = await server.register("S")
    raw = await RawStation.dial(server, password)
    await raw.head()
    raw.send(b"compressed", first=0xC1)
    first, payload = await raw.receive()
    assert (first, int.from_bytes(payload[:2], "big")) == (0x88, 1002)
    raw.writer.close()
    again = await server.connect("S", password)
    assert (await again.ask(HEARTBEAT))[0] == 3
    await fired(server, station, "reserved-bits")


async def test_a_station_that_flaps_is_told_of_twice(server: Server) -> None:
    station, password = await server.register("S")

    async def flap() -> None:
        client = await server.connect("S", password)
        await server.until(lambda: server.hub.is_connected(station.id))
        await client.close()
        await server.until(lambda: not server.hub.is_connected(station.id))
        server.clock.advance(10)

    for _ in range(flaps.CONNECTIONS - 1):
        await flap()
    assert not server.hub.is_flapping(station.id)
    for _ in range(5):
        await flap()
    assert server.hub.is_flapping(station.id)
    server.clock.advance(flaps.WINDOW_S)
    await server.hub.sweep()
    assert not server.hub.is_flapping(station.id)
    await server.until(lambda: not server.hub._tasks)
    told = [(e["flapping"], e["connections"]) for e in await server.events("station.flapping")]
    assert told == [(True, flaps.CONNECTIONS), (False, 0)]
    await fired(server, station, "flapping")


async def test_a_good_station_has_no_quirks(server: Server) -> None:
    station, client = await server.online("S")
    calling = call(server, station, "ClearCache")
    await answering(client, '{"status":"Accepted"}')
    await calling
    await client.ask(HEARTBEAT)
    assert await never_fired(server, station)


async def test_a_quirk_is_told_once_and_counted_by_connection(server: Server) -> None:
    station, password = await server.register("S")
    for _ in range(3):
        client = await server.connect("S", password)
        await client.send("")
        await client.send("")
        await client.ask(HEARTBEAT)
        await server.until(lambda: not server.hub._tasks)
        await client.close()
        await server.until(lambda: not server.hub.is_connected(station.id))
    assert (await fired(server, station, "empty-frame")).connections == 3
    told: list[Any] = await server.events("station.quirk_fired")
    assert [(event["quirk"], event["identity"]) for event in told] == [("empty-frame", "S")]
