"""OCPP 1.6, Core profile."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms

V16 = OcppVersion.V16
AT = "2026-05-01T12:00:00.000Z"


@case("TC_001")
async def test_a_cold_boot_is_accepted_and_the_statuses_are_stored(csms: Csms) -> None:
    async with await csms.station(V16) as station:
        answer = await station.boot()
        assert answer["status"] == "Accepted"
        assert answer["interval"] > 0
        for connector_id in (0, 1):
            status = {"connectorId": connector_id, "errorCode": "NoError", "status": "Available"}
            assert await station.call("StatusNotification", status) == {}
        assert "currentTime" in await station.call("Heartbeat", {})
        assert [row["status"] for row in await csms.rows(station, "connectors")] == [
            "Available",
            "Available",
        ]


@twin("TC_001")
async def test_a_boot_without_a_model_is_recorded_all_the_same(csms: Csms) -> None:
    async with await csms.station(V16) as station:
        answer = await station.call("BootNotification", {"chargePointVendor": "Vendor"})
        assert answer["status"] == "Accepted"
        (boot,) = await csms.rows(station, "boots")
        assert boot["raw"] == '{"chargePointVendor":"Vendor"}'


@case("TC_013")
async def test_a_hard_reset_is_sent_and_the_station_comes_back(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        order = csms.order(station, "reset", {"type": "immediate", "force": True})
        assert await station.expect("Reset", {"status": "Accepted"}) == {"type": "Hard"}
        assert (await order)["state"] == "succeeded"
        await station.drop()
        await station.connect()
        assert (await station.boot())["status"] == "Accepted"


@twin("TC_013")
async def test_a_reset_answered_with_an_unknown_word_is_no_success(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        order = csms.order(station, "reset", {"type": "immediate", "force": True})
        await station.expect("Reset", {"status": "Perhaps"})
        assert (await order)["state"] != "succeeded"
