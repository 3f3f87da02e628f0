from __future__ import annotations

import pytest

from csms.domain.security_events import CRITICAL
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions.security_event_notification import on_v2x, on_v16
from csms.store import security_events

HANDLERS = {
    OcppVersion.V16: on_v16,
    OcppVersion.V201: on_v2x,
    OcppVersion.V21: on_v2x,
}


def event(kind="TamperDetectionActivated", **more):
    return {"type": kind, "timestamp": "2026-05-01T11:59:00Z", **more}


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


def alerts(events):
    return [each.data for each in events if each.type == "alert.raised"]


@pytest.mark.parametrize("version", list(OcppVersion))
async def test_a_critical_event_is_stored_answered_and_raises_an_alert(
    station, db, events, version
):
    payload = event(techInfo="lid")
    assert schemas.is_valid(version, "SecurityEventNotification", "request", payload)
    answer = await HANDLERS[version](station, payload)
    assert schemas.is_valid(version, "SecurityEventNotification", "response", answer)
    (stored,) = await db.read(
        lambda tx: security_events.list_of_station(tx, station.station_id, limit=9)
    )
    assert (stored.type, stored.tech_info, stored.critical) == (payload["type"], "lid", True)
    assert [each.type for each in events] == ["security_event.received", "alert.raised"]
    assert alerts(events)[0]["source"] == "security_event"
    assert alerts(events)[0]["reported_at"] == "2026-05-01T11:59:00.000Z"
    assert alerts(events)[0]["late"] is False


async def test_an_event_that_is_not_critical_raises_no_alert(station, events):
    await on_v2x(station, event("InvalidMessages"))
    assert [(each.type, each.data["critical"]) for each in events] == [
        ("security_event.received", False)
    ]


@pytest.mark.parametrize("kind", sorted(CRITICAL))
async def test_what_the_specification_calls_critical_is(station, events, kind):
    await on_v16(station, event(kind))
    assert [alert["type"] for alert in alerts(events)] == [kind]


async def test_a_repeated_message_is_one_event(station, neighbour, events, rows):
    for sender in (station, station, neighbour):
        assert await on_v2x(sender, event()) == {}
    stored = await rows("SELECT station_id FROM security_events ORDER BY id")
    assert [row["station_id"] for row in stored] == [station.station_id, neighbour.station_id]
    assert len(alerts(events)) == 2


async def test_without_a_clock_every_message_is_an_event_of_its_own(station, events, rows):
    for _ in range(2):
        await on_v2x(station, event("StartupOfTheDevice", timestamp="1970-01-01T00:00:07Z"))
    assert [row["reported_at"] for row in await rows("SELECT * FROM security_events")] == [
        None,
        None,
    ]
    assert len(alerts(events)) == 2


async def test_an_alert_about_the_past_says_so(station, events):
    await on_v2x(station, event(timestamp="2026-05-01T11:54:59Z"))
    assert alerts(events)[0]["late"] is True


async def test_nonsense_is_stored_and_answered(station, rows):
    flawed = (
        {},
        {"type": 5, "timestamp": 7, "techInfo": []},
        event("x" * 2000, techInfo="y" * 3000),
        event("Made\x00Up", timestamp="yesterday"),
    )
    for payload in flawed:
        assert await on_v2x(station, payload) == {}
    stored = await rows("SELECT * FROM security_events ORDER BY id")
    assert [row["type"] for row in stored] == ["", "", "x" * 255, "Made\x00Up"]
    assert [row["reported_at"] is None for row in stored] == [True, True, False, True]


async def test_a_password_in_its_words_is_not_kept(station, db):
    await on_v16(station, event(techInfo="password: hunter22", customData={"password": "hunter22"}))
    rows = await db.read(lambda tx: tx.all("SELECT * FROM security_events"))
    assert "hunter22" not in repr([tuple(row) for row in rows])
