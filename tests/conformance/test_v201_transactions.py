"""OCPP 2.0.1, Core: transactions and their meter values, started and stopped in every way."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.stories import TOKEN, Event, Story, assert_told, meter_value, story, tell

V201 = OcppVersion.V201

PLUGGED = Event("Started", "CablePluggedIn", "EVConnected", wh=1000, context="Transaction.Begin")
AUTHORIZED = Event("Updated", "Authorized", "EVConnected", token=TOKEN)
CHARGING = Event("Updated", "ChargingStateChanged", "Charging")
SAMPLED = Event("Updated", "MeterValuePeriodic", "Charging", wh=2000)
STOPPED = Event(
    "Ended", "StopAuthorized", "EVConnected", "Local", TOKEN, wh=3000, context="Transaction.End"
)


def ended(trigger: str, reason: str, state: str | None = "EVConnected") -> Event:
    return Event("Ended", trigger, state, reason, wh=3000, context="Transaction.End")


def started(trigger: str, state: str | None = None, *, token: bool = False) -> Event:
    shown = TOKEN if token else None
    return Event("Started", trigger, state, token=shown, wh=1000, context="Transaction.Begin")


STORIES = [
    story(
        "TC_E_01",
        started("Authorized", "EVConnected", token=True),
        *(CHARGING, SAMPLED, STOPPED),
        stopped="Local",
    ),
    story(
        "TC_E_02",
        started("ChargingStateChanged", "Charging", token=True),
        *(SAMPLED, STOPPED),
        stopped="Local",
    ),
    story("TC_E_03", PLUGGED, AUTHORIZED, CHARGING, SAMPLED, STOPPED, stopped="Local"),
    story(
        "TC_E_04",
        started("Authorized", token=True),
        Event("Updated", "CablePluggedIn", "EVConnected"),
        *(CHARGING, STOPPED),
        stopped="Local",
    ),
    story("TC_E_07", PLUGGED, AUTHORIZED, CHARGING, STOPPED, stopped="Local"),
    story(
        "TC_E_08",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event("Updated", "StopAuthorized", "EVConnected", token=TOKEN),
        ended("ChargingStateChanged", "Local"),
        stopped="Local",
    ),
    story("TC_E_09", PLUGGED, AUTHORIZED, CHARGING, STOPPED, stopped="Local"),
    story("TC_E_10", started("Authorized", token=True), CHARGING, STOPPED, stopped="Local"),
    story(
        "TC_E_11",
        Event(
            "Started",
            "SignedDataReceived",
            "EVConnected",
            token=TOKEN,
            wh=1000,
            context="Transaction.Begin",
            signed=True,
        ),
        *(CHARGING, STOPPED),
        stopped="Local",
    ),
    story(
        "TC_E_12",
        started("EVDetected"),
        Event("Updated", "CablePluggedIn", "EVConnected"),
        *(AUTHORIZED, CHARGING, STOPPED),
        stopped="Local",
    ),
    story(
        "TC_E_14",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event("Updated", "StopAuthorized", "EVConnected", token=TOKEN),
        ended("EVCommunicationLost", "EVDisconnected", "Idle"),
        stopped="EVDisconnected",
    ),
    story("TC_E_15", PLUGGED, AUTHORIZED, CHARGING, STOPPED, stopped="Local"),
    story(
        "TC_E_16",
        *(PLUGGED, AUTHORIZED),
        ended("Deauthorized", "DeAuthorized"),
        stopped="DeAuthorized",
    ),
    story(
        "TC_E_17",
        *(PLUGGED, AUTHORIZED),
        Event("Updated", "Deauthorized", "EVConnected"),
        ended("EVCommunicationLost", "EVDisconnected", "Idle"),
        stopped="EVDisconnected",
    ),
    story(
        "TC_E_19",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event("Updated", "EVCommunicationLost", "Idle"),
        ended("EVDeparted", "Local", None),
        stopped="Local",
    ),
    story(
        "TC_E_20",
        *(PLUGGED, AUTHORIZED, CHARGING),
        ended("EVCommunicationLost", "EVDisconnected", "Idle"),
        stopped="EVDisconnected",
    ),
    story(
        "TC_E_22",
        *(PLUGGED, AUTHORIZED, CHARGING),
        ended("ChargingStateChanged", "StoppedByEV", "SuspendedEV"),
        stopped="StoppedByEV",
    ),
    story(
        "TC_E_26",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event("Updated", "EVCommunicationLost", "Idle"),
        Event("Updated", "CablePluggedIn", "EVConnected"),
        *(CHARGING, STOPPED),
        stopped="Local",
    ),
    story(
        "TC_E_38",
        *(PLUGGED, AUTHORIZED),
        Event("Updated", "ChargingStateChanged", "SuspendedEV", wh=1000),
        energy=(1_000_000, 1_000_000),
    ),
    story(
        "TC_E_39",
        started("Authorized", token=True),
        ended("EVConnectTimeout", "Timeout", None),
        stopped="Timeout",
    ),
    story(
        "TC_J_02",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event("Updated", "MeterValueClock", "Charging", wh=2000, context="Sample.Clock"),
        energy=(1_000_000, 2_000_000),
    ),
    story("TC_J_03", PLUGGED, AUTHORIZED, CHARGING, SAMPLED, STOPPED, stopped="Local"),
    story(
        "TC_J_04",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event(
            "Updated", "MeterValueClock", "Charging", wh=2000, context="Sample.Clock", signed=True
        ),
        energy=(1_000_000, 2_000_000),
    ),
    story("TC_J_07", PLUGGED, AUTHORIZED, CHARGING, energy=(1_000_000, None)),
    story(
        "TC_J_08",
        Event("Started", "Authorized", token=TOKEN, evse=None),
        Event("Updated", "CablePluggedIn", "EVConnected", wh=1000, context="Transaction.Begin"),
        *(CHARGING, SAMPLED, STOPPED),
        stopped="Local",
        energy=None,
    ),
    story("TC_J_09", PLUGGED, AUTHORIZED, CHARGING, SAMPLED, energy=(1_000_000, 2_000_000)),
    story("TC_J_10", PLUGGED, AUTHORIZED, CHARGING, SAMPLED, STOPPED, stopped="Local"),
    story(
        "TC_J_11",
        *(PLUGGED, AUTHORIZED, CHARGING),
        Event("Updated", "MeterValuePeriodic", "Charging", wh=2000, signed=True),
        *(STOPPED,),
        stopped="Local",
    ),
]


@pytest.mark.parametrize("one", STORIES)
async def test_the_story_is_stored_as_it_was_told(csms: Csms, one: Story) -> None:
    async with await csms.online(V201) as station:
        transaction_id = await tell(station, one)
        await assert_told(csms, station, transaction_id, one)


@pytest.mark.parametrize("one", STORIES)
async def test_an_event_that_breaks_its_schema_changes_nothing_of_it(
    csms: Csms, one: Story
) -> None:
    async with await csms.online(V201) as station:
        transaction_id = await tell(station, one, flawed=1)
        await assert_told(csms, station, transaction_id, one)


@case("TC_E_53")
async def test_every_transaction_counts_its_events_from_zero(csms: Csms) -> None:
    one = Story([PLUGGED, AUTHORIZED, CHARGING, STOPPED], "Local")
    async with await csms.online(V201) as station:
        told = [await tell(station, one) for _ in range(3)]
        stored = await csms.rows(station, "transactions")
        assert told == [row["station_transaction_id"] for row in stored]
        assert 3 == sum(row["end_received_at"] is not None for row in stored)


@twin("TC_E_53")
async def test_an_event_that_is_repeated_counts_once(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        for event, seq_no in ((PLUGGED, 0), (PLUGGED, 0), (STOPPED, 1), (STOPPED, 1)):
            await station.call("TransactionEvent", event.payload("twice", seq_no))
        await assert_told(csms, station, "twice", Story([], "Local"))


@case("TC_J_01")
async def test_readings_of_an_evse_without_a_transaction_are_stored(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        reading = meter_value("2026-05-01T12:00:00Z", 1000, "Sample.Clock")
        assert {} == await station.call("MeterValues", {"evseId": 1, "meterValue": [reading]})
        (stored,) = await csms.rows(station, "meter_values")
        assert (1, None, "Sample.Clock", 1_000_000) == (
            stored["evse_id"],
            stored["transaction_id"],
            stored["context"],
            stored["register_mwh"],
        )


@twin("TC_J_01")
async def test_readings_without_their_evse_are_stored_all_the_same(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        reading = meter_value("2026-05-01T12:00:00Z", 1000, "Sample.Clock")
        assert {} == await station.call("MeterValues", {"meterValue": [reading]})
        assert 1 == len(await csms.rows(station, "meter_values"))
