"""OCPP 1.6, Core profile: charging, started and stopped locally."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.charging_v16 import (
    assert_whole,
    authorize,
    sample,
    start,
    status,
    stop,
    stored,
)
from tests.conformance.csms import Csms

V16 = OcppVersion.V16


@case("TC_003")
async def test_a_session_that_begins_with_the_cable(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await status(station, "Preparing")
        assert await authorize(station) == "Accepted"
        answer = await start(station)
        assert answer["idTagInfo"]["status"] == "Accepted"
        await status(station, "Charging")
        assert "Charging" == (await stored(csms, station))["charging_state"]
        await sample(station, answer["transactionId"])
        await status(station, "Finishing")
        assert (await stop(station, answer["transactionId"], idTag="TAG"))["idTagInfo"]
        await status(station, "Available")
        await assert_whole(csms, station, "Local")


@twin("TC_003")
async def test_a_start_without_its_meter_value_is_answered_and_has_no_energy(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station, meterStart=None)
        assert answer["transactionId"] > 0
        await stop(station, answer["transactionId"])
        transaction = await stored(csms, station)
        assert (None, "register_suspect") == (
            transaction["start_register_mwh"],
            transaction["flags"],
        )


@case("TC_004_1")
async def test_a_session_that_begins_with_the_token(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        assert await authorize(station) == "Accepted"
        await status(station, "Preparing")
        answer = await start(station)
        await status(station, "Charging")
        await stop(station, answer["transactionId"])
        await status(station, "Available")
        await assert_whole(csms, station, "Local")


@twin("TC_004_1")
async def test_an_authorize_without_a_tag_is_refused_and_starts_nothing(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        assert "ProtocolError" == await station.refused("Authorize", {})
        assert [] == await csms.rows(station, "transactions")


@case("TC_004_2")
async def test_a_token_without_a_cable_in_time_starts_nothing(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        assert await authorize(station) == "Accepted"
        await status(station, "Preparing")
        await status(station, "Available")  # ConnectionTimeOut is over
        assert [] == await csms.rows(station, "transactions")
        assert "Available" == (await csms.rows(station, "connectors"))[-1]["status"]


@twin("TC_004_2")
async def test_a_status_word_nobody_knows_is_kept_and_promises_nothing(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await status(station, "Waiting")
        (connector,) = await csms.rows(station, "connectors")
        assert ("Unavailable", "Waiting") == (connector["status"], connector["reported_status"])


@case("TC_005_1")
async def test_the_cable_is_pulled_on_the_cars_side(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await status(station, "Charging")
        await status(station, "SuspendedEV")
        await stop(station, answer["transactionId"], reason="EVDisconnected")
        await status(station, "Finishing")
        await assert_whole(csms, station, "EVDisconnected")


@twin("TC_005_1")
async def test_a_stop_for_a_reason_nobody_knows_ends_the_transaction(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await stop(station, answer["transactionId"], reason="CarOnFire")
        await assert_whole(csms, station, "CarOnFire")


@case("TC_007")
async def test_a_cached_token_starts_without_asking(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await status(station, "Preparing")
        answer = await start(station)
        assert answer["idTagInfo"]["status"] == "Accepted"
        await stop(station, answer["transactionId"])
        await assert_whole(csms, station, "Local")


@twin("TC_007")
async def test_a_start_that_is_repeated_is_the_same_transaction(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        first = await start(station)
        assert first["transactionId"] == (await start(station))["transactionId"]
        assert first["transactionId"] == int(
            (await stored(csms, station))["station_transaction_id"]
        )


@case("TC_018_1")
async def test_a_connector_is_unlocked_while_it_charges(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await status(station, "Charging")
        order = csms.order(station, "unlock_connector", {"evse_id": 1})
        assert {"connectorId": 1} == await station.expect("UnlockConnector", {"status": "Unlocked"})
        assert "succeeded" == (await order)["state"]
        await stop(station, answer["transactionId"], reason="UnlockCommand")
        await assert_whole(csms, station, "UnlockCommand")


@twin("TC_018_1")
async def test_a_stop_of_an_unknown_transaction_is_answered_and_ends_nothing(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        assert {} == await stop(station, answer["transactionId"] % 2**30 + 1)
        assert (await stored(csms, station))["end_received_at"] is None
        assert ["StopTransaction"] == [
            row["action"] for row in await csms.rows(station, "transaction_conflicts")
        ]


@case("TC_024")
async def test_a_connector_that_cannot_lock_is_faulted(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        assert await authorize(station) == "Accepted"
        await status(station, "Faulted", error="ConnectorLockFailure")
        (connector,) = await csms.rows(station, "connectors")
        assert ("Faulted", "ConnectorLockFailure") == (connector["status"], connector["error_code"])
        assert [] == await csms.rows(station, "transactions")


@twin("TC_024")
async def test_an_error_code_nobody_knows_is_kept(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await status(station, "Faulted", error="Error")
        assert "Error" == (await csms.rows(station, "connectors"))[0]["error_code"]


@case("TC_032_1")
async def test_a_power_failure_ends_the_transaction_after_the_boot(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await status(station, "Charging")
        await station.drop()
        await station.connect()
        assert (await station.boot())["status"] == "Accepted"
        await stop(station, answer["transactionId"], reason="PowerLoss")
        await status(station, "Available")
        await assert_whole(csms, station, "PowerLoss")


@twin("TC_032_1")
async def test_a_stop_that_comes_twice_after_the_boot_counts_once(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await station.drop()
        await station.connect()
        await station.boot()
        for _ in range(2):
            await stop(station, answer["transactionId"], reason="PowerLoss")
        await assert_whole(csms, station, "PowerLoss")
        assert [] == await csms.rows(station, "transaction_conflicts")


@case("TC_037_1")
async def test_a_transaction_that_began_offline_is_told_later(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await station.drop()
        await station.connect()
        answer = await start(station)
        assert answer["idTagInfo"]["status"] == "Accepted"
        await status(station, "Charging")
        await stop(station, answer["transactionId"])
        await assert_whole(csms, station, "Local")


@twin("TC_037_1")
async def test_an_offline_start_with_a_clock_that_is_unset_is_taken(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station, timestamp="1970-01-01T00:00:07Z")
        assert answer["transactionId"] > 0
        assert "clock_suspect" == (await stored(csms, station))["flags"]


@case("TC_039")
async def test_a_whole_transaction_happened_offline(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await station.drop()
        await station.connect()
        answer = await start(station)
        await sample(station, answer["transactionId"])
        await stop(station, answer["transactionId"])
        await assert_whole(csms, station, "Local")


@twin("TC_039")
async def test_a_stop_before_its_start_is_answered(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        assert {} == await stop(station, -1)
        (made,) = await csms.rows(station, "transactions")
        assert "start_missing" in made["flags"]
        assert 1 == len(await csms.rows(station, "transaction_conflicts"))


@case("TC_064")
async def test_a_vendors_message_is_answered(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await station.call("DataTransfer", {"vendorId": "org.example", "data": "x"})
        assert {"status": "UnknownVendorId"} == answer
        assert ["x"] == [row["data"] for row in await csms.rows(station, "data_transfers")]


@twin("TC_064")
async def test_a_vendors_message_without_a_vendor_is_refused(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        assert "ProtocolError" == await station.refused("DataTransfer", {"data": "x"})
        assert [] == await csms.rows(station, "data_transfers")
