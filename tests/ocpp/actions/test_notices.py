"""BatterySwap, NotifySettlement, NotifyDERAlarm, NotifyDERStartStop: kept, told once, answered."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import (
    battery_swap,
    notify_der_alarm,
    notify_der_start_stop,
    notify_settlement,
)
from csms.ocpp.fields import raw
from csms.store import notices

V21 = OcppVersion.V21


class Case(NamedTuple):
    action: str
    handler: Any
    payload: dict[str, Any]
    event: str
    reference: str
    status: str


CASES = [
    Case(
        "BatterySwap",
        battery_swap.on_v21,
        {
            "batteryData": [{"evseId": 1, "serialNumber": "B-1", "soC": 12.5, "soH": 99}],
            "eventType": "BatteryIn",
            "idToken": {"idToken": "ABC", "type": "ISO14443"},
            "requestId": 7,
        },
        "battery_swap.reported",
        "7",
        "BatteryIn",
    ),
    Case(
        "NotifySettlement",
        notify_settlement.on_v21,
        {
            "pspRef": "PSP-1",
            "status": "Settled",
            "settlementAmount": 12.34,
            "settlementTime": "2026-05-01T11:00:00Z",
        },
        "settlement.reported",
        "PSP-1",
        "Settled",
    ),
    Case(
        "NotifyDERAlarm",
        notify_der_alarm.on_v21,
        {
            "controlType": "HFMustTrip",
            "gridEventFault": "OverFrequency",
            "timestamp": "2026-05-01T11:00:00Z",
        },
        "der_alarm.raised",
        "HFMustTrip",
        "OverFrequency",
    ),
    Case(
        "NotifyDERAlarm",
        notify_der_alarm.on_v21,
        {"controlType": "VoltWatt", "alarmEnded": True, "timestamp": "2026-05-01T11:00:00Z"},
        "der_alarm.ended",
        "VoltWatt",
        "Ended",
    ),
    Case(
        "NotifyDERStartStop",
        notify_der_start_stop.on_v21,
        {"controlId": "C-1", "started": True, "timestamp": "2026-05-01T11:00:00Z"},
        "der_control.started",
        "C-1",
        "Started",
    ),
    Case(
        "NotifyDERStartStop",
        notify_der_start_stop.on_v21,
        {"controlId": "C-1", "started": False, "timestamp": "2026-05-01T11:00:00Z"},
        "der_control.stopped",
        "C-1",
        "Stopped",
    ),
]
each = pytest.mark.parametrize("case", CASES, ids=[case.event for case in CASES])


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


async def tell(station, case, payload):
    station.version = V21
    answer = await case.handler(station, payload)
    assert schemas.is_valid(V21, case.action, "response", answer)


async def kept(db, station):
    return await db.read(lambda tx: notices.list_of_station(tx, station.station_id))


@each
async def test_it_is_kept_as_it_came_with_what_it_is_about(station, db, events, case):
    assert schemas.is_valid(V21, case.action, "request", case.payload)
    await tell(station, case, case.payload)
    (notice,) = await kept(db, station)
    assert (notice.action, notice.reference, notice.status, notice.raw) == (
        case.action,
        case.reference,
        case.status,
        raw(case.payload),
    )
    (event,) = events
    assert (event.type, event.data["reference"], event.data["status"]) == (
        case.event,
        case.reference,
        case.status,
    )


@each
async def test_a_repeated_one_is_the_same_and_not_told_again(station, db, events, case):
    for _ in range(3):
        await tell(station, case, case.payload)
    assert len(await kept(db, station)) == 1
    assert len(events) == 1


@each
@pytest.mark.parametrize(
    "flaw",
    [
        {},
        {"requestId": "x", "eventType": 5, "pspRef": [], "controlId": None, "controlType": {}},
        {"timestamp": "yesterday", "settlementTime": 5, "started": "no", "alarmEnded": "true"},
    ],
)
async def test_a_flawed_one_is_kept_all_the_same(station, db, case, flaw):
    await tell(station, case, flaw)
    (notice,) = await kept(db, station)
    assert notice.raw == raw(flaw)


@each
async def test_that_of_another_station_is_another_one(station, neighbour, db, case):
    for one in (station, neighbour):
        await tell(one, case, case.payload)
    assert len(await kept(db, station)) == 1
    assert len(await kept(db, neighbour)) == 1
