"""StartTransaction and StopTransaction."""

from __future__ import annotations

import pytest

from csms.clock import EPOCH
from csms.domain.id_tokens import AuthorizationStatus
from csms.domain.transactions import TransactionFlag
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import meter_values, start_transaction, stop_transaction
from csms.store import id_tokens, transactions


def start(connector=1, tag="TAG1", register=1000, at="2026-05-01T10:00:00Z", **more):
    return {
        "connectorId": connector,
        "idTag": tag,
        "meterStart": register,
        "timestamp": at,
        **more,
    }


def stop(number, register=5000, at="2026-05-01T11:00:00Z", **more):
    return {"transactionId": number, "meterStop": register, "timestamp": at, **more}


async def begin(station, **fields):
    answer = await start_transaction.on_v16(station, start(**fields))
    return answer["transactionId"]


async def find(station, number):
    return await station.db.read(lambda tx: transactions.find(tx, station.station_id, str(number)))


@pytest.fixture
def conflicts(rows):
    async def read():
        found = await rows("SELECT * FROM transaction_conflicts ORDER BY id")
        return [(row["action"], row["cause"], row["station_transaction_id"]) for row in found]

    return read


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


async def test_start_and_stop_make_one_transaction_with_its_energy(station, events, rows):
    answer = await start_transaction.on_v16(station, start())
    assert schemas.checker(station.version, "StartTransaction", "response")(answer)
    assert answer["idTagInfo"] == {"status": "Accepted"}
    number = answer["transactionId"]
    assert 1 <= number < 2**31
    answer = await stop_transaction.on_v16(
        station, stop(number, register=5500, idTag="TAG1", reason="EVDisconnected")
    )
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    found = await find(station, number)
    assert not found.is_open
    assert found.energy_mwh == 4_500_000
    assert (found.stop_reason, found.evse_id, found.flags) == ("EVDisconnected", 1, frozenset())
    assert [event.type for event in events] == ["transaction.started", "transaction.ended"]
    assert events[1].data["energy_wh"] == 4500.0
    stored = await rows("SELECT type, raw FROM transaction_events ORDER BY id")
    assert [row["type"] for row in stored] == ["Started", "Ended"]
    assert "EVDisconnected" in stored[1]["raw"]


async def test_repeated_start_gets_the_same_id_also_after_the_stop(station, rows):
    first = await start_transaction.on_v16(station, start())
    again = await start_transaction.on_v16(station, start(tag="tag1 "))
    await stop_transaction.on_v16(station, stop(first["transactionId"]))
    late = await start_transaction.on_v16(station, start(at="2026-05-01T12:00:00+02:00"))
    assert first == again == late
    assert len(await rows("SELECT * FROM transactions")) == 1
    assert len(await rows("SELECT * FROM issued_transaction_ids")) == 1


async def test_repeated_start_does_not_meet_its_own_concurrent_tx(connect):
    station = await connect("ONE", max_transactions_per_id_token=1)
    first = await start_transaction.on_v16(station, start())
    again = await start_transaction.on_v16(station, start())
    other = await start_transaction.on_v16(station, start(connector=2))
    assert first == again
    assert first["idTagInfo"]["status"] == "Accepted"
    assert other["idTagInfo"]["status"] == "ConcurrentTx"


async def test_refused_tag_gets_an_id_and_a_row(station, db):
    await db.write(lambda tx: id_tokens.insert(tx, "LOST", status=AuthorizationStatus.BLOCKED))
    answer = await start_transaction.on_v16(station, start(tag="lost"))
    assert answer["idTagInfo"] == {"status": "Blocked"}
    found = await find(station, answer["transactionId"])
    assert found.is_open
    assert found.id_token_status == "Blocked"


async def test_ids_are_never_given_out_twice(station, db, monkeypatch):
    drawn = iter([4, 4, 4, 8])
    monkeypatch.setattr(transactions.secrets, "randbelow", lambda _: next(drawn))
    first = await begin(station, at="2026-05-01T10:00:00Z")
    second = await begin(station, at="2026-05-01T10:30:00Z")
    assert (first, second) == (5, 9)


BAD_IDS = [-1, 0, 2**63 - 1, -(2**63), 4711, "x", None, 1.5, [1], True]


@pytest.mark.parametrize("number", BAD_IDS)
async def test_stop_with_an_unknown_id_is_answered_and_recorded(station, conflicts, number):
    assert await stop_transaction.on_v16(station, stop(number)) == {}
    ((action, cause, _),) = await conflicts()
    assert (action, cause) == ("StopTransaction", "unknown_transaction")


@pytest.mark.parametrize("number", BAD_IDS)
async def test_stop_with_an_unknown_id_ends_the_only_transaction_it_can_mean(station, rows, number):
    running = await begin(station)
    for _ in range(2):
        answer = await stop_transaction.on_v16(station, stop(number, idTag="tag1"))
        assert answer == {"idTagInfo": {"status": "Accepted"}}
    ended = await find(station, running)
    assert (ended.energy_mwh, ended.flags) == (4_000_000, {TransactionFlag.PAIRED})
    (entry,) = await rows("SELECT resolution, transaction_id, repeats FROM transaction_conflicts")
    assert tuple(entry.values()) == ("paired", ended.id, 1)


async def test_stop_that_had_no_start_makes_one_transaction(station, rows, events):
    began = {"value": "1500", "context": "Transaction.Begin"}
    data = [{"timestamp": "2026-05-01T10:30:00Z", "sampledValue": [began]}]
    for _ in range(2):
        await stop_transaction.on_v16(station, stop(0, idTag="", transactionData=data))
        await station.db.write(lambda tx: tx.run("DELETE FROM transaction_conflicts"))
    (row,) = await rows("SELECT station_transaction_id FROM transactions")
    found = await find(station, row["station_transaction_id"])
    assert (found.is_open, found.energy_mwh, found.evse_id) == (False, 3_500_000, None)
    assert found.flags == {TransactionFlag.START_MISSING}
    assert [event.type for event in events if event.type.startswith("transaction.")] == [
        "transaction.ended"
    ]


async def test_one_stop_under_many_ids_makes_one_transaction(station, rows):
    for number in (-7, -8, -9):
        await stop_transaction.on_v16(station, stop(number, idTag="TAG1"))
    (made,) = await rows("SELECT id FROM transactions")
    entries = await rows("SELECT resolution, transaction_id FROM transaction_conflicts ORDER BY id")
    assert [tuple(entry.values()) for entry in entries] == [
        (None, made["id"]),
        ("paired", made["id"]),
        ("paired", made["id"]),
    ]


async def test_stop_that_was_applied_makes_nothing_under_another_id(station, rows):
    number = await begin(station)
    await stop_transaction.on_v16(station, stop(number, idTag="TAG1"))
    later = await begin(station, at="2026-05-01T10:59:00Z", connector=2)
    await stop_transaction.on_v16(station, stop(-1, idTag="TAG1"))
    assert (await find(station, later)).is_open
    assert len(await rows("SELECT id FROM transactions")) == 2
    ended = await find(station, number)
    (entry,) = await rows("SELECT resolution, transaction_id FROM transaction_conflicts")
    assert tuple(entry.values()) == ("paired", ended.id)


async def test_stops_without_a_meter_are_not_taken_for_one(station, rows):
    for number in (-7, -8):
        await stop_transaction.on_v16(station, stop(number, register=0))
    assert len(await rows("SELECT id FROM transactions")) == 2


def lonely_stop(number=-1, register=5000):
    """A stop that brings the sample of its start along."""
    began = {"value": "1000", "context": "Transaction.Begin"}
    data = [{"timestamp": "2026-05-01T10:00:02Z", "sampledValue": [began]}]
    return stop(number, register=register, idTag="TAG1", transactionData=data)


async def test_a_late_start_begins_the_transaction_that_was_made_of_its_stop(station, rows):
    await stop_transaction.on_v16(station, lonely_stop())
    for _ in range(2):
        answer = await start_transaction.on_v16(station, start(connector=2, reservationId=9))
        assert answer["idTagInfo"] == {"status": "Accepted"}
    found = await find(station, answer["transactionId"])
    assert (found.is_open, found.energy_mwh, found.evse_id) == (False, 4_000_000, 2)
    assert (found.reservation_id, found.flags) == (9, frozenset())
    await stop_transaction.on_v16(station, lonely_stop())
    await stop_transaction.on_v16(station, lonely_stop(answer["transactionId"]))
    assert len(await rows("SELECT id FROM transactions")) == 1
    (entry,) = await rows("SELECT resolution, transaction_id FROM transaction_conflicts")
    assert tuple(entry.values()) == ("paired", found.id)


@pytest.mark.parametrize(
    "fields",
    [
        {"tag": "OTHER"},
        {"register": 1001},
        {"at": "2026-05-01T10:02:00Z"},
        {"at": "2026-05-01T11:00:01Z"},
    ],
)
async def test_another_start_begins_a_transaction_of_its_own(station, rows, fields):
    await stop_transaction.on_v16(station, lonely_stop())
    number = await begin(station, **fields)
    assert (await find(station, number)).is_open
    assert len(await rows("SELECT id FROM transactions")) == 2


@pytest.mark.parametrize("sql", ["awaiting", "ended", "startless"])
async def test_looking_for_the_meaning_of_a_stop_reads_by_an_index(station, sql):
    looks = {
        "awaiting": lambda tx: transactions.list_awaiting_stop(tx, 1),
        "ended": lambda tx: transactions.list_ended_at(tx, 1, EPOCH, 1),
        "startless": lambda tx: transactions.list_startless(tx, 1),
    }
    asked = []

    class Watching:
        def __init__(self, tx):
            self.tx = tx

        def all(self, statement, params):
            asked.extend(self.tx.all("EXPLAIN QUERY PLAN " + statement, params))
            return []

    await station.db.read(lambda tx: looks[sql](Watching(tx)))
    assert asked
    assert [row["detail"] for row in asked if row["detail"].startswith("SCAN")] == []
    assert all(
        "transactions_" in row["detail"] or "INTEGER PRIMARY KEY" in row["detail"]
        for row in asked
        if row["detail"].startswith("SEARCH")
    )


async def test_stop_that_two_could_mean_makes_none(station, rows):
    await begin(station)
    await begin(station, connector=2)
    await stop_transaction.on_v16(station, stop(-1))
    assert len(await rows("SELECT * FROM transactions")) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"idTag": "OTHER"},
        {"at": "2026-05-01T09:59:00Z"},
        {"at": "1970-01-01T00:00:07Z"},
        {"register": 999},
        {"register": -1},
    ],
)
async def test_stop_that_does_not_fit_ends_nothing(station, rows, fields):
    running = await begin(station)
    await stop_transaction.on_v16(station, stop(-1, **fields))
    assert (await find(station, running)).is_open
    assert await rows("SELECT resolution FROM transaction_conflicts") == [{"resolution": None}]


async def test_stop_with_an_id_of_another_system_is_paired_only_by_its_token(station):
    running = await begin(station)
    await stop_transaction.on_v16(station, stop(4711))
    assert (await find(station, running)).is_open


async def test_stop_that_fits_two_transactions_ends_none(station):
    first = await begin(station)
    second = await begin(station, connector=2)
    await stop_transaction.on_v16(station, stop(-1))
    assert (await find(station, first)).is_open
    assert (await find(station, second)).is_open


async def test_stop_is_never_paired_across_stations(station, neighbour):
    running = await begin(station)
    await stop_transaction.on_v16(neighbour, stop(-1, idTag="TAG1"))
    assert (await find(station, running)).is_open


async def test_own_stop_replaces_a_paired_one_which_then_waits_for_a_person(station, rows):
    running = await begin(station)
    data = [{"timestamp": "2026-05-01T10:30:00Z", "sampledValue": [{"value": "3000"}]}]
    await stop_transaction.on_v16(station, stop(-1, register=4000, transactionData=data))
    await stop_transaction.on_v16(station, stop(running, register=6000))
    ended = await find(station, running)
    assert (ended.energy_mwh, ended.flags) == (5_000_000, frozenset())
    entries = await rows("SELECT resolution, transaction_id FROM transaction_conflicts")
    assert entries == [{"resolution": None, "transaction_id": None}]


async def test_stop_with_the_id_of_another_station_changes_nothing(station, neighbour, conflicts):
    number = await begin(station)
    for guess in (number, number + 1, number - 1):
        assert await stop_transaction.on_v16(neighbour, stop(guess)) == {}
    assert (await find(station, number)).is_open
    assert (await conflicts())[0] == (
        "StopTransaction",
        "foreign_transaction",
        str(number),
    )


async def test_first_stop_stays_and_a_different_second_one_is_a_conflict(station, conflicts):
    number = await begin(station)
    await stop_transaction.on_v16(station, stop(number, register=5000))
    assert await stop_transaction.on_v16(station, stop(number, register=5000)) == {}
    assert await conflicts() == []
    assert await stop_transaction.on_v16(station, stop(number, register=9000)) == {}
    assert (await find(station, number)).end_register_mwh == 5_000_000
    assert await conflicts() == [("StopTransaction", "already_ended", str(number))]


async def test_repeated_conflict_is_counted_not_stored_again(station, rows):
    for _ in range(3):
        await stop_transaction.on_v16(station, stop(-1))
    await stop_transaction.on_v16(station, stop(-1, register=7))
    found = await rows("SELECT repeats FROM transaction_conflicts ORDER BY id")
    assert [row["repeats"] for row in found] == [2, 0]


async def test_stop_is_never_refused_for_its_tag(station, rows):
    for tag in ("HardReset", "TAG1\x00\x01", "", None, 7):
        number = await begin(station, at=f"2026-05-01T10:00:0{len(str(tag))}Z")
        answer = await stop_transaction.on_v16(station, stop(number, idTag=tag))
        assert answer in ({}, {"idTagInfo": {"status": "Accepted"}})
        assert not (await find(station, number)).is_open
    assert [row["value"] for row in await rows("SELECT value FROM id_tokens")] == ["TAG1"]


@pytest.mark.parametrize(
    ("begin_at", "end_at", "energy", "flags"),
    [
        (1000, 999, None, {TransactionFlag.NEGATIVE_ENERGY}),
        (1000, 1000, 0, set()),
        (-1, 500, None, {TransactionFlag.REGISTER_SUSPECT}),
        (500, -1, None, {TransactionFlag.REGISTER_SUSPECT}),
        (0, 2**62, None, {TransactionFlag.REGISTER_SUSPECT}),
        ("x", None, None, {TransactionFlag.REGISTER_SUSPECT}),
        ("500", 600.5, 100_500, set()),
    ],
)
async def test_energy_is_known_or_none_but_never_negative(station, begin_at, end_at, energy, flags):
    number = await begin(station, register=begin_at)
    await stop_transaction.on_v16(station, stop(number, register=end_at))
    found = await find(station, number)
    assert found.energy_mwh == energy
    assert found.flags == flags


@pytest.mark.parametrize("at", ["2022-02-29T10:00:00Z", "1970-01-01T00:00:07Z", None, 17, "soon"])
async def test_without_a_clock_the_transaction_is_flagged_and_still_one(station, at):
    number = await begin(station, at=at)
    assert await begin(station, at=at) == number
    await stop_transaction.on_v16(station, stop(number, at=at))
    found = await find(station, number)
    assert not found.is_open
    assert (found.started_at, found.ended_at) == (None, None)
    assert TransactionFlag.CLOCK_SUSPECT in found.flags
    # A dead clock says the same at the next transaction too.
    assert await begin(station, at=at) != number


async def test_next_start_on_the_evse_ends_a_transaction_whose_stop_was_lost(station, events):
    first = await begin(station)
    await meter_values.on_v16(
        station,
        {
            "connectorId": 1,
            "transactionId": first,
            "meterValue": [
                {"timestamp": "2026-05-01T10:10:00Z", "sampledValue": [{"value": "1700"}]}
            ],
        },
    )
    other = await begin(station, connector=2, at="2026-05-01T10:20:00Z")
    await begin(station, at="2026-05-01T10:30:00Z")
    ended = await find(station, first)
    assert ended.flags == {TransactionFlag.INFERRED_END}
    assert ended.energy_mwh == 700_000
    assert (await find(station, other)).is_open
    assert [e.data["inferred"] for e in events if e.type == "transaction.ended"] == [True]


async def test_late_stop_replaces_an_inferred_end(station, conflicts):
    first = await begin(station)
    await begin(station, at="2026-05-01T10:30:00Z")
    await stop_transaction.on_v16(station, stop(first, at="2026-05-01T10:29:00Z", register=1800))
    found = await find(station, first)
    assert found.flags == frozenset()
    assert (found.energy_mwh, found.stop_reason) == (800_000, "Local")
    assert await conflicts() == []


async def test_start_from_the_backlog_does_not_end_a_later_transaction(station):
    later = await begin(station, at="2026-05-01T11:00:00Z")
    await begin(station, at="2026-05-01T09:00:00Z")
    assert (await find(station, later)).is_open


async def test_samples_of_the_stop_belong_to_the_transaction(station, rows):
    number = await begin(station)
    data = [
        {
            "timestamp": "2026-05-01T10:00:00Z",
            "sampledValue": [{"value": "1000", "context": "Transaction.Begin"}],
        },
        {
            "timestamp": "2026-05-01T11:00:00Z",
            "sampledValue": [{"value": "5.0", "unit": "kWh", "context": "Transaction.End"}],
        },
    ]
    await stop_transaction.on_v16(station, stop(number, transactionData=data))
    found = await rows("SELECT context, register_mwh, transaction_id FROM meter_values ORDER BY id")
    transaction = await find(station, number)
    assert [tuple(row.values()) for row in found] == [
        ("Transaction.Begin", 1_000_000, transaction.id),
        ("Transaction.End", 5_000_000, transaction.id),
    ]


async def test_start_with_nothing_in_it_gets_an_id(station):
    answer = await start_transaction.on_v16(station, {})
    assert schemas.checker(station.version, "StartTransaction", "response")(answer)
