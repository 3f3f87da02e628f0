"""OCPP 2.0.1, Advanced User Interface: what the driver is told that charging costs."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.station import Payload, Station
from tests.conformance.stories import TOKEN, Event, meter_value

STORY = [
    Event("Started", "CablePluggedIn", "EVConnected", wh=1000, context="Transaction.Begin"),
    Event("Updated", "Authorized", "EVConnected", token=TOKEN),
    Event("Updated", "ChargingStateChanged", "Charging"),
    Event("Updated", "StopAuthorized", "EVConnected", token=TOKEN),
    Event("Ended", "EVCommunicationLost", "Idle", "Local", wh=6000, context="Transaction.End"),
]


@pytest.fixture
async def station(csms: Csms) -> Station:
    """A station where a kWh costs 0.30."""
    place = await csms.api("POST", "/api/v1/locations", {"name": "Garage"})
    wanted = {"currency": "EUR", "per_kwh": "0.30"}
    await csms.api("PUT", f"/api/v1/locations/{place['id']}/prices", wanted)
    return await csms.station(OcppVersion.V201, location_id=place["id"])


async def tell(station: Station, **of_the_end: object) -> list[Payload]:
    payloads = [event.payload("tx", number) for number, event in enumerate(STORY)]
    payloads[-1] |= of_the_end
    return [await station.call("TransactionEvent", payload) for payload in payloads]


@case("TC_I_02")
async def test_the_end_of_a_transaction_is_answered_with_its_total_cost(station: Station) -> None:
    async with station:
        await station.connect()
        await station.boot()
        answers = await tell(station)
        assert ["totalCost" in answer for answer in answers] == [False] * 4 + [True]
        assert answers[-1] == {"totalCost": 1.5}


@twin("TC_I_02")
async def test_without_a_register_at_the_end_no_cost_is_told(csms: Csms, station: Station) -> None:
    async with station:
        await station.connect()
        await station.boot()
        flawed = meter_value("2026-05-01T12:04:00Z", 6000, "Transaction.End")
        flawed["sampledValue"][0]["value"] = "6 kWh"
        assert (await tell(station, meterValue=[flawed]))[-1] == {}
        (stored,) = await csms.rows(station, "transactions")
        assert (stored["stop_reason"], stored["cost_micros"]) == ("Local", None)
