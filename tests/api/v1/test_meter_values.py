"""Meter values natively: pages in the order of time, and what buckets leave of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from csms.domain.metering import Reading
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.domain.transactions import StartReport
from csms.ocpp.settings import OcppSettings
from csms.services import locations, metering, stations, tokens, transactions
from csms.store import meter_values
from csms.store import transactions as transaction_store

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from csms.domain.transactions import Transaction
    from tests.api.conftest import Api

NOON = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
async def station(api: Api) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))


@pytest.fixture
async def transaction(api: Api, station: Station) -> Transaction:
    report = StartReport(
        evse_id=1,
        id_token="TAG",
        register_mwh=0,
        reported_at=NOON,
        reservation_id=None,
        natural_key="1",
        flags=frozenset(),
        raw="{}",
    )
    number, _ = await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, OcppSettings().token_policy)
    )
    found = await api.deps.db.read(lambda tx: transaction_store.find(tx, station.id, str(number)))
    assert found is not None
    return found


def taken(
    second: int, register_mwh: int | None = None, power_w: float | None = None, **more: Any
) -> Reading:
    samples = [{"value": "1"}, {"value": "2", "measurand": "Power.Active.Import"}]
    return Reading(
        NOON + timedelta(seconds=second),
        None,
        more.get("context", "Sample.Periodic"),
        register_mwh,
        power_w,
        more.get("current_a"),
        more.get("soc_percent"),
        orjson.dumps(more.get("samples", samples)).decode(),
    )


async def meter(
    api: Api, station: Station, of: Transaction | None, *readings: Reading, evse_id: int = 1
) -> None:
    for reading in readings:
        await api.deps.db.write(
            lambda tx, one=reading: metering.record(
                tx,
                station.id,
                evse_id,
                station_transaction_id=None if of is None else of.station_transaction_id,
                readings=[one],
                payload={},
            )
        )


async def page(api: Api, path: str, query: str = "", **more: Any) -> dict[str, Any]:
    response = await api.get(f"/api/v1/{path}/meter-values{query}", **more)
    assert 200 == response.status, await response.text()
    return await response.json()


async def all_pages(
    api: Api, path: str, query: str, after: str | None = None
) -> list[dict[str, Any]]:
    found = await page(api, path, query if after is None else f"{query}&cursor={after}")
    items = found["items"]
    while found["next_cursor"] is not None:
        found = await page(api, path, f"{query}&cursor={found['next_cursor']}")
        items += found["items"]
    return items


@pytest.mark.parametrize("is_of_transaction", [False, True])
async def test_the_newest_come_first_when_asked_for(
    api: Api, station: Station, transaction: Transaction, is_of_transaction: bool
):
    for evse_id in (1, 2):
        readings = [taken(second * 2 + evse_id, second) for second in range(5)]
        await meter(api, station, transaction, *readings, evse_id=evse_id)
    path = f"transactions/{transaction.uuid}" if is_of_transaction else f"stations/{station.uuid}"
    oldest_first = (await page(api, path))["items"]
    assert 10 == len(oldest_first)
    newest_first = await all_pages(api, path, "?sort=-measured_at&limit=3")
    assert oldest_first == newest_first[::-1]
    (last,) = (await page(api, path, "?sort=-measured_at&limit=1"))["items"]
    assert oldest_first[-1] == last
    cursor = (await page(api, path, "?limit=3"))["next_cursor"]
    mixed = await api.get(f"/api/v1/{path}/meter-values?sort=-measured_at&cursor={cursor}")
    assert 422 == mixed.status


async def test_samples_of_a_phase_or_context(api: Api, station: Station):
    one, two, none = ({"value": "1", **more} for more in ({"phase": "L1"}, {"phase": "L2"}, {}))
    readings = [
        taken(0, power_w=1.0, samples=[one, two, none]),
        taken(1, power_w=2.0, samples=[one, "odd", {"phase": ["L2"]}], context="Sample.Clock"),
    ]
    await meter(api, station, None, *readings)
    for query, samples in (
        ("phase=L1", [[one], [one]]),
        ("phase=L2&phase=L1", [[one, two], [one]]),
        ("phase=L2", [[two]]),
        ("phase=L2&context=Sample.Clock", []),
        ("context=Sample.Clock", [[one, "odd", {"phase": ["L2"]}]]),
        ("measurand=SoC&phase=L1", []),
    ):
        found = (await page(api, f"stations/{station.uuid}", f"?{query}"))["items"]
        assert samples == [item["samples"] for item in found], query
    by_phase = (await page(api, f"stations/{station.uuid}", "?phase=L1"))["items"]
    assert [None, None] == [item["power_w"] for item in by_phase]
    by_context = (await page(api, f"stations/{station.uuid}", "?context=Sample.Clock"))["items"]
    assert [2.0] == [item["power_w"] for item in by_context]


@pytest.mark.parametrize("query", ["phase=L1", "context=Sample.Clock", "sort=-measured_at"])
async def test_what_is_not_there_with_buckets(api: Api, station: Station, query: str):
    path = f"/api/v1/stations/{station.uuid}/meter-values?bucket=1h&{query}"
    refused = await api.get(path)
    pointer = (await refused.json())["errors"][0]["pointer"]
    assert (422, f"/{query.partition('=')[0]}") == (refused.status, pointer)


async def test_a_reading_is_shown_with_its_samples(
    api: Api, station: Station, transaction: Transaction
):
    await meter(api, station, transaction, taken(60, 1_500_000, 11_000.0, soc_percent=40.0))
    (item,) = (await page(api, f"transactions/{transaction.uuid}", role="viewer"))["items"]
    assert {
        "transaction_id": transaction.uuid,
        "evse_id": 1,
        "measured_at": "2026-05-01T10:01:00.000000Z",
        "received_at": "2026-05-01T12:00:00.000000Z",
        "context": "Sample.Periodic",
        "energy_register_wh": 1500,
        "power_w": 11_000.0,
        "current_a": None,
        "soc_percent": 40.0,
        "samples": [{"value": "1"}, {"value": "2", "measurand": "Power.Active.Import"}],
    } == item


async def test_pages_go_on_while_readings_come(
    api: Api, station: Station, transaction: Transaction
):
    path = f"transactions/{transaction.uuid}"
    await meter(api, station, transaction, *(taken(second, second) for second in (5, 1, 3)))
    await meter(api, station, transaction, taken(3, 30), taken(2, 2), evse_id=2)
    first = await page(api, path, "?limit=2")
    await meter(api, station, transaction, taken(9, 9))
    rest = await all_pages(api, path, "?limit=2", first["next_cursor"])
    seconds = [item["measured_at"][17:19] for item in first["items"] + rest]
    assert ["01", "02", "03", "03", "05", "09"] == seconds


async def test_a_station_has_those_of_its_transactions_and_the_others(
    api: Api, station: Station, transaction: Transaction
):
    await meter(api, station, transaction, taken(10, 1), taken(30, 3))
    await meter(api, station, None, taken(20, 2), taken(40, 4), evse_id=2)
    other = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-2")))
    await meter(api, other, None, taken(25, 9))
    path = f"stations/{station.uuid}"
    found = await all_pages(api, path, "?limit=1")
    assert [(transaction.uuid, "10"), (None, "20"), (transaction.uuid, "30"), (None, "40")] == [
        (item["transaction_id"], item["measured_at"][17:19]) for item in found
    ]
    assert 2 == len(await all_pages(api, path, "?evse_id=2"))
    within = "?from=2026-05-01T10:00:20Z&to=2026-05-01T10:00:40Z"
    assert 2 == len(await all_pages(api, path, within))


async def test_a_measurand_leaves_the_others_out(
    api: Api, station: Station, transaction: Transaction
):
    plain = [{"value": "7"}]
    await meter(api, station, transaction, taken(1, 1000, 5.0), taken(2, 2000, 6.0, samples=plain))
    path = f"transactions/{transaction.uuid}"
    (item,) = (await page(api, path, "?measurand=Power.Active.Import"))["items"]
    assert ([{"value": "2", "measurand": "Power.Active.Import"}], 5.0, None) == (
        item["samples"],
        item["power_w"],
        item["energy_register_wh"],
    )
    both = "?measurand=Power.Active.Import&measurand=Energy.Active.Import.Register"
    assert 2 == len((await page(api, path, both))["items"])
    assert [] == (await page(api, path, "?measurand=Voltage"))["items"]


async def test_a_bucket_has_the_last_register_and_how_far_the_power_reached(
    api: Api, station: Station, transaction: Transaction
):
    await meter(
        api,
        station,
        transaction,
        taken(0, 1_000_000, 1000.0, soc_percent=10.0),
        taken(30, 2_000_000, 4000.0, current_a=6.0),
        taken(59, None, 2500.0, soc_percent=12.0),
        taken(60, 3_000_000, 0.0),
        taken(900, 4_000_000),
    )
    path = f"transactions/{transaction.uuid}"
    items = await all_pages(api, path, "?bucket=1m&limit=1")
    assert [
        ("2026-05-01T10:00:00.000000Z", 3, 2000),
        ("2026-05-01T10:01:00.000000Z", 1, 3000),
        ("2026-05-01T10:15:00.000000Z", 1, 4000),
    ] == [(item["begins_at"], item["readings"], item["energy_register_wh"]) for item in items]
    first = items[0]
    assert {"lowest": 1000.0, "average": 2500.0, "highest": 4000.0} == first["power_w"]
    assert (12.0, 6.0) == (first["soc_percent"], first["current_a"]["average"])
    assert items[2]["power_w"] is None
    quarters = (await page(api, path, "?bucket=15m&measurand=SoC"))["items"]
    assert [(4, 12.0, None), (1, None, None)] == [
        (item["readings"], item["soc_percent"], item["power_w"]) for item in quarters
    ]
    assert 1 == len((await page(api, f"stations/{station.uuid}", "?bucket=1h"))["items"])


@pytest.mark.parametrize(
    "query",
    [
        "?bucket=2m",
        "?bucket=1m&measurand=Voltage",
        "?measurand=",
        "?limit=501",
        "?cursor=MQ",
        "?from=x",
        "?evse_id=-1",
        "?transaction_id=1",
    ],
)
async def test_a_query_that_does_not_fit_is_refused(api: Api, station: Station, query: str):
    response = await api.get(f"/api/v1/stations/{station.uuid}/meter-values{query}")
    assert 422 == response.status


async def test_samples_that_cannot_be_read_hide_nothing(
    api: Api, station: Station, transaction: Transaction
):
    broken = taken(1, 1000)._replace(samples="[,]")
    await api.deps.db.write(
        lambda tx: meter_values.insert(tx, station.id, 1, transaction.id, [broken, taken(2, 2)])
    )
    items = (await page(api, f"transactions/{transaction.uuid}"))["items"]
    assert [[], 1, 2] == [items[0]["samples"], items[0]["energy_register_wh"], len(items)]


async def test_a_token_of_another_place_sees_none(
    api: Api, station: Station, transaction: Transaction
):
    await meter(api, station, transaction, taken(1, 1))
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Yard", slug="yard"))
    _, bearer = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=Role.ADMIN, location_ids=frozenset({place.id})
        )
    )
    headers = {"Authorization": f"Bearer {bearer}"}
    for path in (f"stations/{station.uuid}", f"transactions/{transaction.uuid}"):
        response = await api.get(f"/api/v1/{path}/meter-values", role=None, headers=headers)
        assert 404 == response.status
