"""BootNotification, Heartbeat, Authorize, StatusNotification, MeterValues, DataTransfer of 2.x."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from csms.domain.id_tokens import AuthorizationStatus, UnknownIdTokens
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import HANDLERS
from csms.store import connectors, id_tokens, stations

V201, V21 = OcppVersion.V201, OcppVersion.V21
BOOT = {
    "reason": "PowerUp",
    "chargingStation": {
        "vendorName": "Vendor",
        "model": "Model",
        "serialNumber": "SN-1",
        "firmwareVersion": "1.0",
        "modem": {"iccid": "8949"},
    },
}


@pytest.fixture(params=[V201, V21])
async def station(connect, request):
    return await connect("GARAGE-1", request.param)


@pytest.fixture
async def neighbour(connect):
    return await connect("GARAGE-2", V201)


async def ask(station, action: str, payload: dict[str, Any]) -> Any:
    answer = HANDLERS[station.version, action](station, payload)
    if not isinstance(answer, dict):
        answer = await answer
    assert schemas.checker(station.version, action, "response")(answer), answer
    return answer


def shown(value, kind="ISO14443"):
    return {"idToken": {"idToken": value, "type": kind}}


# ---- BootNotification and Heartbeat ----------------------------------------------------------


async def test_boot_is_answered_after_its_row_is_stored(station, rows, bus):
    events = []
    bus.subscribe(Event, events.append)
    for _ in range(2):
        assert await ask(station, "BootNotification", BOOT) == {
            "status": "Accepted",
            "currentTime": "2026-05-01T12:00:00.000Z",
            "interval": 300,
        }
    found = await rows("SELECT epoch, generation, reason, raw FROM boots")
    assert [(row["epoch"], row["generation"], row["reason"]) for row in found] == [
        (1, 7, "PowerUp"),
        (1, 7, "PowerUp"),
    ]
    assert orjson.loads(found[0]["raw"]) == BOOT
    (row,) = await rows("SELECT vendor, model, serial_number, firmware_version FROM stations")
    assert list(row.values()) == ["Vendor", "Model", "SN-1", "1.0"]
    assert [(event.type, event.data["reason"]) for event in events] == [
        ("station.booted", "PowerUp"),
        ("station.booted", "PowerUp"),
    ]


async def test_boot_of_a_station_that_is_not_accepted_says_when_to_come_back(station, db):
    await db.write(
        lambda tx: stations.update(tx, station.station_id, registration=Registration.PENDING.value)
    )
    answer = await ask(station, "BootNotification", BOOT)
    assert (answer["status"], answer["interval"]) == ("Pending", 10)
    assert station.registration is Registration.PENDING


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"reason": 5, "chargingStation": "Model"},
        {"chargingStation": {"vendorName": "", "model": 7}},
        {"chargePointVendor": "V", "chargePointModel": "M"},
    ],
)
async def test_flawed_boot_is_accepted(station, payload):
    assert (await ask(station, "BootNotification", payload))["status"] == "Accepted"


async def test_heartbeat_gives_the_time(station):
    assert await ask(station, "Heartbeat", {}) == {"currentTime": "2026-05-01T12:00:00.000Z"}
    assert await station.heartbeats.flush() == 1


# ---- Authorize -------------------------------------------------------------------------------


async def test_unknown_token_is_recorded_with_its_type_and_judged_by_the_policy(connect, rows):
    lenient = await connect("A", V201)
    strict = await connect("B", V21, unknown_id_tokens=UnknownIdTokens.REFUSE)
    assert await ask(lenient, "Authorize", shown("ABC123")) == {
        "idTokenInfo": {"status": "Accepted"}
    }
    assert await ask(strict, "Authorize", shown(" abc123")) == {
        "idTokenInfo": {"status": "Unknown"}
    }
    (token,) = await rows("SELECT value, key, type, status FROM id_tokens")
    assert list(token.values()) == ["ABC123", "abc123", "ISO14443", "Unknown"]


async def test_token_of_a_person_is_judged_by_its_status_expiry_and_group(station, db, clock):
    expires_at = datetime(2026, 5, 1, 13, tzinfo=UTC)
    await db.write(
        lambda tx: id_tokens.insert(
            tx,
            "GOOD",
            status=AuthorizationStatus.ACCEPTED,
            group="fleet",
            expires_at=expires_at,
        )
    )
    assert await ask(station, "Authorize", shown("good")) == {
        "idTokenInfo": {
            "status": "Accepted",
            "cacheExpiryDateTime": "2026-05-01T13:00:00.000Z",
            "groupIdToken": {"idToken": "fleet", "type": "Central"},
        }
    }
    clock.advance(3600)
    answer = await ask(station, "Authorize", shown("good"))
    assert answer["idTokenInfo"]["status"] == "Expired"


async def test_same_value_of_another_type_is_another_token(station, db):
    await db.write(
        lambda tx: id_tokens.insert(
            tx, "77", token_type="KeyCode", status=AuthorizationStatus.BLOCKED
        )
    )
    for kind, status in (("KeyCode", "Blocked"), ("ISO14443", "Accepted")):
        answer = await ask(station, "Authorize", shown("77", kind))
        assert answer == {"idTokenInfo": {"status": status}}


@pytest.mark.parametrize(
    "token",
    [
        {"idToken": "", "type": "NoAuthorization"},
        {"idToken": "whatever", "type": "NoAuthorization"},
        {"idToken": "", "type": "Local"},
        {"idToken": 5, "type": []},
        {},
        None,
        7,
    ],
)
async def test_token_without_a_value_is_judged_by_the_policy_and_not_recorded(station, rows, token):
    assert await ask(station, "Authorize", {"idToken": token}) == {
        "idTokenInfo": {"status": "Accepted"}
    }
    assert await rows("SELECT * FROM id_tokens") == []


@pytest.mark.parametrize(
    "contract", [{"certificate": "-----BEGIN"}, {"iso15118CertificateHashData": [{}]}]
)
async def test_contract_certificate_that_nobody_can_check_is_not_accepted(station, contract):
    answer = await ask(station, "Authorize", {**shown("DE1", "eMAID"), **contract})
    assert answer == {
        "idTokenInfo": {"status": "Invalid"},
        "certificateStatus": "NoCertificateAvailable",
    }


# ---- StatusNotification ----------------------------------------------------------------------


def status(word="Available", evse=1, connector=1):
    return {
        "timestamp": "2026-05-01T11:59:00Z",
        "connectorStatus": word,
        "evseId": evse,
        "connectorId": connector,
    }


@pytest.mark.parametrize("word", ["Available", "Occupied", "Reserved", "Unavailable", "Faulted"])
async def test_each_of_the_five_words_is_the_status(station, db, rows, word):
    for _ in range(2):
        assert await ask(station, "StatusNotification", status(word, evse=2, connector=3)) == {}
    (found,) = await db.read(lambda tx: connectors.list_of_station(tx, station.station_id))
    assert (found.evse_id, found.connector_id) == (2, 3)
    assert (found.status.value, found.reported_status, found.error_code) == (word, word, None)
    assert len(await rows("SELECT * FROM status_notifications")) == 2


async def test_flawed_status_is_stored_and_answered(station, rows):
    for payload in (
        {},
        {"evseId": "x", "connectorId": [], "connectorStatus": 3},
        {"evseId": 4, "connectorStatus": "Plugged"},
        status(evse=2**62),
        status(connector=-1),
        status(connector=2**40),
    ):
        assert await ask(station, "StatusNotification", payload) == {}
    assert len(await rows("SELECT * FROM status_notifications")) == 6
    found = await rows("SELECT evse_id, connector_id, status, reported_status FROM connectors")
    assert [tuple(row.values()) for row in found] == [
        (0, 0, "Unavailable", ""),
        (4, 1, "Unavailable", "Plugged"),
    ]


# ---- MeterValues and DataTransfer ------------------------------------------------------------


def readings(evse, value=1.5):
    sample = {"value": value, "unitOfMeasure": {"unit": "kWh"}}
    return {
        "evseId": evse,
        "meterValue": [{"timestamp": "2026-05-01T11:00:00Z", "sampledValue": [sample]}],
    }


async def test_readings_are_of_the_evse_or_of_the_main_meter(station, neighbour, rows):
    for reporter, evse in ((station, 2), (station, 2), (station, 0), (neighbour, 2)):
        assert await ask(reporter, "MeterValues", readings(evse)) == {}
    found = await rows(
        "SELECT station_id, evse_id, register_mwh, transaction_id FROM meter_values ORDER BY id"
    )
    assert [tuple(row.values()) for row in found] == [
        (station.station_id, 2, 1_500_000, None),
        (station.station_id, 0, 1_500_000, None),
        (neighbour.station_id, 2, 1_500_000, None),
    ]


@pytest.mark.parametrize(
    "sample",
    [
        {"value": 1, "unitOfMeasure": {"unit": "kWh", "multiplier": 99}},
        {"value": 1, "unitOfMeasure": {"unit": "kWh", "multiplier": "3"}},
        {"value": 1, "unitOfMeasure": {"unit": "parsec"}},
        {"value": "?", "unitOfMeasure": {"multiplier": 3}},
        {"value": None, "unitOfMeasure": 7},
        {},
        "text",
    ],
)
async def test_sample_that_says_nothing_is_kept_raw(station, rows, sample):
    payload = {"evseId": 1, "meterValue": [{"timestamp": "soon", "sampledValue": [sample]}]}
    assert await ask(station, "MeterValues", payload) == {}
    (row,) = await rows("SELECT register_mwh, reported_at, reported_raw, samples FROM meter_values")
    assert (row["register_mwh"], row["reported_at"], row["reported_raw"]) == (None, None, "soon")
    assert orjson.loads(row["samples"]) == [sample]


async def test_data_transfer_of_an_unknown_vendor_is_stored_and_says_so(station, rows):
    payload = {"vendorId": "com.example", "messageId": "M", "data": {"any": ["json"]}}
    assert await ask(station, "DataTransfer", payload) == {"status": "UnknownVendorId"}
    (row,) = await rows("SELECT vendor_id, message_type, data FROM data_transfers")
    assert list(row.values()) == ["com.example", "M", '{"any":["json"]}']
