"""Sampled values of a charger in the commands dialect."""

from __future__ import annotations

import pytest

from csms.api.commands_dialect.meter_values import CommandsMeterValueList
from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.store import transactions as store
from tests.api.commands_dialect.charging import measure, start
from tests.api.live import Live

POWER = {"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW", "phase": "L1"}
V201 = {"value": 1.5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}, "location": "Inlet"}


def path(station: Station, query: str = "") -> str:
    return f"/api/v3/chargers/{station.uuid}/metervalues{query}"


async def test_each_sampled_value_is_a_row_with_its_defaults(live: Live) -> None:
    station = await live.station("S1")
    going_on = await start(live, station)
    await measure(live, station, 5, [{"value": "1500"}, POWER], of=going_on)
    await measure(live, station, 6, [V201], evse=2)
    body = await live.ok("GET", path(station), role="viewer")

    CommandsMeterValueList.model_validate(body)
    later, register, power = body["data"]
    assert register == {
        "id": 100_000,
        "charger_id": station.id,
        "charger_connector_id": (station.id * 1000 + 1) * 100 + 1,
        "connector_id": 1,
        "charger_transaction_id": going_on.id,
        "transaction_id": int(going_on.station_transaction_id),
        "timestamp": "2026-05-01T12:05:00.000000Z",
        "value": "1500",
        "context": "Sample.Periodic",
        "format": "Raw",
        "measurand": "Energy.Active.Import.Register",
        "phase": None,
        "location": "Outlet",
        "unit": "Wh",
    }
    assert [power[name] for name in ("id", "value", "unit", "phase")] == [
        100_001,
        "7.2",
        "kW",
        "L1",
    ]
    names = ("value", "unit", "location", "connector_id", "transaction_id")
    assert ["1500", "Wh", "Inlet", 2, None] == [later[name] for name in names]


async def test_meter_values_are_filtered_and_cut(live: Live) -> None:
    station = await live.station("S1")
    for minute in range(4):
        await measure(live, station, minute, [{"value": str(minute)}, POWER, "junk", None])
    energy = "?measurand=Energy.Active.Import.Register"

    async def values(query: str) -> list[str | None]:
        return [one["value"] for one in (await live.ok("GET", path(station, query)))["data"]]

    assert (await live.ok("GET", path(station)))["meta"]["total"] == 16
    assert await values("?measurand=Power.Active.Import&per_page=2") == ["7.2", "7.2"]
    assert await values("?measurand=Voltage") == []
    within = "&date_from=2026-05-01T12:01:00Z&date_to=2026-05-01T12:03:00Z"
    assert await values(energy + within) == ["2", "junk", None, "1", "junk", None]
    assert await values("?limit=1") == ["3"]
    assert len(await values("?limit=1000")) == 16
    await live.ok("GET", path(station, "?limit=1001"), 422)
    await live.ok("GET", path(station, "?measurand="), 422)


async def test_what_no_station_should_send_does_not_break_the_list(live: Live) -> None:
    station = await live.station("S1")
    odd = [[], {}, 5, True, {"value": {}, "unit": 1, "phase": [], "unitOfMeasure": 3}, {"value": 1}]
    await measure(live, station, 0, odd)
    body = await live.ok("GET", path(station))

    CommandsMeterValueList.model_validate(body)
    assert [None, None, "5", "1"] == [body["data"][place]["value"] for place in (0, 1, 2, 5)]


async def test_paging_goes_to_the_end(live: Live) -> None:
    station = await live.station("S1")
    for minute in range(5):
        await measure(live, station, minute, [{"value": f"{minute}a"}, {"value": f"{minute}b"}])
    seen: list[str] = []
    address: str | None = path(station, "?per_page=3")
    while address is not None:
        body = await live.ok("GET", address)
        seen += [one["value"] for one in body["data"]]
        further = body["links"]["next"]
        address = further and "/api/" + further.partition("/api/")[2]

    assert seen == [f"{minute}{letter}" for minute in (4, 3, 2, 1, 0) for letter in "ab"]


async def test_meter_values_of_other_places_look_unknown(live: Live) -> None:
    await live.location("Mine")
    await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    station = await live.station("S1", location_id=2)

    refused = await live.ok("GET", path(station), 404, role="bound")
    assert refused == await live.ok("GET", "/api/v3/chargers/no/metervalues", 404, role="bound")


@pytest.mark.parametrize("own_id", ["1234567890" * 3 + "123456", "00123", "123", "abc"])
async def test_the_id_of_a_transaction_of_a_newer_version_is_the_text_that_came(
    live: Live, own_id: str
) -> None:
    station = await live.station("S1")
    live.hub.connect(station.id)
    live.hub.versions[station.id] = OcppVersion.V201
    live.hub.automatic = lambda call: {"status": "Accepted"}
    going_on = await live.deps.db.write(lambda tx: store.insert_untold(tx, station.id, own_id))
    await measure(live, station, 0, [POWER], of=going_on)
    (shown,) = (await live.ok("GET", path(station)))["data"]
    assert shown["transaction_id"] == own_id

    stop = f"/api/v3/chargers/{station.uuid}/actions/stop"
    for wanted in (shown["transaction_id"], shown["charger_transaction_id"]):
        await live.ok("POST", stop, json={"transaction_id": wanted})
    asked = [call.payload for call in live.hub.calls]
    assert asked == [{"transactionId": own_id}] * 2


async def test_the_id_stays_a_number_when_a_later_start_looks_the_same(live: Live) -> None:
    station = await live.station("S1")
    first = await start(live, station)
    await measure(live, station, 5, [POWER], of=first)
    await live.deps.db.write(lambda tx: store.free_natural_key(tx, first.id))
    second = await start(live, station)
    (shown,) = (await live.ok("GET", path(station)))["data"]

    assert second.id != first.id
    assert shown["transaction_id"] == int(first.station_transaction_id)
