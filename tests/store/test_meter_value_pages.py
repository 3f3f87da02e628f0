"""Pages of sampled values by number: the same as a part of the whole list, wherever it is."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from csms.clock import from_micros
from csms.domain.stations import NewStation
from csms.services import stations
from csms.store import meter_value_pages as store
from csms.store.meter_value_pages import Wanted

if TYPE_CHECKING:
    from csms.store.database import Database, ReadTx

READINGS = 400
SAMPLES = ("[]", '[{"value":"1"}]', '[{"value":"1"},{"value":"2","measurand":"Voltage"}]', "odd")


@pytest.fixture
async def station_id(db: Database) -> int:
    random = Random(1)

    def fill(tx: Any) -> int:
        number = stations.create(tx, NewStation("CP-1")).id
        for row in range(READINGS):
            # Some told no time, some the same time, and the clock was wrong once.
            at = None if row % 50 == 7 else (row // 3) * 1_000_000 if row % 90 else 1
            tx.run(
                "INSERT INTO meter_values (station_id, evse_id, reported_at, received_at, context,"
                " samples) VALUES (?, ?, ?, ?, 'Sample.Periodic', ?)",
                (number, row, at, row * 300_000, random.choice(SAMPLES)),
            )
        return number

    return await db.write(fill)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PAGE", 5)


@pytest.mark.parametrize("measurand", [None, "Voltage"])
@pytest.mark.parametrize("window", [(None, None), (20_000_000, 90_000_000)])
async def test_each_page_is_a_part_of_the_whole(
    db: Database,
    station_id: int,
    quick: None,
    measurand: str | None,
    window: tuple[int | None, int | None],
) -> None:
    since, before = (None if one is None else from_micros(one) for one in window)
    wanted = Wanted(station_id, since=since, before=before)

    def read(tx: ReadTx) -> None:
        whole, total = store.list_samples(tx, wanted, measurand, limit=10_000)
        assert total == len(whole) > 20
        for one in range(0, len(whole) + 20, 7):
            found = store.list_samples(tx, wanted, measurand, limit=7, offset=one)
            assert found == (whole[one : one + 7], total)

    await db.read(read)


async def test_readings_that_are_all_of_one_time_are_paged_too(
    db: Database, station_id: int, quick: None
) -> None:
    await db.write(lambda tx: tx.run("UPDATE meter_values SET reported_at = 1"))
    wanted = Wanted(station_id)

    def read(tx: ReadTx) -> None:
        whole, total = store.list_samples(tx, wanted, None, limit=10_000)
        found = store.list_samples(tx, wanted, None, limit=9, offset=100)
        assert found == (whole[100:109], total)

    await db.read(read)
