"""A connector that stays free ends the transaction whose stop was lost."""

from __future__ import annotations

from typing import Any

import pytest

from csms.clock import ManualClock
from csms.domain.timestamps import format_timestamp
from csms.domain.transactions import Transaction, TransactionFlag
from csms.domain.versions import OcppVersion
from csms.ocpp.actions import HANDLERS
from csms.ocpp.context import StationContext
from csms.services.housekeeping import infer_ends
from csms.store import transactions


async def send(station: StationContext, action: str, **payload: Any) -> Any:
    payload.setdefault("timestamp", format_timestamp(station.clock.now()))
    return await HANDLERS[station.version, action](station, payload)


async def start(station: StationContext) -> int:
    answer = await send(station, "StartTransaction", connectorId=1, idTag="TAG", meterStart=1000)
    return answer["transactionId"]


async def status(station: StationContext, word: str, **fields: Any) -> None:
    fields = {"connectorId": 1, "errorCode": "NoError", **fields}
    await send(station, "StatusNotification", status=word, **fields)


async def sample(station: StationContext, number: int, value: int) -> None:
    at = format_timestamp(station.clock.now())
    reading = {"timestamp": at, "sampledValue": [{"value": str(value)}]}
    await send(station, "MeterValues", connectorId=1, transactionId=number, meterValue=[reading])


async def later(station: StationContext, clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    await infer_ends(station.db)


async def find(station: StationContext, number: int) -> Transaction:
    found = await station.db.read(lambda tx: transactions.find(tx, station.station_id, str(number)))
    assert found is not None
    return found


@pytest.fixture
async def number(station: StationContext, clock: ManualClock) -> int:
    issued = await start(station)
    clock.advance(60)
    await status(station, "Charging")
    await sample(station, issued, 1700)
    clock.advance(60)
    return issued


async def test_a_free_connector_ends_the_transaction_after_five_minutes(station, clock, number):
    freed_at = clock.now()
    await status(station, "Available")
    await later(station, clock, 299)
    assert (await find(station, number)).is_open
    await status(station, "Available")  # said again it is not news
    await later(station, clock, 1)
    ended = await find(station, number)
    assert {TransactionFlag.INFERRED_END} == ended.flags
    assert (freed_at, 700_000) == (ended.ended_at, ended.energy_mwh)


async def test_a_late_stop_replaces_that_end(station, clock, number):
    await status(station, "Available")
    await later(station, clock, 600)
    await send(station, "StopTransaction", transactionId=number, meterStop=2000)
    ended = await find(station, number)
    assert (frozenset(), 1_000_000, "Local") == (ended.flags, ended.energy_mwh, ended.stop_reason)


async def test_energy_is_unknown_at_that_end_when_the_register_fell(station, clock, number):
    await sample(station, number, 3000)
    clock.advance(60)
    await sample(station, number, 1500)
    await status(station, "Available")
    await later(station, clock, 900)
    ended = await find(station, number)
    assert (ended.is_open, ended.energy_mwh) == (False, None)
    assert ended.flags == {TransactionFlag.INFERRED_END, TransactionFlag.REGISTER_FELL}


async def test_samples_after_that_end_take_it_back(station, clock, number):
    await status(station, "Available")
    await later(station, clock, 900)
    assert not (await find(station, number)).is_open
    await sample(station, number, 2500)
    going_on = await find(station, number)
    assert (True, frozenset(), 1_500_000) == (
        going_on.is_open,
        going_on.flags,
        going_on.energy_mwh,
    )
    await later(station, clock, 900)
    assert (await find(station, number)).is_open


async def test_samples_with_the_id_before_the_last_take_nothing_back(station, clock, number):
    await status(station, "Available")
    await later(station, clock, 900)
    await start(station)
    await sample(station, number, 2500)
    assert not (await find(station, number)).is_open


async def test_a_stop_in_time_is_the_end(station, clock, number):
    await status(station, "Available")
    clock.advance(2)
    await send(station, "StopTransaction", transactionId=number, meterStop=2000)
    await later(station, clock, 600)
    assert frozenset() == (await find(station, number)).flags


async def test_any_other_status_since_shows_that_it_goes_on(station, clock, number):
    await status(station, "Available")
    clock.advance(200)
    await status(station, "Charging")
    await later(station, clock, 600)
    await status(station, "Available")
    await later(station, clock, 200)
    assert (await find(station, number)).is_open


async def test_samples_since_show_that_the_status_is_wrong(station, clock, number):
    await status(station, "Available")
    clock.advance(30)
    await sample(station, number, 1800)  # may be the closing one
    clock.advance(60)
    await sample(station, number, 1900)
    await later(station, clock, 600)
    assert (await find(station, number)).is_open


async def test_a_status_before_the_start_and_one_of_another_connector_show_nothing(station, clock):
    await status(station, "Available")
    clock.advance(1)
    number = await start(station)
    await status(station, "Available", connectorId=2)
    await status(station, "Available", connectorId=0)
    await later(station, clock, 3600)
    assert (await find(station, number)).is_open


async def test_an_unset_clock_leaves_the_time_of_the_end_unknown(station, clock, number):
    await status(station, "Available", timestamp="1970-01-01T00:00:07Z")
    await later(station, clock, 300)
    ended = await find(station, number)
    assert (False, None) == (ended.is_open, ended.ended_at)


async def test_a_transaction_of_2x_may_outlive_the_cable(connect, clock):
    station = await connect("GARAGE-3", OcppVersion.V201)
    await send(
        station,
        "TransactionEvent",
        eventType="Started",
        triggerReason="Authorized",
        seqNo=0,
        transactionInfo={"transactionId": "7"},
        evse={"id": 1, "connectorId": 1},
    )
    clock.advance(1)
    await send(station, "StatusNotification", evseId=1, connectorId=1, connectorStatus="Available")
    await later(station, clock, 3600)
    assert (await find(station, 7)).is_open
