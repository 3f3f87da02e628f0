"""Connections natively: when a station came and went, and how much of a time it was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csms.domain.versions import OcppVersion
from csms.store import connections
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


async def come(api: Api, station: Station, generation: int = 1, epoch: int = 1) -> None:
    await api.deps.db.write(
        lambda tx: connections.insert(
            tx,
            station.id,
            epoch=epoch,
            generation=generation,
            version=OcppVersion.V201,
            address="192.0.2.1",
        )
    )


async def go(api: Api, station: Station, generation: int = 1) -> None:
    await api.deps.db.write(
        lambda tx: connections.update_closed(
            tx, station.id, epoch=1, generation=generation, close_code=1006
        )
    )


async def test_a_connection_says_when_from_where_and_how_it_ended(
    api: Api, station: Station, clock: ManualClock
) -> None:
    await come(api, station)
    clock.advance(60)
    await go(api, station)
    clock.advance(60)
    await come(api, station, 2)
    path = f"/api/v1/stations/{station.uuid}/connections"
    going_on, over = await items(api, path, role="viewer")
    assert over == {
        "ocpp_version": "2.0.1",
        "address": "192.0.2.1",
        "connected_at": "2026-05-01T12:00:00.000000Z",
        "disconnected_at": "2026-05-01T12:01:00.000000Z",
        "close_code": 1006,
        "unobserved_until": None,
    }
    assert (going_on["connected_at"], going_on["disconnected_at"]) == (
        "2026-05-01T12:02:00.000000Z",
        None,
    )


async def test_a_newer_connection_ends_the_older_one_whose_end_comes_too_late(
    api: Api, station: Station, clock: ManualClock
) -> None:
    await come(api, station)
    clock.advance(60)
    await come(api, station, 2)
    clock.advance(60)
    await go(api, station)
    newer, older = await items(api, f"/api/v1/stations/{station.uuid}/connections")
    assert (older["disconnected_at"], older["close_code"]) == ("2026-05-01T12:01:00.000000Z", None)
    assert newer["disconnected_at"] is None


async def test_what_another_life_of_the_server_left_open_ended_when_it_last_wrote(
    api: Api, station: Station, clock: ManualClock
) -> None:
    await come(api, station)
    clock.advance(60)
    await make_station(api, "CP-2")  # which is an event
    clock.advance(3600)
    await api.deps.db.write(connections.update_unobserved)
    (found,) = await items(api, f"/api/v1/stations/{station.uuid}/connections")
    assert found["disconnected_at"] == "2026-05-01T12:01:00.000000Z"
    assert found["unobserved_until"] == "2026-05-01T13:01:00.000000Z"
    shown = await (await api.get(f"/api/v1/stations/{station.uuid}/uptime")).json()
    assert (shown["connected_s"], shown["disconnected_s"], shown["uptime_percent"]) == (60, 0, 100)


async def test_the_list_pages_to_its_end_while_more_come(api: Api, station: Station) -> None:
    for generation in range(1, 6):
        await come(api, station, generation)

    async def more() -> None:
        await come(api, station, 9)

    path = f"/api/v1/stations/{station.uuid}/connections?limit=2"
    assert len(await all_pages(api, path, more)) == 5


async def test_uptime_is_of_the_time_that_is_asked_for(
    api: Api, station: Station, clock: ManualClock
) -> None:
    await come(api, station)
    clock.advance(1800)
    await go(api, station)
    clock.advance(5400)
    path = f"/api/v1/stations/{station.uuid}/uptime"
    query = "?from=2026-05-01T12:00:00Z&to=2026-05-01T13:00:00Z"
    assert await (await api.get(path + query)).json() == {
        "from": "2026-05-01T12:00:00.000000Z",
        "to": "2026-05-01T13:00:00.000000Z",
        "connected_s": 1800,
        "disconnected_s": 1800,
        "unobserved_s": 0,
        "uptime_percent": 50,
        "outages": 1,
    }
    shown = await (await api.get(path)).json()
    assert (shown["to"], shown["uptime_percent"]) == ("2026-05-01T14:00:00.000000Z", 25)


async def test_uptime_of_no_time_is_refused(api: Api, station: Station) -> None:
    path = f"/api/v1/stations/{station.uuid}/uptime"
    for query in ("from=2026-05-01T12:00:00Z", "from=2027-01-01T00:00:00Z", "from=yesterday"):
        assert (await api.get(f"{path}?{query}")).status == 422, query


async def test_neither_is_told_to_who_does_not_reach_the_station(
    api: Api, station: Station
) -> None:
    role = await stranger(api)
    for name in ("connections", "uptime"):
        path = f"/api/v1/stations/{station.uuid}/{name}"
        assert (await api.get(path, role=role)).status == 404
