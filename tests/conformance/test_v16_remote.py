"""OCPP 1.6, Core and Remote Trigger: the CSMS starts, stops and asks."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.charging_v16 import assert_whole, start, status, stop, stored
from tests.conformance.csms import Csms
from tests.conformance.station import Station

V16 = OcppVersion.V16
ACCEPTED = {"status": "Accepted"}


async def remote_start(csms: Csms, station: Station) -> None:
    order = csms.order(station, "request_start_transaction", {"id_token": "TAG", "evse_id": 1})
    assert {"idTag": "TAG", "connectorId": 1} == await station.expect(
        "RemoteStartTransaction", ACCEPTED
    )
    assert "succeeded" == (await order)["state"]


async def remote_stop(csms: Csms, station: Station, transaction_id: int) -> None:
    order = csms.order(station, "request_stop_transaction", {"transaction_id": str(transaction_id)})
    assert {"transactionId": transaction_id} == await station.expect(
        "RemoteStopTransaction", ACCEPTED
    )
    assert "succeeded" == (await order)["state"]


@case("TC_010")
async def test_a_remote_start_with_the_cable_in(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await status(station, "Preparing")
        await remote_start(csms, station)
        answer = await start(station)
        await status(station, "Charging")
        await stop(station, answer["transactionId"])
        await assert_whole(csms, station, "Local")


@twin("TC_010")
async def test_a_remote_start_without_a_token_is_not_sent(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        ended = await csms.order(station, "request_start_transaction", {"evse_id": 1})
        assert "refused" == ended["state"]
        assert "currentTime" in await station.call("Heartbeat", {})  # nothing came before it


@case("TC_011_1")
async def test_a_remote_start_before_the_cable(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await remote_start(csms, station)
        await status(station, "Preparing")
        answer = await start(station)
        await status(station, "Charging")
        await stop(station, answer["transactionId"])
        await assert_whole(csms, station, "Local")


@twin("TC_011_1")
async def test_a_remote_start_that_gets_a_callerror_is_no_success(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        params = {"id_token": "TAG", "evse_id": 1}
        order = csms.order(station, "request_start_transaction", params)
        await station.refuse(await station.asked("RemoteStartTransaction"), "InternalError")
        assert "refused" == (await order)["state"]


@case("TC_011_2")
async def test_a_remote_start_that_no_cable_follows(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        await remote_start(csms, station)
        await status(station, "Preparing")
        await status(station, "Available")
        assert [] == await csms.rows(station, "transactions")


@twin("TC_011_2")
async def test_a_remote_start_to_a_station_that_is_gone_is_not_sent(csms: Csms) -> None:
    station = await csms.online(V16)
    await station.drop()
    params = {"id_token": "TAG", "evse_id": 1}
    ended = await csms.order(station, "request_start_transaction", params)
    assert "refused" == ended["state"]


@case("TC_012")
async def test_a_remote_stop(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await status(station, "Charging")
        await remote_stop(csms, station, answer["transactionId"])
        await stop(station, answer["transactionId"], reason="Remote")
        await status(station, "Available")
        await assert_whole(csms, station, "Remote")


@twin("TC_012")
async def test_a_remote_stop_that_is_accepted_ends_nothing_by_itself(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await start(station)
        await remote_stop(csms, station, answer["transactionId"])
        assert (await stored(csms, station))["end_received_at"] is None


@case("TC_054")
async def test_every_message_that_can_be_asked_for(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        for message in ("MeterValues", "Heartbeat", "StatusNotification", "BootNotification"):
            order = csms.order(station, "trigger_message", {"requested_message": message})
            sent = await station.expect("TriggerMessage", ACCEPTED)
            assert message == sent["requestedMessage"]
            assert "succeeded" == (await order)["state"]
        assert (await station.boot())["status"] == "Accepted"
        assert [0, 1] == [row["triggered"] for row in await csms.rows(station, "boots")]


@twin("TC_054")
async def test_a_message_that_cannot_be_asked_for_is_not_sent(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        ended = await csms.order(
            station, "trigger_message", {"requested_message": "StopTransaction"}
        )
        assert "refused" == ended["state"]
