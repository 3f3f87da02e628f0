from __future__ import annotations

import pytest

from csms.domain.device_model import VariableKey
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions.notify_event import on_v2x
from csms.ocpp.actions.notify_monitoring_report import on_v2x as on_monitors
from csms.store import monitoring_events


def event(event_id=1, **more):
    return {
        "eventId": event_id,
        "timestamp": "2026-05-01T11:59:00Z",
        "trigger": "Alerting",
        "actualValue": "93",
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Temperature"},
        "eventNotificationType": "CustomMonitor",
        **more,
    }


def message(*events, seq_no=0):
    return {
        "generatedAt": "2026-05-01T11:59:01Z",
        "seqNo": seq_no,
        "eventData": list(events) or [event()],
    }


async def watch(station, monitor_id, severity):
    await on_monitors(
        station,
        {
            "requestId": monitor_id,
            "seqNo": 0,
            "monitor": [
                {
                    "component": {"name": "EVSE", "evse": {"id": 1}},
                    "variable": {"name": "Temperature"},
                    "variableMonitoring": [
                        {"id": monitor_id, "type": "UpperThreshold", "severity": severity}
                    ],
                }
            ],
        },
    )


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


@pytest.fixture
def stored(db, station):
    async def read(of=station):
        return await db.read(
            lambda tx: monitoring_events.list_of_station(tx, of.station_id, limit=99)
        )

    return read


def alerts(events):
    return [each for each in events if each.type.startswith("alert.")]


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_an_event_is_kept_with_all_that_is_said_of_it(station, stored, version):
    payload = message(
        event(
            variableMonitoringId=5,
            techCode="E42",
            techInfo="fan",
            cause=3,
            cleared=True,
            transactionId="tx-1",
        )
    )
    assert schemas.is_valid(version, "NotifyEvent", "request", payload)
    answer = await on_v2x(station, payload)
    assert schemas.is_valid(version, "NotifyEvent", "response", answer)
    (found,) = await stored()
    assert found.key == VariableKey(component="EVSE", variable="Temperature", evse_id=1)
    assert (found.event_id, found.monitor_id, found.cause, found.cleared) == (1, 5, 3, True)
    assert (found.tech_code, found.tech_info, found.actual_value) == ("E42", "fan", "93")
    assert (found.trigger, found.origin) == ("Alerting", "CustomMonitor")
    assert found.station_transaction_id == "tx-1"


@pytest.mark.parametrize("severity", [0, 4])
async def test_a_grave_event_raises_an_alert_and_its_end_clears_it(station, events, severity):
    await on_v2x(station, message(event(1, severity=severity)))
    await on_v2x(station, message(event(2, severity=severity, cleared=True)))
    assert [(each.type, each.data["severity"]) for each in alerts(events)] == [
        ("alert.raised", severity),
        ("alert.cleared", severity),
    ]
    assert alerts(events)[0].data["variable"] == "Temperature"


async def test_an_event_of_default_severity_raises_none(station, events):
    await on_v2x(station, message(event(severity=5)))
    assert alerts(events) == []


async def test_without_a_severity_that_of_the_monitor_counts(station, events, stored):
    await watch(station, 5, severity=2)
    await watch(station, 6, severity=7)
    for monitor_id in (5, 6, 7):
        await on_v2x(station, message(event(monitor_id, variableMonitoringId=monitor_id)))
    assert [each.severity for each in await stored()] == [None, 7, 2]
    assert [each.data["severity"] for each in alerts(events)] == [2]


async def test_a_monitor_of_another_station_says_nothing(station, neighbour, events, stored):
    await watch(neighbour, 5, severity=0)
    await on_v2x(station, message(event(variableMonitoringId=5)))
    assert [each.severity for each in await stored()] == [None]
    assert alerts(events) == []


async def test_what_comes_again_and_again_raises_no_alert(station, events, stored):
    await on_v2x(station, message(event(trigger="Periodic", severity=0)))
    assert alerts(events) == []
    assert len(await stored()) == 1


async def test_a_repeated_message_is_stored_and_told_once(station, neighbour, events, stored):
    for sender in (station, station, neighbour):
        assert await on_v2x(sender, message(event(1, severity=0), event(2, severity=0))) == {}
    assert [each.event_id for each in await stored()] == [2, 1]
    assert len(await stored(neighbour)) == 2
    assert len(alerts(events)) == 4


async def test_ids_that_begin_anew_with_a_boot_are_other_events(station, stored):
    await on_v2x(station, message(event(1)))
    await on_v2x(station, message(event(1, timestamp="2026-05-01T11:59:30Z")))
    assert len(await stored()) == 2


async def test_nonsense_is_stored_and_answered(station, stored):
    flawed = (
        {},
        {"eventData": "none"},
        message(event("x", timestamp="late", component=[], severity="grave"), 5),
        message({"eventId": True, "variable": {}, "cleared": "true"}),
    )
    for payload in flawed:
        assert await on_v2x(station, payload) == {}
    found = await stored()
    assert [each.event_id for each in found] == [None] * 4
    assert [each.cleared for each in found] == [True, False, False, False]
    assert [each.key for each in found] == [None] * 4


async def test_a_password_is_not_kept(station, stored):
    secret = event(actualValue="canary", variable={"name": "WifiPassword"})
    await on_v2x(station, message(secret))
    (found,) = await stored()
    assert "canary" not in f"{found.actual_value} {found.raw}"
