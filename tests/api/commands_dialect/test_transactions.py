"""Transactions of the commands dialect: of a charger and of a site."""

from __future__ import annotations

import pytest

from csms.api.commands_dialect.transactions import CommandsTransactionList
from csms.domain.permissions import Role
from csms.domain.stations import Station
from tests.api.commands_dialect.charging import start, stop
from tests.api.live import Live


def path(station: Station, query: str = "") -> str:
    return f"/api/v3/chargers/{station.uuid}/transactions{query}"


async def test_a_transaction_is_shown_with_its_energy(live: Live) -> None:
    station = await live.station("S1")
    finished = await start(live, station)
    await stop(live, station, finished, 10)
    going_on = await start(live, station, 20, evse=2)
    body = await live.ok("GET", path(station), role="operator")

    CommandsTransactionList.model_validate(body)
    assert [going_on.id, finished.id] == [one["id"] for one in body["data"]]
    assert body["data"][1] == {
        "id": finished.id,
        "charger_id": station.id,
        "charger_connector_id": (station.id * 1000 + 1) * 100 + 1,
        "reservation_id": None,
        "id_tag": "TAG",
        "meter_start": 1000,
        "meter_stop": 3500,
        "total_kwh": 2.5,
        "started_at": "2026-05-01T12:00:00.000000Z",
        "stopped_at": "2026-05-01T12:10:00.000000Z",
        "stop_reason": "Local",
        "is_valid": True,
        "created_at": "2026-05-01T12:00:00.000000Z",
        "updated_at": "2026-05-01T12:00:00.000000Z",
    }
    assert (body["data"][0]["meter_stop"], body["data"][0]["stopped_at"]) == (None, None)


async def test_a_transaction_whose_energy_is_not_known_is_not_valid(live: Live) -> None:
    station = await live.station("S1")
    await stop(live, station, await start(live, station), 10, register_mwh=1)
    (shown,) = (await live.ok("GET", path(station)))["data"]

    assert (shown["total_kwh"], shown["is_valid"]) == (None, False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?filter[status]=active", [3]),
        ("?filter[status]=finished", [2, 1]),
        ("?filter[started_from]=2026-05-01T12:20:00Z", [3, 2]),
        ("?filter[stopped_until]=2026-05-01T12:10:00Z", [1]),
        ("?filter[started_from]=2026-05-01T14:20:00%2B02:00&filter[status]=finished", [2]),
    ],
)
async def test_transactions_are_filtered(live: Live, query: str, found: list[int]) -> None:
    station = await live.station("S1")
    await stop(live, station, await start(live, station, 0), 10)
    await stop(live, station, await start(live, station, 20), 30)
    await start(live, station, 40)
    body = await live.ok("GET", path(station, query))

    assert found == [one["id"] for one in body["data"]]
    assert body["meta"]["total"] == len(found)


@pytest.mark.parametrize(
    "query", ["?filter[status]=lost", "?filter[started_from]=noon", "?per_page=101", "?page=0"]
)
async def test_a_filter_that_means_nothing_is_refused(live: Live, query: str) -> None:
    station = await live.station("S1")
    answer = await live.ok("GET", path(station, query), 422)

    assert list(answer["errors"]) == [query[1:].partition("=")[0]]


async def test_a_site_shows_what_its_chargers_do_and_keeps_its_filters_in_links(live: Live) -> None:
    await live.location("Mine")
    await live.location("Other")
    here, too, elsewhere = [
        await live.station(name, location_id=place)
        for name, place in (("S1", 1), ("S2", 1), ("S3", 2))
    ]
    made = [await start(live, station) for station in (here, elsewhere, too)]
    sites = (await live.ok("GET", "/api/v3/sites"))["data"]
    address = f"/api/v3/sites/{sites[0]['uuid']}/transactions"
    body = await live.ok("GET", f"{address}?filter[status]=active&per_page=1")

    assert [made[2].id] == [one["id"] for one in body["data"]]
    assert (body["meta"]["total"], body["meta"]["last_page"]) == (2, 2)
    after = body["links"]["next"].partition("/api/")[2]
    assert [made[0].id] == [one["id"] for one in (await live.ok("GET", f"/api/{after}"))["data"]]


async def test_those_of_other_places_look_unknown(live: Live) -> None:
    await live.location("Mine")
    await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    station = await live.station("S1", location_id=2)
    await start(live, station)
    other = (await live.ok("GET", "/api/v3/sites"))["data"][1]["uuid"]
    for hidden, unknown in (
        (path(station), "/api/v3/chargers/no-such/transactions"),
        (f"/api/v3/sites/{other}/transactions", "/api/v3/sites/no-such/transactions"),
    ):
        refused = await live.ok("GET", hidden, 404, role="bound")
        assert refused == await live.ok("GET", unknown, 404, role="bound")
        assert {"message"} == refused.keys()
