from __future__ import annotations

import pytest

from csms.events import Event
from csms.ocpp.actions import start_transaction, status_notification
from csms.store import connectors


def status(word, connector=1, **more):
    return {
        "connectorId": connector,
        "status": word,
        "errorCode": "NoError",
        "timestamp": "2026-05-01T11:59:00Z",
        **more,
    }


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Available", "Available"),
        ("Preparing", "Occupied"),
        ("Charging", "Occupied"),
        ("SuspendedEV", "Occupied"),
        ("SuspendedEVSE", "Occupied"),
        ("Finishing", "Occupied"),
        ("Reserved", "Reserved"),
        ("Unavailable", "Unavailable"),
        ("Faulted", "Faulted"),
    ],
)
async def test_nine_words_fold_into_five_and_the_word_is_kept(station, db, word, folded):
    assert await status_notification.on_v16(station, status(word)) == {}
    (found,) = await db.read(lambda tx: connectors.list_of_station(tx, station.station_id))
    assert (found.evse_id, found.connector_id) == (1, 1)
    assert (found.status.value, found.reported_status) == (folded, word)


async def test_event_only_when_something_changed_but_history_always(station, events, rows):
    for word in ("Available", "Available", "Preparing", "Preparing"):
        await status_notification.on_v16(station, status(word))
    assert [event.data["reported_status"] for event in events] == ["Available", "Preparing"]
    assert len(await rows("SELECT * FROM status_notifications")) == 4


async def test_connector_zero_is_the_whole_station(station, events, db):
    await status_notification.on_v16(station, status("Unavailable", connector=0))
    (found,) = await db.read(lambda tx: connectors.list_of_station(tx, station.station_id))
    assert (found.evse_id, found.connector_id) == (0, 0)
    assert events[0].data["evse_id"] is None


async def test_charging_state_of_the_open_transaction_follows_the_status(station, events, rows):
    await start_transaction.on_v16(
        station,
        {
            "connectorId": 1,
            "idTag": "T",
            "meterStart": 0,
            "timestamp": "2026-05-01T12:00:00Z",
        },
    )
    for word in ("Charging", "Charging", "SuspendedEV", "Finishing"):
        await status_notification.on_v16(station, status(word))
    await status_notification.on_v16(station, status("Charging", connector=2))
    states = [e.data["charging_state"] for e in events if e.type == "transaction.updated"]
    assert states == ["Charging", "SuspendedEV", None]
    (row,) = await rows("SELECT charging_state FROM transactions")
    assert row["charging_state"] is None
    types = await rows("SELECT type FROM transaction_events ORDER BY id")
    assert [row["type"] for row in types] == ["Started", "Updated", "Updated", "Updated"]


async def test_nonsense_is_stored_and_answered(station, rows):
    for payload in (
        {},
        {"connectorId": "x", "status": "", "errorCode": 3},
        status("Plugged", errorCode="Error", timestamp="2022-02-29T00:00:00Z"),
        status("Available", connector=2**62),
        status("Available", connector=-4),
    ):
        assert await status_notification.on_v16(station, payload) == {}
    history = await rows("SELECT * FROM status_notifications ORDER BY id")
    assert len(history) == 5
    assert (history[2]["reported_status"], history[2]["status"]) == ("Plugged", "Unavailable")
    assert (history[2]["error_code"], history[2]["reported_at"]) == ("Error", None)
    assert {row["evse_id"] for row in await rows("SELECT evse_id FROM connectors")} == {0, 1}
