"""The five messages about firmware and logs: one story each, in order."""

from __future__ import annotations

import pytest

from csms.domain.tasks import Task
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import (
    diagnostics_status_notification,
    firmware_status_notification,
    log_status_notification,
    publish_firmware_status_notification,
    signed_firmware_status_notification,
)
from csms.store import task_progress

V16, V201, V21 = OcppVersion
CASES = [
    (V16, "FirmwareStatusNotification", firmware_status_notification.on_v16, "firmware_update"),
    (V201, "FirmwareStatusNotification", firmware_status_notification.on_v2x, "firmware_update"),
    (V21, "FirmwareStatusNotification", firmware_status_notification.on_v2x, "firmware_update"),
    (
        V16,
        "SignedFirmwareStatusNotification",
        signed_firmware_status_notification.on_v16,
        "firmware_update",
    ),
    (V16, "DiagnosticsStatusNotification", diagnostics_status_notification.on_v16, "log_upload"),
    (V16, "LogStatusNotification", log_status_notification.on_v16, "log_upload"),
    (V201, "LogStatusNotification", log_status_notification.on_v2x, "log_upload"),
    (V21, "LogStatusNotification", log_status_notification.on_v2x, "log_upload"),
    (
        V201,
        "PublishFirmwareStatusNotification",
        publish_firmware_status_notification.on_v2x,
        "firmware_publication",
    ),
    (
        V21,
        "PublishFirmwareStatusNotification",
        publish_firmware_status_notification.on_v2x,
        "firmware_publication",
    ),
]
on_firmware = firmware_status_notification.on_v2x


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].value}-{case[1]}")
async def test_each_message_adds_to_the_story_of_its_task(station, db, events, case):
    version, action, handler, task = case
    answer = await handler(station, {"status": "Idle"})
    assert schemas.is_valid(version, action, "response", answer)
    found = await db.read(lambda tx: task_progress.find_newest(tx, station.station_id, Task(task)))
    assert (found.status, found.request_id, found.answered) == ("Idle", None, False)
    assert [event.type for event in events] == [f"{task}.progressed"]


async def test_the_story_keeps_its_order_and_only_changes_are_told(station, db, events):
    words = ["Downloading", "Downloading", "Downloaded", "Installing", "Installed"]
    for word in words:
        await on_firmware(station, {"status": word, "requestId": 7})
    story = await db.read(
        lambda tx: task_progress.list_of_station(
            tx, station.station_id, Task.FIRMWARE_UPDATE, limit=9
        )
    )
    assert [each.progress.status for each in reversed(story)] == words
    assert {each.progress.request_id for each in story} == {7}
    assert [event.data["status"] for event in events] == [
        "Downloading",
        "Downloaded",
        "Installing",
        "Installed",
    ]


async def test_the_same_word_about_another_request_is_a_change(station, events):
    for request_id in (7, 8):
        await on_firmware(station, {"status": "Downloading", "requestId": request_id})
    assert [event.data["request_id"] for event in events] == [7, 8]


async def test_stations_have_stories_of_their_own(station, neighbour, events, db):
    for sender in (station, neighbour):
        await on_firmware(sender, {"status": "Installed", "requestId": 7})
    assert len(events) == 2
    story = await db.read(
        lambda tx: task_progress.list_of_station(
            tx, station.station_id, Task.FIRMWARE_UPDATE, limit=9
        )
    )
    assert len(story) == 1


async def test_a_failed_upload_has_one_word_in_all_versions(station, db):
    await diagnostics_status_notification.on_v16(station, {"status": "UploadFailed"})
    found = await db.read(
        lambda tx: task_progress.find_newest(tx, station.station_id, Task.LOG_UPLOAD)
    )
    assert (found.status, found.raw) == ("UploadFailure", '{"status":"UploadFailed"}')


async def test_nonsense_is_stored_and_answered(station, db):
    for payload in ({}, {"status": 4, "requestId": "x"}, {"status": "Melting", "requestId": -1}):
        assert await on_firmware(station, payload) == {}
    story = await db.read(
        lambda tx: task_progress.list_of_station(
            tx, station.station_id, Task.FIRMWARE_UPDATE, limit=9
        )
    )
    assert [(each.progress.status, each.progress.request_id) for each in story] == [
        ("Melting", -1),
        ("", None),
        ("", None),
    ]
