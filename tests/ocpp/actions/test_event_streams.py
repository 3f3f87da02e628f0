"""OpenPeriodicEventStream, NotifyPeriodicEventStream, ClosePeriodicEventStream."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from csms.domain.device_model import Monitor, VariableKey
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import (
    close_periodic_event_stream,
    notify_periodic_event_stream,
    open_periodic_event_stream,
)
from csms.services import event_streams as service
from csms.services.event_streams import NewStream
from csms.store import event_streams, monitoring_events, variable_monitors, variables

V21 = OcppVersion.V21
OPEN = {
    "constantStreamData": {
        "id": 4,
        "variableMonitoringId": 11,
        "params": {"interval": 5, "values": 10},
    }
}
VALUES = {
    "id": 4,
    "pending": 2,
    "basetime": "2026-05-01T11:00:00Z",
    "data": [{"t": 0, "v": "229.8"}, {"t": 1.5, "v": "230.1"}],
}
KEY = VariableKey(component="EVSE", variable="Voltage", evse_id=1)


async def ask(station, handler, action, payload):
    station.version = V21
    found = handler(station, payload)
    answer = found if isinstance(found, dict) else await found
    assert schemas.is_valid(V21, action, "response", answer)
    return answer


async def start(station, payload=OPEN):
    return await ask(station, open_periodic_event_stream.on_v21, "OpenPeriodicEventStream", payload)


async def send(station, payload):
    """What a CALL would be answered; a SEND never is."""
    station.version = V21
    found = notify_periodic_event_stream.on_v21(station, payload)
    assert (found if isinstance(found, dict) else await found) == {}


async def close(station, payload):
    return await ask(
        station, close_periodic_event_stream.on_v21, "ClosePeriodicEventStream", payload
    )


async def streams(db, station):
    return await db.read(lambda tx: event_streams.list_of_station(tx, station.station_id))


async def seen(db, station):
    found = await db.read(
        lambda tx: monitoring_events.list_of_station(tx, station.station_id, limit=100)
    )
    return list(reversed(found))


async def test_a_stream_is_noted_with_its_monitor_and_pace(station, db):
    assert schemas.is_valid(V21, "OpenPeriodicEventStream", "request", OPEN)
    assert await start(station) == {"status": "Accepted"}
    (stream,) = await streams(db, station)
    assert (stream.stream_id, stream.monitor_id, stream.interval_s, stream.max_values) == (
        4,
        11,
        5,
        10,
    )
    assert stream.closed_at is None


@pytest.mark.parametrize(
    "payload", [{}, {"constantStreamData": []}, {"constantStreamData": {"id": 4}}]
)
async def test_a_stream_without_an_id_or_a_monitor_is_rejected(station, db, payload):
    assert await start(station, payload) == {"status": "Rejected"}
    assert await streams(db, station) == []


async def test_values_are_stored_as_what_their_monitor_saw(station, db):
    def know(tx):
        variable_id = variables.insert(tx, station.station_id, KEY)
        monitor = Monitor(
            id=11,
            key=KEY,
            type="Periodic",
            value=1,
            severity=8,
            in_transaction=False,
            origin=None,
        )
        variable_monitors.upsert(tx, station.station_id, variable_id, monitor)

    await db.write(know)
    await start(station)
    assert schemas.is_valid(V21, "NotifyPeriodicEventStream", "request", VALUES)
    await send(station, VALUES)
    found = await seen(db, station)
    assert [(one.actual_value, one.trigger, one.monitor_id) for one in found] == [
        ("229.8", "Periodic", 11),
        ("230.1", "Periodic", 11),
    ]
    assert [one.key for one in found] == [KEY, KEY]
    assert [one.severity for one in found] == [8, 8]
    assert [one.reported_at for one in found] == [
        datetime(2026, 5, 1, 11, tzinfo=UTC),
        datetime(2026, 5, 1, 11, 0, 1, 500_000, tzinfo=UTC),
    ]
    (stream,) = await streams(db, station)
    assert stream.pending == 2


async def test_values_of_a_stream_that_nobody_opened_are_kept(station, db):
    await send(station, VALUES)
    assert [one.monitor_id for one in await seen(db, station)] == [None, None]
    (stream,) = await streams(db, station)
    assert (stream.stream_id, stream.monitor_id) == (4, None)


@pytest.mark.parametrize(
    "flaw",
    [
        {"basetime": "yesterday"},
        {"data": [{"t": "soon", "v": 5}, {"t": 1e300}]},
        {"data": [{"t": float("inf"), "v": "1"}, {}]},
        {"pending": "many", "basetime": None},
    ],
)
async def test_what_is_not_readable_of_a_value_is_kept_raw(station, db, flaw):
    await start(station)
    await send(station, {**VALUES, **flaw})
    found = await seen(db, station)
    assert [one.reported_at for one in found] == (
        [datetime(2026, 5, 1, 11, tzinfo=UTC), datetime(2026, 5, 1, 11, 0, 1, 500_000, tzinfo=UTC)]
        if set(flaw) == {"pending"}
        else [None, None]
    )


@pytest.mark.parametrize("payload", [{}, {"id": "x"}, {"id": 4, "data": 5}])
async def test_a_message_without_values_stores_none(station, db, payload):
    await send(station, payload)
    assert await seen(db, station) == []


async def test_a_closed_stream_stays_in_the_list_with_its_end(station, db, clock):
    await start(station)
    for _ in range(2):
        assert await close(station, {"id": 4}) == {}
        clock.advance(60)
    (stream,) = await streams(db, station)
    assert stream.closed_at == datetime(2026, 5, 1, 12, tzinfo=UTC)
    await start(station)
    (stream,) = await streams(db, station)
    assert stream.closed_at is None


@pytest.mark.parametrize("payload", [{}, {"id": 99}, {"id": "x"}])
async def test_closing_what_is_not_open_is_answered(station, db, payload):
    assert await close(station, payload) == {}
    assert await streams(db, station) == []


async def test_streams_of_another_station_are_others(station, neighbour, db):
    await start(station)
    await close(neighbour, {"id": 4})
    await send(neighbour, VALUES)
    assert [one.closed_at for one in await streams(db, station)] == [None]
    assert await seen(db, station) == []


async def test_what_the_station_does_not_list_is_closed(station, db):
    await start(station)
    await db.write(lambda tx: service.reported(tx, station.station_id, [NewStream(5, 12, None, 3)]))
    found = await streams(db, station)
    assert [(one.stream_id, one.closed_at is None) for one in found] == [(4, False), (5, True)]
