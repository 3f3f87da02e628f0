"""OCPP 2.0.1: what stations notice by themselves."""

from __future__ import annotations

from typing import Any

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.orders import Order
from tests.conformance.orders.v201_device import event, watch
from tests.conformance.orders.v201_lists import begun
from tests.conformance.station import Station
from tests.conformance.test_orders import carry_out

V201 = OcppVersion.V201
LOCK: dict[str, Any] = {
    "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
    "variable": {"name": "Problem"},
    "actualValue": "true",
}
TEMPERATURE: dict[str, Any] = {
    "component": {"name": "ChargingStation"},
    "variable": {"name": "Temperature"},
    "eventNotificationType": "HardWiredMonitor",
    "actualValue": "95",
}


async def tell(station: Station, number: int, trigger: str, **more: Any) -> None:
    action, payload = event(number, trigger, **more)
    assert {} == await station.call(action, dict(payload))


@case("TC_G_20")
async def test_a_lock_that_fails_is_stored_with_its_connector(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        action, payload = begun()
        await station.call(action, dict(payload))
        await tell(station, 1, "Delta", eventNotificationType="HardWiredNotification", **LOCK)
        (stored,) = await csms.rows(station, "monitoring_events")
        assert ("ConnectorPlugRetentionLock", 1, 1, "Problem", "true") == (
            stored["component"],
            stored["evse_id"],
            stored["connector_id"],
            stored["variable"],
            stored["actual_value"],
        )
        (transaction,) = await csms.rows(station, "transactions")
        assert transaction["end_received_at"] is None


@twin("TC_G_20")
async def test_a_lock_that_fails_in_unknown_words_is_stored_all_the_same(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        await tell(station, 1, "NoSuchTrigger", eventNotificationType="NoSuchKind", **LOCK)
        (stored,) = await csms.rows(station, "monitoring_events")
        assert ("NoSuchTrigger", "true") == (stored["trigger"], stored["actual_value"])


@case("TC_N_21")
async def test_a_hard_wired_monitor_needs_nobody_to_set_it(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        await tell(station, 1, "Alerting", variableMonitoringId=9, **TEMPERATURE)
        (stored,) = await csms.rows(station, "monitoring_events")
        assert ("HardWiredMonitor", "Alerting", 9, "Temperature", "95") == (
            stored["origin"],
            stored["trigger"],
            stored["monitor_id"],
            stored["variable"],
            stored["actual_value"],
        )


@twin("TC_N_21")
async def test_an_event_without_its_variable_is_stored_as_it_came(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        told = {"eventId": 1, "actualValue": "95"}
        payload = {"generatedAt": "yesterday", "seqNo": 0, "eventData": [told]}
        assert {} == await station.call("NotifyEvent", payload)
        (stored,) = await csms.rows(station, "monitoring_events")
        assert (None, '{"eventId":1,"actualValue":"95"}') == (stored["variable"], stored["raw"])


@case("TC_N_49")
async def test_an_alert_that_a_reboot_has_cleared(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        await carry_out(csms, station, Order(**watch("UpperThreshold", 10.0)))
        await carry_out(csms, station, Order(**watch("LowerThreshold", 1.0, 2)))
        await tell(station, 1, "Alerting", variableMonitoringId=1)
        await station.drop()
        await station.connect()
        assert "Accepted" == (await station.boot())["status"]
        await tell(station, 2, "Alerting", variableMonitoringId=1, actualValue="9", cleared=True)
        stored = await csms.rows(station, "monitoring_events")
        assert [("12", 0, 5), ("9", 1, 5)] == [
            (row["actual_value"], row["cleared"], row["severity"]) for row in stored
        ]


@twin("TC_N_49")
async def test_an_event_that_is_repeated_after_a_reboot_counts_once(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        await tell(station, 1, "Alerting", variableMonitoringId=1, cleared="perhaps")
        await station.drop()
        await station.connect()
        await station.boot()
        await tell(station, 1, "Alerting", variableMonitoringId=1, cleared="perhaps")
        (stored,) = await csms.rows(station, "monitoring_events")
        assert ("12", 0) == (stored["actual_value"], stored["cleared"])
