"""BootNotification, Heartbeat, Authorize, DataTransfer."""

from __future__ import annotations

from datetime import UTC, datetime

from csms.domain.id_tokens import AuthorizationStatus, UnknownIdTokens
from csms.domain.stations import Registration
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import authorize, boot_notification, data_transfer, heartbeat
from csms.store import id_tokens, stations

BOOT = {
    "chargePointVendor": "Vendor",
    "chargePointModel": "Model",
    "chargeBoxSerialNumber": "SN-1",
    "firmwareVersion": "1.0",
}


async def test_boot_is_answered_after_its_row_is_stored(station, rows, bus):
    events = []
    bus.subscribe(Event, events.append)
    station.triggered = True
    answer = await boot_notification.on_v16(station, BOOT)
    assert answer == {
        "status": "Accepted",
        "currentTime": "2026-05-01T12:00:00.000Z",
        "interval": 300,
    }
    assert schemas.checker(station.version, "BootNotification", "response")(answer)
    (boot,) = await rows("SELECT * FROM boots")
    assert (boot["epoch"], boot["generation"], boot["triggered"]) == (1, 7, 1)
    (row,) = await rows("SELECT vendor, model, serial_number, firmware_version FROM stations")
    assert row == {
        "vendor": "Vendor",
        "model": "Model",
        "serial_number": "SN-1",
        "firmware_version": "1.0",
    }
    assert [event.type for event in events] == ["station.booted"]
    assert events[0].data["triggered"] is True


async def test_boot_of_a_station_that_is_not_accepted_says_when_to_come_back(station, db):
    await db.write(
        lambda tx: stations.update(tx, station.station_id, registration=Registration.PENDING.value)
    )
    answer = await boot_notification.on_v16(station, BOOT)
    assert (answer["status"], answer["interval"]) == ("Pending", 10)
    assert station.registration is Registration.PENDING


async def test_boot_with_empty_missing_long_or_mistyped_fields_is_accepted(station, rows):
    for payload in (
        {"chargePointVendor": "", "chargePointModel": "M"},
        {},
        {"chargePointVendor": 7, "chargePointModel": ["x"]},
        {**BOOT, "chargePointSerialNumber": "9" * 5000},
    ):
        answer = await boot_notification.on_v16(station, payload)
        assert answer["status"] == "Accepted"
    (row,) = await rows("SELECT length(serial_number) AS length FROM stations")
    assert row["length"] == 255
    assert len((await rows("SELECT raw FROM boots ORDER BY id DESC"))[0]["raw"]) > 5000


async def test_heartbeat_costs_no_write_until_the_flush(station, db, clock, rows):
    before = db.stats.commits
    clock.advance(1.5)
    answer = heartbeat.on_v16(station, {})
    assert answer == {"currentTime": "2026-05-01T12:00:01.500Z"}
    assert db.stats.commits == before
    assert await station.heartbeats.flush() == 1
    (row,) = await rows("SELECT last_heartbeat_at FROM stations")
    assert row["last_heartbeat_at"] == 1_777_636_801_500_000


async def test_unknown_tag_is_recorded_and_judged_by_the_policy(connect, rows):
    lenient = await connect("A")
    strict = await connect("B", unknown_id_tokens=UnknownIdTokens.REFUSE)
    assert await authorize.on_v16(lenient, {"idTag": "ABC123"}) == {
        "idTagInfo": {"status": "Accepted"}
    }
    assert await authorize.on_v16(strict, {"idTag": " abc123"}) == {
        "idTagInfo": {"status": "Invalid"}
    }
    (token,) = await rows("SELECT value, key, status FROM id_tokens")
    assert token == {"value": "ABC123", "key": "abc123", "status": "Unknown"}


async def test_tag_of_a_person_is_judged_by_its_status_expiry_and_group(station, db, clock):
    expires_at = datetime(2026, 5, 1, 13, tzinfo=UTC)

    def insert(tx):
        id_tokens.insert(
            tx,
            "GOOD",
            status=AuthorizationStatus.ACCEPTED,
            group="fleet",
            expires_at=expires_at,
        )
        id_tokens.insert(tx, "LOST", status=AuthorizationStatus.BLOCKED)

    await db.write(insert)
    answer = await authorize.on_v16(station, {"idTag": "good"})
    assert answer == {
        "idTagInfo": {
            "status": "Accepted",
            "expiryDate": "2026-05-01T13:00:00.000Z",
            "parentIdTag": "fleet",
        }
    }
    assert schemas.checker(station.version, "Authorize", "response")(answer)
    clock.advance(3600)
    answer = await authorize.on_v16(station, {"idTag": "good"})
    assert answer["idTagInfo"]["status"] == "Expired"
    answer = await authorize.on_v16(station, {"idTag": "LOST"})
    assert answer == {"idTagInfo": {"status": "Blocked"}}


async def test_empty_tag_is_not_recorded(station, rows):
    for payload in ({"idTag": ""}, {}, {"idTag": 5}):
        answer = await authorize.on_v16(station, payload)
        assert answer == {"idTagInfo": {"status": "Accepted"}}
    assert await rows("SELECT * FROM id_tokens") == []


async def test_data_transfer_of_an_unknown_vendor_is_stored_and_says_so(station, rows):
    answer = await data_transfer.on_v16(
        station, {"vendorId": "com.example", "messageId": "M", "data": "hello"}
    )
    assert answer == {"status": "UnknownVendorId"}
    await data_transfer.on_v16(station, {"vendorId": "v", "data": {"not": "a string"}})
    found = await rows("SELECT vendor_id, message_type, data, status FROM data_transfers")
    assert [tuple(row.values()) for row in found] == [
        ("com.example", "M", "hello", "UnknownVendorId"),
        ("v", None, '{"not":"a string"}', "UnknownVendorId"),
    ]
