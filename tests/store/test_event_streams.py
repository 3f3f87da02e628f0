"""However many streams a station makes up, a bounded number is remembered."""

from __future__ import annotations

from csms.domain.stations import NewStation
from csms.store import event_streams, stations
from csms.store.event_streams import MAX_PER_STATION


async def test_streams_that_nobody_opened_make_room_for_those_that_are_open(db, clock):
    station_id = (await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))).id

    def make(tx):
        event_streams.upsert(tx, station_id, 1, monitor_id=11)
        event_streams.upsert(tx, station_id, 2, monitor_id=12)
        event_streams.update_closed(tx, station_id, 2)
        for number in range(MAX_PER_STATION + 20):
            event_streams.upsert(tx, station_id, 1000 + number, monitor_id=None)

    await db.write(make)
    clock.advance(1)
    await db.write(lambda tx: event_streams.upsert(tx, station_id, 3, monitor_id=13))

    found = await db.read(lambda tx: event_streams.list_of_station(tx, station_id))
    assert len(found) == MAX_PER_STATION
    assert [one.stream_id for one in found if one.monitor_id is not None] == [1, 3]


async def test_the_stream_that_spoke_last_is_remembered(db):
    station_id = (await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))).id

    def make(tx):
        for number in range(MAX_PER_STATION * 2):
            event_streams.upsert(tx, station_id, number, monitor_id=None)
            assert event_streams.find(tx, station_id, number) is not None

    await db.write(make)
