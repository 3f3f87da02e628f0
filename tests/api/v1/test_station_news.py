"""What stations tell of their own accord natively: narrowed, in pages, within reach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.device_model import MonitoringEvent, VariableKey
from csms.domain.display_messages import DisplayMessage
from csms.domain.multipart import Part, ReportKind
from csms.domain.notices import Notice
from csms.domain.security_events import SecurityEvent
from csms.services import reports
from csms.store import display_messages, monitoring_events, notices, security_events
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ZULU = "2026-05-01T12:00:00.000000Z"


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


def path_of(station: Station, name: str) -> str:
    return f"/api/v1/stations/{station.uuid}/{name}"


async def security_event(api: Api, station: Station, kind: str) -> None:
    event = SecurityEvent(kind, "told", NOON, f'"{kind}"')
    await api.deps.db.write(lambda tx: security_events.insert(tx, station.id, event))


async def monitoring_event(api: Api, station: Station, number: int, **more: Any) -> None:
    told: dict[str, Any] = {
        "event_id": number,
        "key": VariableKey(component="EVSE", variable="Temperature", evse_id=1),
        "monitor_id": 7,
        "severity": 5,
        "trigger": "Alerting",
        "origin": "CustomMonitor",
        "actual_value": "88",
        "cleared": False,
        "cause": None,
        "station_transaction_id": None,
        "tech_code": None,
        "tech_info": None,
        "reported_at": NOON,
        "raw": "{}",
    }
    event = MonitoringEvent(**{**told, **more})
    await api.deps.db.write(lambda tx: monitoring_events.insert(tx, station.id, event))


async def notice(api: Api, station: Station, action: str, reference: str, raw: str) -> None:
    told = Notice(action, reference, "Settled", NOON, raw)
    await api.deps.db.write(lambda tx: notices.insert(tx, station.id, told))


async def part(api: Api, station: Station, request_id: int, *, more: bool) -> None:
    told = Part(ReportKind.VARIABLES, request_id, 0, more, NOON, "{}")
    await api.deps.db.write(lambda tx: reports.receive(tx, station.id, told))


async def test_security_events_are_told_and_narrowed(api: Api, station: Station) -> None:
    await security_event(api, station, "Harmless")
    await security_event(api, station, "FirmwareUpdated")
    path = path_of(station, "security-events")
    (critical,) = await items(api, f"{path}?critical=true", role="viewer")
    assert critical == {
        "type": "FirmwareUpdated",
        "tech_info": "told",
        "critical": True,
        "reported_at": ZULU,
        "received_at": ZULU,
    }
    assert len(await items(api, f"{path}?type=Harmless")) == 1
    assert len(await items(api, path)) == 2


async def test_monitoring_events_are_told_and_narrowed(api: Api, station: Station) -> None:
    await monitoring_event(api, station, 1)
    await monitoring_event(api, station, 2, key=None, severity=2, reported_at=None)
    path = path_of(station, "monitoring-events")
    worse, event = await items(api, path)
    assert (event["component"], event["variable"], event["evse_id"], event["actual_value"]) == (
        "EVSE",
        "Temperature",
        1,
        "88",
    )
    assert (worse["component"], worse["reported_at"], worse["received_at"]) == (None, None, ZULU)
    for query, numbers in (
        ("component=evse", [1]),
        ("variable=TEMPERATURE", [1]),
        ("severity=4", [2]),
        ("severity=5", [2, 1]),
    ):
        found = await items(api, f"{path}?{query}")
        assert [one["event_id"] for one in found] == numbers, query


async def test_notices_are_told_without_secrets(api: Api, station: Station) -> None:
    await notice(api, station, "NotifySettlement", "p-1", '{"pspRef":"p-1"}')
    await notice(api, station, "BatterySwap", "b-1", '{"AuthorizationKey":"tell-nobody"}')
    await notice(api, station, "NotifyDERAlarm", "d-1", "{half")
    path = path_of(station, "notices")
    odd, swap, settled = await items(api, path)
    assert (settled["payload"], settled["reference"]) == ({"pspRef": "p-1"}, "p-1")
    assert swap["payload"] == {"AuthorizationKey": "***"}
    assert odd["payload"] == "{half"
    assert len(await items(api, f"{path}?action=BatterySwap&reference=b-1")) == 1


async def test_a_report_says_whether_it_is_whole(
    api: Api, station: Station, clock: ManualClock
) -> None:
    await part(api, station, 1, more=False)
    await part(api, station, 2, more=True)
    path = path_of(station, "reports")
    found = await items(api, path)
    assert [(one["request_id"], one["state"], one["parts"]) for one in found] == [
        (2, "receiving", 1),
        (1, "complete", 1),
    ]
    clock.advance(3600)
    assert (await items(api, path))[0]["state"] == "partial"
    assert await items(api, f"{path}?kind=monitors") == []


async def test_what_is_shown_is_listed_until_it_is_over(
    api: Api, station: Station, clock: ManualClock
) -> None:
    message = DisplayMessage(
        message_id=4,
        priority="InFront",
        state=None,
        starts_at=None,
        ends_at=NOON.replace(hour=13),
        station_transaction_id=None,
        format="UTF8",
        language="en",
        content="Hello",
        raw="{}",
    )
    await api.deps.db.write(lambda tx: display_messages.upsert(tx, station.id, message))
    path = path_of(station, "display-messages")
    (shown,) = await items(api, path)
    assert (shown["message_id"], shown["content"], shown["updated_at"]) == (4, "Hello", ZULU)
    clock.advance(3600)
    assert await items(api, path) == []


async def test_every_list_pages_to_its_end_while_more_comes(api: Api, station: Station) -> None:
    async def one_each(number: int) -> None:
        await security_event(api, station, f"Event{number}")
        await monitoring_event(api, station, number)
        await notice(api, station, "NotifySettlement", str(number), f'"{number}"')
        await part(api, station, number, more=False)

    for number in range(3):
        await one_each(number)
    for round_, name in enumerate(("security-events", "monitoring-events", "notices", "reports")):
        before = len(await items(api, path_of(station, name)))
        found = await all_pages(
            api, f"{path_of(station, name)}?limit=2", lambda at=round_: one_each(10 + at)
        )
        assert len(found) == before, name


async def test_none_is_told_to_who_does_not_reach_the_station(api: Api, station: Station) -> None:
    role = await stranger(api)
    for name, flawed in (
        ("security-events", "critical=perhaps"),
        ("monitoring-events", "severity=10"),
        ("notices", "reference=" + "x" * 256),
        ("notices", "action=BootNotification"),
        ("reports", "kind=odd"),
    ):
        assert (await api.get(path_of(station, name), role=role)).status == 404
        assert (await api.get(f"{path_of(station, name)}?{flawed}")).status == 422
    assert (await api.get(path_of(station, "display-messages"), role=role)).status == 404
