"""How long a connected station is waited for until it is ready."""

from __future__ import annotations

from csms.domain.stations import Registration
from csms.events import SlotFree
from csms.ocpp.presence import Unready
from csms.services import stations as station_service
from tests.ocpp.conftest import BOOT, Server


async def test_how_long_a_station_may_take_until_it_is_ready(server: Server) -> None:
    station, password = await server.register("S")
    assert server.hub.unready(station.id) is None
    client = await server.connect("S", password)
    await server.until(lambda: server.hub.is_connected(station.id))
    silent = server.hub.unready(station.id)
    assert silent == Unready(120, "it has not shown that it is ready")
    await client.ask(BOOT)
    await server.until(lambda: server.hub.is_ready(station.id))
    assert server.hub.unready(station.id) is None
    server.clock.advance(1000)
    freed = server.signals.count(SlotFree(station.id))
    await server.db.write(
        lambda tx: station_service.update(tx, station, {"registration": Registration.PENDING})
    )
    await server.until(lambda: not server.hub.is_ready(station.id))
    # Whatever waits for the slot is judged anew.
    assert server.signals.count(SlotFree(station.id)) == freed + 1
    server.clock.advance(121)
    assert server.hub.unready(station.id) == Unready(-1, "its registration is Pending")
