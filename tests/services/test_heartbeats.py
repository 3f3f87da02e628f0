from __future__ import annotations

import pytest

from csms.clock import to_micros
from csms.domain.stations import NewStation
from csms.errors import StorageFull
from csms.services.heartbeats import Heartbeats
from csms.store import stations


async def test_flush_writes_the_newest_of_each_station_in_one_unit(db, clock):
    made = [
        await db.write(lambda tx, n=n: stations.insert(tx, NewStation(f"S{n}"))) for n in range(3)
    ]
    heartbeats = Heartbeats(db, clock)
    for station in made:
        heartbeats.note(station.id)
    clock.advance(5)
    heartbeats.note(made[0].id)
    assert heartbeats.last(made[0].id) == to_micros(clock.now())
    units = db.stats.units
    assert await heartbeats.flush() == 3
    assert db.stats.units == units + 1
    found = await db.read(lambda tx: stations.get(tx, made[0].id))
    assert found.last_heartbeat_at == clock.now()
    assert await heartbeats.flush() == 0


async def test_failed_flush_keeps_what_it_could_not_write(db, clock, monkeypatch):
    station = await db.write(lambda tx: stations.insert(tx, NewStation("S")))
    heartbeats = Heartbeats(db, clock)
    heartbeats.note(station.id)

    async def full(fn):
        clock.advance(1)
        heartbeats.note(station.id)
        raise StorageFull("full")

    with monkeypatch.context() as patched:
        patched.setattr(db, "write", full)
        with pytest.raises(StorageFull):
            await heartbeats.flush()
    assert await heartbeats.flush() == 1
    found = await db.read(lambda tx: stations.get(tx, station.id))
    assert found.last_heartbeat_at == clock.now()
