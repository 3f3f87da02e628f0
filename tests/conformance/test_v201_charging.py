"""OCPP 2.0.1, smart charging: a station that has none of it."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.orders.profiles import given

V201 = OcppVersion.V201
PARAMS = {"evse_id": 1, "charging_profile": given()}


@case("TC_K_15")
async def test_a_station_without_smart_charging_says_so(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        order = csms.order(station, "set_charging_profile", PARAMS)
        await station.refuse(await station.asked("SetChargingProfile"), "NotSupported")
        ended = await order
        assert "refused" == ended["state"]
        assert "NotSupported" in str(ended["problem"])
        assert [] == await csms.rows(station, "charging_profiles")


@twin("TC_K_15")
async def test_a_code_that_nobody_knows_is_no_success(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        order = csms.order(station, "set_charging_profile", PARAMS)
        await station.refuse(await station.asked("SetChargingProfile"), "NoSuchCode")
        assert "refused" == (await order)["state"]
        assert [] == await csms.rows(station, "charging_profiles")
        assert "currentTime" in await station.call("Heartbeat", {})
