"""What a transaction costs, and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from csms.clock import ManualClock
from csms.domain.prices import Prices
from csms.domain.transactions import Transaction
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import meter_values, start_transaction, stop_transaction, transaction_event
from csms.ocpp.context import StationContext
from csms.services import locations, prices
from csms.store import transactions
from tests.ocpp.actions.conftest import Connect

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
PRICES = Prices("EUR", 300_000, 10_000, 500_000)
START_AT, END_AT = "2026-05-01T10:00:00Z", "2026-05-01T11:00:00Z"


async def priced(station: StationContext, wanted: Prices | None = PRICES) -> None:
    """The station stands where charging costs this."""

    def change(tx: Any) -> None:
        row = tx.one("SELECT location_id FROM stations WHERE id = ?", (station.station_id,))
        if row["location_id"] is None:
            place = locations.create(tx, name="Depot")
            sql = "UPDATE stations SET location_id = ? WHERE id = ?"
            tx.run(sql, (place.id, station.station_id))
        else:
            place = locations.store.get(tx, row["location_id"])
        prices.change(tx, place, wanted)

    await station.db.write(change)


async def event(
    station: StationContext, kind: str, number: int, register: int, **more: Any
) -> dict[str, Any]:
    at = START_AT if kind == "Started" else END_AT
    sample = {"timestamp": at, "sampledValue": [{"value": register}]}
    answer = await transaction_event.on_v2x(
        station,
        {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": "Trigger",
            "seqNo": number,
            "transactionInfo": {"transactionId": "tx"},
            "meterValue": [sample],
            **more,
        },
    )
    assert schemas.checker(station.version, "TransactionEvent", "response")(answer)
    return answer


async def find(station: StationContext, number: object = "tx") -> Transaction:
    found = await station.db.read(lambda tx: transactions.find(tx, station.station_id, str(number)))
    assert found is not None
    return found


@pytest.mark.parametrize("version", [V201, V21])
async def test_the_end_is_answered_with_the_total_cost(
    connect: Connect, version: OcppVersion
) -> None:
    station = await connect("S", version)
    await priced(station)
    assert await event(station, "Started", 0, 1000) == {}
    assert await event(station, "Updated", 1, 2000) == {}
    for _ in range(2):  # repeated, it is answered alike
        assert await event(station, "Ended", 2, 11_000) == {"totalCost": 4.1}
    assert ((await find(station)).cost_micros, (await find(station)).currency) == (
        4_100_000,
        "EUR",
    )


async def test_a_free_transaction_is_told_to_be_free_and_one_without_prices_nothing(
    connect: Connect,
) -> None:
    free, silent = await connect("FREE", V201), await connect("SILENT", V201)
    await priced(free, Prices("EUR", 0, 0, 0))
    for station, expected in ((free, {"totalCost": 0.0}), (silent, {})):
        await event(station, "Started", 0, 1000)
        assert await event(station, "Ended", 1, 9000) == expected


async def test_the_prices_of_the_beginning_count(connect: Connect, clock: ManualClock) -> None:
    station = await connect("S", V201)
    await priced(station)
    clock.advance(60)
    await event(station, "Started", 0, 1000)
    clock.advance(60)
    await priced(station, Prices("EUR", 990_000, 0, 0))
    assert await event(station, "Ended", 1, 11_000) == {"totalCost": 4.1}


async def test_a_transaction_that_began_before_there_were_prices_has_none(
    connect: Connect, clock: ManualClock
) -> None:
    station = await connect("S", V201)
    await event(station, "Started", 0, 1000)
    clock.advance(60)
    await priced(station)
    assert await event(station, "Ended", 1, 11_000) == {}


async def test_unknown_energy_has_no_known_cost_until_it_is_known(connect: Connect) -> None:
    station = await connect("S", V201)
    await priced(station)
    assert await event(station, "Ended", 2, 11_000) == {}
    await event(station, "Started", 0, 1000)  # late
    assert (await find(station)).cost_micros == 4_100_000


async def test_a_station_that_computes_the_cost_is_not_told(connect: Connect) -> None:
    station = await connect("S", V21)
    await priced(station)
    await event(station, "Started", 0, 1000)
    assert await event(station, "Ended", 1, 11_000, costDetails={}) == {}
    assert (await find(station)).cost_micros == 4_100_000


async def test_another_end_of_a_reused_id_is_not_told_the_cost_of_the_first(
    connect: Connect,
) -> None:
    station = await connect("S", V201)
    await priced(station)
    await event(station, "Started", 0, 1000)
    await event(station, "Ended", 1, 11_000)
    again = {"timestamp": "2026-05-01T11:30:00Z"}
    assert await event(station, "Started", 0, 11_000, **again) == {}
    assert await event(station, "Ended", 1, 12_000, **again) == {}


async def test_in_1_6_it_is_kept_and_told_to_the_operator_only(connect: Connect, bus: Any) -> None:
    station = await connect("S", V16)
    told: list[Event] = []
    bus.subscribe(Event, told.append)
    await priced(station)
    start = {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": START_AT}
    number = (await start_transaction.on_v16(station, start))["transactionId"]
    stop = {"transactionId": number, "meterStop": 11_000, "timestamp": END_AT}
    assert await stop_transaction.on_v16(station, stop) == {}
    assert (await find(station, number)).cost_micros == 4_100_000
    (ended,) = [one.data for one in told if one.type == "transaction.ended"]
    assert (ended["cost"], ended["currency"]) == (4.1, "EUR")
    # What comes later shows that the register fell: nobody knows what it costs.
    for minute, register in ((10, 5000), (20, 1200)):
        sample = {
            "timestamp": f"2026-05-01T10:{minute}:00Z",
            "sampledValue": [{"value": str(register)}],
        }
        message = {"connectorId": 1, "transactionId": number, "meterValue": [sample]}
        await meter_values.on_v16(station, message)
    assert (await find(station, number)).cost_micros is None


async def test_an_end_that_was_inferred_costs_nothing_known(connect: Connect) -> None:
    station = await connect("S", V16)
    await priced(station, Prices("EUR", 0, 0, 500_000))
    start = {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": START_AT}
    number = (await start_transaction.on_v16(station, start))["transactionId"]
    await start_transaction.on_v16(station, {**start, "timestamp": END_AT})
    assert (await find(station, number)).cost_micros is None
    stop = {"transactionId": number, "meterStop": 1000, "timestamp": END_AT}
    await stop_transaction.on_v16(station, stop)
    assert (await find(station, number)).cost_micros == 500_000
