"""Kinds whose items are a transaction of our own: done once, or not at all, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from csms.domain.id_tokens import Decision, ShownToken
from csms.domain.jobs import ItemState, JobState, NewItem
from csms.jobs import views
from csms.jobs.kinds import id_token_import, station_delete, station_update
from csms.services import locations
from csms.services import stations as station_service
from csms.services.id_tokens import Settings
from csms.store import id_tokens, job_items, stations, tokens
from csms.store.database import Tx

from .conftest import PRINCIPAL, Bench


async def made(bench: Bench, number: int):
    return [await bench.station(f"CP-{place}", connect=False) for place in range(number)]


def items_of(found):
    return [NewItem(station.uuid, target=station.id) for station in found]


async def ended(bench: Bench, job):
    for seq in range(job.counters.total):
        await bench.engine.settled(job.id, seq, timeout_s=20)
    found = await views.snapshot(bench.db, job.uuid, PRINCIPAL)
    assert found.job.counters == await bench.db.read(lambda tx: job_items.count_rows(tx, job.id))
    assert found.job.counters.open == 0
    return found


def rows(number):
    return [(ShownToken(f"CARD-{place}"), Settings(Decision.ACCEPTED)) for place in range(number)]


async def test_a_failed_item_takes_no_other_along(bench: Bench) -> None:
    one, gone, two = await made(bench, 3)
    await bench.db.write(lambda tx: station_service.remove(tx, gone))
    order = station_update.submission(
        principal=PRINCIPAL, items=items_of([one, gone, two]), changes={"strict": True}
    )
    found = await ended(bench, (await bench.engine.submit(order)).job)
    assert found.job.state is JobState.DONE
    assert [row.item.state for row in found.rows] == [
        ItemState.SUCCEEDED,
        ItemState.SKIPPED_FORBIDDEN,
        ItemState.SUCCEEDED,
    ]
    changed = await bench.db.read(lambda tx: stations.find_many(tx, [one.id, two.id]))
    assert [station.strict for station in changed.values()] == [True, True]


async def test_nothing_is_done_twice_over_crashes(bench: Bench) -> None:
    order = id_token_import.submission(principal=PRINCIPAL, rows=rows(600), overwrite=False)
    job = (await bench.engine.submit(order)).job
    for _ in range(3):
        await bench.crash()
    found = await ended(bench, job)
    # Done twice, it would be refused: the token exists.
    assert {row.item.state for row in found.rows} == {ItemState.SUCCEEDED}
    kept = await bench.db.read(lambda tx: id_tokens.list_decided(tx))
    assert sorted(token.value for token in kept) == sorted(shown.value for shown, _ in rows(600))


async def test_each_deletion_is_told_once_over_crashes(bench: Bench) -> None:
    found = await made(bench, 30)
    order = station_delete.submission(principal=PRINCIPAL, items=items_of(found), force=False)
    job = (await bench.engine.submit(order)).job
    await bench.crash()
    await ended(bench, job)
    told = await bench.db.read(
        lambda tx: tx.value("SELECT count(*) FROM events WHERE type = 'station.deleted'")
    )
    assert told == 30
    assert await bench.db.read(lambda tx: stations.list_page(tx, limit=-1)) == []


async def test_who_lost_the_right_does_nothing_more(bench: Bench) -> None:
    found = await made(bench, 2)
    later = bench.clock.now() + timedelta(hours=1)
    order = station_delete.submission(principal=PRINCIPAL, items=items_of(found), force=False)
    job = (await bench.engine.submit(replace(order, not_before=later))).job
    await bench.db.write(lambda tx: tokens.revoke(tx, tokens.get(tx, PRINCIPAL.id).id))
    bench.advance(3700)
    ends = await ended(bench, job)
    assert {row.item.state for row in ends.rows} == {ItemState.SKIPPED_FORBIDDEN}
    assert len(await bench.db.read(lambda tx: stations.list_page(tx, limit=-1))) == 2


async def test_a_station_moves_to_a_live_location_only(bench: Bench) -> None:
    (station,) = await made(bench, 1)

    def place(tx: Tx) -> int:
        gone = locations.create(tx, name="Gone")
        locations.delete(tx, gone)
        return gone.id

    gone = await bench.db.write(place)
    order = station_update.submission(
        principal=PRINCIPAL, items=items_of([station]), changes={"location_id": gone}
    )
    found = await ended(bench, (await bench.engine.submit(order)).job)
    assert [(row.item.state, row.item.code) for row in found.rows] == [
        (ItemState.ERROR, "not_found")
    ]


async def test_a_failed_row_runs_again_when_asked(bench: Bench) -> None:
    order = id_token_import.submission(principal=PRINCIPAL, rows=rows(1) * 2, overwrite=False)
    job = (await bench.engine.submit(order)).job
    found = await ended(bench, job)
    assert [row.item.code for row in found.rows] == [None, "conflict"]
    token = await bench.db.read(lambda tx: id_tokens.find(tx, "card-0"))
    assert token is not None
    await bench.db.write(lambda tx: id_tokens.delete(tx, token.id))
    again = await bench.engine.retry(found.job)
    found = await ended(bench, again)
    assert [row.item.state for row in found.rows] == [ItemState.SUCCEEDED, ItemState.SUCCEEDED]
