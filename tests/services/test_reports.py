"""Reports in parts: whatever the order, the repetitions and the gaps."""

from __future__ import annotations

import itertools

import pytest

from csms.domain.multipart import MAX_PARTS, Part, ReportKind, ReportState, state_of
from csms.domain.stations import NewStation
from csms.events import Event
from csms.services import reports
from csms.store import reports as store
from csms.store import stations

KIND = ReportKind.VARIABLES


def part(seq_no, *, more=True, raw=None, request_id=7, kind=KIND):
    return Part(kind, request_id, seq_no, more, None, raw or f'"part {seq_no}"')


@pytest.fixture
async def station_id(db):
    return (await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))).id


@pytest.fixture
def receive(db, station_id):
    async def send(*args, to=None, **more):
        one = part(*args, **more)
        return await db.write(lambda tx: reports.receive(tx, to or station_id, one))

    return send


@pytest.fixture
def newest(db, station_id):
    async def find(kind=KIND):
        return await db.read(lambda tx: store.find_newest(tx, station_id, kind))

    return find


@pytest.fixture
def parts(db):
    async def read(report_id):
        return await db.read(lambda tx: store.list_parts(tx, report_id))

    return read


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_report_is_complete_with_its_last_missing_part_whatever_the_order(
    receive, parts, order
):
    results = [await receive(number, more=number < 2) for number in order]
    assert [result.completed for result in results] == [False, False, True]
    assert len({result.report_id for result in results}) == 1
    assert await parts(results[0].report_id) == ['"part 0"', '"part 1"', '"part 2"']


async def test_completion_is_told_once(receive, bus):
    seen = []
    bus.subscribe(Event, seen.append)
    for number in (0, 1, 1, 0):
        await receive(number, more=number < 1)
    assert [(event.type, event.data["kind"], event.data["request_id"]) for event in seen] == [
        ("report.completed", "variables", 7)
    ]


async def test_a_repeated_part_is_not_new(receive, parts):
    first = await receive(0)
    again = await receive(0)
    assert (first.new, again.new, again.report_id) == (True, False, first.report_id)
    assert await parts(first.report_id) == ['"part 0"']


async def test_a_report_that_never_starts_at_zero_is_partial_after_a_while(
    receive, newest, parts, clock
):
    await receive(1)
    await receive(2, more=False)
    assert state_of(await newest(), clock.now()) is ReportState.RECEIVING
    clock.advance(301)
    found = await newest()
    assert state_of(found, clock.now()) is ReportState.PARTIAL
    assert await parts(found.id) == ['"part 1"', '"part 2"']


async def test_a_report_that_never_ends_is_partial_until_its_end_comes(receive, newest, clock):
    await receive(0)
    clock.advance(86400)
    assert state_of(await newest(), clock.now()) is ReportState.PARTIAL
    await receive(1, more=False)
    assert state_of(await newest(), clock.now()) is ReportState.COMPLETE


async def test_a_station_that_never_says_to_be_continued_loses_no_part(receive, parts):
    results = [await receive(number, more=False) for number in range(3)]
    assert [result.completed for result in results] == [True, False, False]
    assert len(await parts(results[0].report_id)) == 3


async def test_the_same_request_answered_again_is_a_report_of_its_own(receive, parts):
    first = [await receive(0), await receive(1, more=False)]
    second = [await receive(0, raw='"new 0"'), await receive(1, more=False, raw='"new 1"')]
    assert first[0].report_id != second[0].report_id
    assert await parts(first[0].report_id) == ['"part 0"', '"part 1"']
    assert await parts(second[0].report_id) == ['"new 0"', '"new 1"']


async def test_a_report_that_begins_again_before_its_end_is_another_one(receive, parts):
    broken_off = await receive(0)
    await receive(0, raw='"new 0"')
    second = await receive(1, more=False)
    assert second.completed
    assert await parts(second.report_id) == ['"new 0"', '"part 1"']
    assert await parts(broken_off.report_id) == ['"part 0"']


@pytest.mark.parametrize("number", [None, -1, MAX_PARTS, 2**62])
async def test_parts_without_a_number_keep_the_order_they_came_in(receive, parts, number):
    for text in ("a", "b", "b", "c"):
        received = await receive(number, raw=f'"{text}"', more=text < "c")
    assert received.completed
    assert await parts(received.report_id) == ['"a"', '"b"', '"c"']
    again = await receive(number, raw='"c"', more=False)
    assert (again.new, again.report_id) == (False, received.report_id)
    other = await receive(number, raw='"a"', more=False)
    assert other.report_id != received.report_id


async def test_a_part_beyond_the_last_place_still_counts_and_can_end_the_report(
    receive, parts, monkeypatch
):
    monkeypatch.setattr(reports, "MAX_PARTS", 2)
    received = [await receive(None, raw=f'"{text}"', more=text < "d") for text in "abcd"]
    assert [one.new for one in received] == [True] * 4
    assert [one.completed for one in received] == [False, False, False, True]
    assert await parts(received[-1].report_id) == ['"a"', '"d"']


async def test_requests_and_kinds_and_stations_are_kept_apart(db, receive):
    neighbour = (await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-2")))).id
    received = [
        await receive(0),
        await receive(0, request_id=8),
        await receive(0, kind=ReportKind.MONITORS),
        await receive(0, to=neighbour),
    ]
    assert len({one.report_id for one in received}) == 4


async def test_a_requested_report_is_there_before_its_first_part(db, station_id, receive, clock):
    def expect(tx):
        return reports.expect(tx, station_id, KIND, 7, '{"requestId":7}')

    expected = await db.write(expect)
    assert (await receive(0, more=False)).report_id == expected
    assert await db.write(expect) == expected  # a repeated request after a lost answer
    found = await db.read(lambda tx: store.get(tx, expected))
    assert (found.requested_at, found.complete) == (clock.now(), True)


async def test_parts_that_overtake_the_answer_belong_to_the_request(db, station_id, receive, clock):
    received = await receive(0, more=False)
    report_id = await db.write(lambda tx: reports.expect(tx, station_id, KIND, 7, "{}"))
    found = await db.read(lambda tx: store.get(tx, report_id))
    assert (report_id, found.requested_at) == (received.report_id, clock.now())


async def test_only_the_newest_reports_of_a_kind_are_kept(db, station_id, receive):
    await receive(0, kind=ReportKind.MONITORS)
    for request_id in range(reports.KEPT + 3):
        await receive(0, request_id=request_id)
    kept = await db.read(lambda tx: store.list_of_station(tx, station_id, KIND))
    assert [one.request_id for one in kept] == list(range(reports.KEPT + 2, 2, -1))
    assert len(await db.read(lambda tx: store.list_of_station(tx, station_id))) == reports.KEPT + 1
