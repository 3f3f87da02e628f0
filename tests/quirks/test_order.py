"""Boots, readiness, and who asks whom when."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from csms.errors import CallWithheld, ConnectionLost, StationOffline
from csms.events import LateAnswer
from csms.ocpp import flaps
from csms.ocpp.breaker import Breaker
from csms.services import quirks
from csms.services import stations as station_service
from csms.store import quirks as store
from csms.store import stations
from tests.ocpp.conftest import Client, Server, Start
from tests.quirks.conftest import (
    HEARTBEAT,
    STATUS,
    answering,
    boot,
    call,
    fired,
    frame,
    known,
    online,
    override,
)

READ = {"key": ["MeterValuesSampledData"]}
ACCEPTED = '{"status":"Accepted"}'


# ---- what is left alone after a boot ---------------------------------------------------------


async def test_wallbox_is_left_alone_after_its_boot(server: Server) -> None:
    station, password = await server.register("S")
    await override(server, station, ready_delay_s=0.05)
    client = await server.connect("S", password)
    await client.ask(boot("Wall Box Chargers", "CPB1-S-2-4", "6.7.38"))
    link = server.hub._links[station.id]
    assert link.ready_at is not None
    assert not link.is_ready
    with pytest.raises(StationOffline):
        await call(server, station, "GetConfiguration")
    await server.until(lambda: link.is_ready)
    calling = call(server, station, "ClearCache")
    await answering(client, ACCEPTED)
    await calling


async def test_the_delay_of_wallbox_is_known(server: Server) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await client.ask(boot("Wall Box Chargers", "PUP1-U-1-6", "6.6.15"))
    assert server.hub._links[station.id].context.quirks.settings.ready_delay_s == 2
    await fired(server, station, "wallbox-boot-loop")


async def test_a_station_that_only_lost_its_socket_is_asked_for_a_boot_once(
    server: Server,
) -> None:
    station, password = await known(server, "Wall Box Chargers", "PUP1-U-1-6")
    await override(server, station, ready_delay_s=0)
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    server.clock.advance(5)
    await server.hub.sweep()
    asked = await answering(client, '{"status":"Rejected"}')
    assert asked[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
    await server.until(lambda: server.hub.is_ready(station.id))
    stored = await server.db.read(lambda tx: stations.get(tx, station.id))
    assert stored.vendor == "Wall Box Chargers"


async def test_en_plus_is_sent_nothing_that_nobody_ordered(server: Server) -> None:
    _station, client = await online(server, "EN+", "AC7000-AE-45")
    for _ in range(5):
        server.clock.advance(60)
        await server.hub.sweep()
    assert await client.ask(HEARTBEAT) == [3, "hb", {"currentTime": "2026-05-01T12:05:00.000Z"}]


async def test_growatt_is_not_asked_again_and_again(server: Server) -> None:
    station, password = await known(server, "Growatt", "11AS", "THOR_11AS-V5.2.4")
    asked = []
    for pause in (0, 30, 60, 60):
        server.clock.advance(pause)
        client = await server.connect("S", password)
        await server.until(lambda: server.hub.is_connected(station.id))
        server.clock.advance(6)
        await server.hub.sweep()
        asked.append(not server.hub.is_ready(station.id))
        if asked[-1]:
            await answering(client, '{"status":"Rejected"}')
        await server.until(lambda: server.hub.is_ready(station.id))
        await client.close()
        await server.until(lambda: not server.hub.is_connected(station.id))
    # Asked at 6 s, left alone until 66 s; asked at 108 s, left alone until 228 s.
    assert asked == [True, False, True, False]
    await server.until(lambda: not server.hub._tasks)
    assert (await fired(server, station, "refuses-triggers")).connections == 2


async def test_a_station_may_be_left_silent_for_longer(server: Server) -> None:
    station, password = await server.register("S")
    await override(server, station, boot_trigger_delay_s=60)
    await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    connection = server.hub.connection(station.id)
    assert connection is not None
    server.clock.advance(59)
    await server.hub.sweep()
    assert connection.session.idle
    server.clock.advance(1)
    await server.hub.sweep()
    await server.until(lambda: connection.session.outstanding is not None)


# ---- the status of connectors ----------------------------------------------------------------


async def test_connectors_that_tell_no_status_are_asked_one_by_one(server: Server) -> None:
    station, password = await server.register("S", connectors=2)
    client = await server.connect("S", password)
    await client.ask(boot("EV-BOX", "G4E-WBW-M7500E", "P0424B0424v0.220706_W2.2.0"))
    await client.ask(frame("st", "StatusNotification", STATUS))
    server.clock.advance(10)
    await server.hub.sweep()
    asked = [(await answering(client, ACCEPTED))[3] for _ in range(2)]
    assert [one["connectorId"] for one in asked] == [2, 0]
    assert {one["requestedMessage"] for one in asked} == {"StatusNotification"}
    await server.until(lambda: server.hub.slot_free(station.id))
    server.clock.advance(10)
    await server.hub.sweep()
    assert (await client.ask(HEARTBEAT))[0] == 3
    await fired(server, station, "no-status-on-reconnect")


async def test_a_refusal_ends_the_questions_for_the_status(server: Server) -> None:
    station, client = await online(server, "EV-BOX", "G3-M5320E", connectors=2)
    server.clock.advance(10)
    await server.hub.sweep()
    await answering(client, '{"status":"NotImplemented"}')
    await server.until(lambda: server.hub.slot_free(station.id))
    assert (await client.ask(HEARTBEAT))[0] == 3


# ---- times -----------------------------------------------------------------------------------


async def test_every_time_we_write_has_milliseconds_and_ends_in_z(server: Server) -> None:
    station, client = await online(server, "Webasto", "WB_NEXT_EVSE_EU_32A")
    server.clock.advance(0.123456)
    times = [
        (await client.ask(boot("Webasto", "WB_NEXT_EVSE_EU_32A")))[2]["currentTime"],
        (await client.ask(HEARTBEAT))[2]["currentTime"],
    ]
    assert all(re.fullmatch(r"2026-05-01T12:00:00\.123Z", text) for text in times)
    await override(server, station, timestamp_format="seconds")
    assert (await client.ask(HEARTBEAT))[2]["currentTime"] == "2026-05-01T12:00:00Z"
    await fired(server, station, "operator")


async def test_a_heartbeat_may_be_late(start: Start) -> None:
    server = await start(heartbeat_interval_s=60)
    station, client = await online(server, "MENNEKES", "AMTRON 4You 510")
    await override(server, station, trigger_status=False)
    for _ in range(5):
        server.clock.advance(70)
        await server.hub.sweep()
        assert (await client.ask(HEARTBEAT))[0] == 3
    assert server.hub.is_connected(station.id)


# ---- slow and quick --------------------------------------------------------------------------


async def test_mennekes_is_waited_for(server: Server) -> None:
    station, client = await online(server, "MENNEKES", "AMTRON 4Business 720")
    calling = call(server, station, "TriggerMessage", timeout_s=0.01, payload=TRIGGER)
    asked = await client.receive()
    server.clock.advance(60)
    await client.send(f'[3,"{asked[1]}",{ACCEPTED}]')
    assert await calling == {"status": "Accepted"}
    assert (await fired(server, station, "mennekes-slow")).detail == "TriggerMessage"


TRIGGER = {"requestedMessage": "StatusNotification"}


async def test_an_answer_after_the_wait_still_counts(server: Server) -> None:
    station, client = await server.online("S")
    with pytest.raises(Exception, match="in time"):
        await call(server, station, "ClearCache", timeout_s=0.01)
    asked = await client.receive()
    await client.send(f'[3,"{asked[1]}",{ACCEPTED}]')
    await server.until(lambda: server.count(LateAnswer))
    assert LateAnswer(station.id, "ours", {"status": "Accepted"}, None) in server.signals
    await fired(server, station, "late-answer")


async def test_the_pro_wallbox_gets_its_answers_a_little_later(server: Server) -> None:
    station, client = await server.online("S")
    await override(server, station, response_delay_s=0.05)
    loop = asyncio.get_running_loop()
    began = loop.time()
    tag = {"connectorId": 1, "idTag": "T", "meterStart": 5, "timestamp": "2026-05-01T12:00:00Z"}
    await client.send(frame("1", "StartTransaction", tag))
    await client.send(frame("2", "Heartbeat", {}))
    assert (await client.receive())[1] == "1"
    assert loop.time() - began >= 0.05
    assert (await client.receive())[1] == "2"
    assert loop.time() - began >= 0.1
    await fired(server, station, "operator")


async def test_the_delay_of_the_pro_wallbox_is_known(server: Server) -> None:
    station, _ = await online(server, "Free2move eSolutions", "F2ME.EPROSE01TXX", "2.9.3")
    assert server.hub._links[station.id].context.quirks.settings.response_delay_s == 1


async def test_a_station_that_leaves_while_its_answer_waits_is_forgotten(server: Server) -> None:
    station, client = await server.online("S")
    await override(server, station, response_delay_s=0.02)
    await client.send(HEARTBEAT)
    await client.close()
    await server.until(lambda: not server.hub.is_connected(station.id))


# ---- restarts --------------------------------------------------------------------------------


async def restart(server: Server, client: Client, password: str) -> Client:
    """The station loses its socket, comes back, and boots."""
    await client.close()
    again = await server.connect("S", password)
    await again.ask(boot("V", "M"))
    station = await server.db.read(lambda tx: stations.find_by_identity(tx, "S"))
    assert station is not None
    await server.until(lambda: server.hub.is_ready(station.id))
    return again


async def kill_by(
    server: Server, station: Any, client: Client, password: str, *order: Any
) -> Client:
    """Send an order that the station restarts at."""
    action, payload = order
    calling = call(server, station, action, payload=payload)
    await client.receive()
    server.clock.advance(20)
    client = await restart(server, client, password)
    with pytest.raises(ConnectionLost):
        await calling
    return client


async def first_boot(server: Server) -> tuple[Any, Client, str]:
    station, password = await server.register("S")
    client = await server.connect("S", password)
    await client.ask(boot("V", "M"))
    await server.until(lambda: server.hub.is_ready(station.id))
    return station, client, password


async def test_an_order_that_is_followed_by_a_boot_twice_is_withheld(server: Server) -> None:
    station, client, password = await first_boot(server)
    for _ in range(2):
        client = await kill_by(server, station, client, password, "GetConfiguration", READ)
    row = await fired(server, station, "restarts-after-call")
    assert row.detail == "GetConfiguration MeterValuesSampledData"
    await server.until(lambda: server.hub._links[station.id].context.quirks.withheld)
    with pytest.raises(CallWithheld, match="restarted twice"):
        await call(server, station, "GetConfiguration", payload=READ)
    told = await server.events("station.call_withheld")
    assert [event["call"] for event in told] == ["GetConfiguration MeterValuesSampledData"]
    other = call(server, station, "GetConfiguration", payload={"key": ["HeartbeatInterval"]})
    await answering(client, '{"configurationKey":[]}')
    await other


async def test_a_restart_of_ours_does_not_make_us_forget_the_first_time(server: Server) -> None:
    station, client, password = await first_boot(server)
    client = await kill_by(server, station, client, password, "GetConfiguration", READ)
    await server.until(lambda: not server.hub._tasks)
    server.hub._shared.breaker = server.hub._conduct._breaker = Breaker()
    client = await restart(server, client, password)
    await kill_by(server, station, client, password, "GetConfiguration", READ)
    assert await withheld(server, station) == ["GetConfiguration MeterValuesSampledData"]
    assert await suspected(server, station) == []


async def test_a_withheld_order_stays_withheld_until_it_is_released(server: Server) -> None:
    station, client, password = await first_boot(server)
    for _ in range(2):
        client = await kill_by(server, station, client, password, "ClearCache", {})
    await server.until(lambda: server.hub._links[station.id].context.quirks.withheld)
    client = await restart(server, client, password)
    with pytest.raises(CallWithheld):
        await call(server, station, "ClearCache")
    await server.db.write(lambda tx: quirks.release(tx, station.id, "ClearCache"))
    await server.until(lambda: not server.hub._links[station.id].context.quirks.withheld)
    calling = call(server, station, "ClearCache")
    await answering(client, ACCEPTED)
    await calling


@pytest.mark.parametrize(
    ("action", "payload"),
    [("Reset", {"type": "Soft"}), ("UpdateFirmware", {"location": "l", "retrieveDate": "d"})],
)
async def test_an_order_to_restart_is_no_suspect(server: Server, action: str, payload: Any) -> None:
    station, client, password = await first_boot(server)
    for _ in range(3):
        client = await kill_by(server, station, client, password, action, payload)
    assert await withheld(server, station) == []


async def test_a_station_that_says_it_has_to_restart_may_do_so(server: Server) -> None:
    station, client, password = await first_boot(server)
    change = {"key": "HeartbeatInterval", "value": "1"}
    for _ in range(3):
        calling = call(server, station, "ChangeConfiguration", payload=change)
        await answering(client, '{"status":"RebootRequired"}')
        await calling
        client = await restart(server, client, password)
    assert await withheld(server, station) == []


async def test_one_time_without_consequences_acquits(server: Server) -> None:
    station, client, password = await first_boot(server)
    for _ in range(3):
        client = await kill_by(server, station, client, password, "ClearCache", {})
        assert await suspected(server, station) == ["ClearCache"]
        calling = call(server, station, "ClearCache")
        await answering(client, ACCEPTED)
        await calling
        server.clock.advance(61)
        await server.hub.sweep()
        await client.ask(HEARTBEAT)
        assert await suspected(server, station) == []
    assert await withheld(server, station) == []


async def test_a_boot_on_the_same_connection_is_no_restart(server: Server) -> None:
    station, client, _ = await first_boot(server)
    for _ in range(3):
        calling = call(server, station, "ClearCache")
        await answering(client, ACCEPTED)
        await calling
        await client.ask(boot("V", "M"))
    assert await withheld(server, station) == []


async def test_one_who_flaps_proves_nothing_by_booting(server: Server) -> None:
    station, client, password = await first_boot(server)
    for _ in range(flaps.CONNECTIONS):
        client = await restart(server, client, password)
    for _ in range(3):
        client = await kill_by(server, station, client, password, "ClearCache", {})
    assert await withheld(server, station) == []


async def withheld(server: Server, station: Any) -> list[str]:
    await server.until(lambda: not server.hub._tasks)
    rows = await server.db.read(lambda tx: store.list_withheld(tx, station.id))
    return [row.call for row in rows]


async def suspected(server: Server, station: Any) -> list[str]:
    await server.until(lambda: not server.hub._tasks)
    return await server.db.read(lambda tx: store.list_suspected(tx, station.id))


# ---- registration ----------------------------------------------------------------------------


async def test_a_security_event_before_the_boot_is_answered(server: Server) -> None:
    _, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp2.0.1",))
    event = {"type": "StartupOfTheDevice", "timestamp": "2026-05-01T12:00:00Z"}
    assert (await client.ask(frame("e", "SecurityEventNotification", event))) == [3, "e", {}]
    chosen = {"reason": "PowerUp", "chargingStation": {"model": "m", "vendorName": "EVerest"}}
    assert (await client.ask(frame("b", "BootNotification", chosen)))[2]["status"] == "Accepted"


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_a_station_is_held_for_as_long_as_its_row_says(server: Server, status: str) -> None:
    station, password = await server.register("S")
    await server.db.write(lambda tx: stations.update(tx, station.id, registration=status))
    client = await server.connect("S", password)
    for _ in range(3):
        server.clock.advance(3600)
        assert (await client.ask(boot("V", "M")))[2]["status"] == status
    assert not server.hub.is_ready(station.id)
    await register(server, station, "Accepted")
    assert (await client.ask(boot("V", "M")))[2]["status"] == "Accepted"
    await server.until(lambda: server.hub.is_ready(station.id))


async def register(server: Server, station: Any, status: str) -> None:
    changes = {"registration": status}
    await server.db.write(lambda tx: station_service.update(tx, station, changes))


async def test_a_connected_station_may_be_held_and_let_go(server: Server) -> None:
    station, client = await server.online("S")
    await register(server, station, "Pending")
    await server.until(lambda: not server.hub.is_ready(station.id))
    with pytest.raises(StationOffline):
        await call(server, station, "ClearCache")
    assert (await client.ask(boot("V", "M")))[2]["status"] == "Pending"
    await register(server, station, "Accepted")
    await client.ask(HEARTBEAT)
    await server.until(lambda: server.hub.is_ready(station.id))
