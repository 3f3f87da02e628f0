from __future__ import annotations

import orjson
import pytest

from csms.domain.transactions import TransactionFlag
from csms.ocpp.actions import meter_values, start_transaction, stop_transaction
from csms.store import transactions


def values(samples, *, number=None, connector=1, at="2026-05-01T10:10:00Z"):
    payload = {
        "connectorId": connector,
        "meterValue": [{"timestamp": at, "sampledValue": samples}],
    }
    if number is not None:
        payload["transactionId"] = number
    return payload


async def start(station, at):
    message = {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": at}
    return (await start_transaction.on_v16(station, message))["transactionId"]


@pytest.fixture
async def number(station):
    return await start(station, at="2026-05-01T10:00:00Z")


@pytest.fixture
def stored(rows):
    async def read():
        return await rows("SELECT * FROM meter_values ORDER BY id")

    return read


@pytest.fixture
def conflicts(rows):
    async def read():
        return await rows("SELECT cause, repeats FROM transaction_conflicts ORDER BY id")

    return read


async def transaction_of(station, number):
    return await station.db.read(lambda tx: transactions.find(tx, station.station_id, str(number)))


async def stop(station, number):
    await stop_transaction.on_v16(
        station,
        {"transactionId": number, "meterStop": 5000, "timestamp": "2026-05-01T11:00:00Z"},
    )


SAMPLES = [
    {"value": "2500.5"},
    {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"},
    {"value": "10.5", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
    {"value": "11.5", "measurand": "Current.Import", "phase": "L2", "unit": "A"},
    {"value": "99", "measurand": "Current.Import", "phase": "N", "unit": "A"},
    {"value": "55", "measurand": "SoC", "unit": "Percent", "location": "EV"},
]


async def test_one_row_holds_an_instant_and_all_of_its_samples(station, number, stored):
    assert await meter_values.on_v16(station, values(SAMPLES, number=number)) == {}
    (row,) = await stored()
    assert row["register_mwh"] == 2_500_500
    assert (row["power_w"], row["current_a"], row["soc_percent"]) == (7400.0, 11.5, 55.0)
    assert orjson.loads(row["samples"]) == SAMPLES
    transaction = await transaction_of(station, number)
    assert row["transaction_id"] == transaction.id
    assert transaction.energy_mwh == 1_500_500


async def test_repeated_message_adds_nothing(station, number, stored):
    for _ in range(3):
        await meter_values.on_v16(station, values(SAMPLES, number=number))
    assert len(await stored()) == 1


async def test_measurands_of_one_instant_in_several_messages_share_the_row(station, number, stored):
    for _ in range(2):
        for sample in SAMPLES:
            await meter_values.on_v16(station, values([sample], number=number))
    (row,) = await stored()
    assert row["register_mwh"] == 2_500_500
    assert (row["power_w"], row["soc_percent"]) == (7400.0, 55.0)
    assert orjson.loads(row["samples"]) == SAMPLES


async def test_measurands_of_one_instant_in_several_elements_share_the_row(station, stored):
    payload = {
        "connectorId": 1,
        "meterValue": [
            {"timestamp": "2026-05-01T10:10:00Z", "sampledValue": [sample]} for sample in SAMPLES
        ],
    }
    await meter_values.on_v16(station, payload)
    (row,) = await stored()
    assert row["current_a"] == 11.5
    assert orjson.loads(row["samples"]) == SAMPLES


async def test_contexts_of_one_instant_have_rows_of_their_own(station, stored):
    samples = [{"value": "1"}, {"value": "2", "context": "Sample.Clock"}]
    await meter_values.on_v16(station, values(samples))
    assert {(row["context"], row["register_mwh"]) for row in await stored()} == {
        ("Sample.Periodic", 1000),
        ("Sample.Clock", 2000),
    }


async def sample(station, number, *registers):
    for minute, register in registers:
        at = f"2026-05-01T10:{minute:02}:00Z"
        await meter_values.on_v16(station, values([{"value": register}], number=number, at=at))


@pytest.mark.parametrize(
    ("registers", "expected"),
    [
        ((), None),
        ((1000, 1700, 2500), 1_500_000),
        ((999.5,), 0),  # the same in another precision
        ((12,), None),  # one register of another count is no energy
        ((0, 250, 900), 900_000),  # counted from zero, unlike the start
        ((100, 900, 1500), None),  # which of the two?
        (("-1", "x"), None),
    ],
)
async def test_samples_tell_the_energy_so_far(station, number, registers, expected):
    await sample(station, number, *enumerate(registers))
    assert (await transaction_of(station, number)).energy_mwh == expected
    reversed_order = [*enumerate(registers)][::-1]
    await sample(station, number, *reversed_order)
    assert (await transaction_of(station, number)).energy_mwh == expected


async def test_samples_of_a_phase_do_not_compare_with_the_start(station, number):
    for minute in (1, 2):
        samples = [{"value": str(minute * 500), "phase": "L1"}]
        at = f"2026-05-01T10:{minute:02}:00Z"
        await meter_values.on_v16(station, values(samples, number=number, at=at))
    assert (await transaction_of(station, number)).energy_mwh is None


async def test_a_fall_that_is_told_after_the_stop_counts_too(station, number, rows):
    await stop(station, number)
    await sample(station, number, (10, 3000), (20, 4500))
    assert (await transaction_of(station, number)).energy_mwh == 4_000_000
    await sample(station, number, (30, 20))
    found = await transaction_of(station, number)
    assert (found.energy_mwh, found.flags) == (None, {TransactionFlag.REGISTER_FELL})
    events = await rows("SELECT type FROM events ORDER BY id DESC LIMIT 1")
    assert events == [{"type": "transaction.updated"}]


async def test_samples_before_an_inferred_end_that_come_after_it_count(station, number):
    await sample(station, number, (10, 2000))
    await start(station, at="2026-05-01T10:30:00Z")
    await sample(station, number, (20, 4500), (15, 3000))
    found = await transaction_of(station, number)
    assert (found.energy_mwh, found.end_register_mwh) == (3_500_000, 4_500_000)
    assert found.flags == {TransactionFlag.INFERRED_END}


async def test_without_a_sample_an_inferred_end_leaves_the_energy_unknown(station, number):
    await start(station, at="2026-05-01T10:30:00Z")
    found = await transaction_of(station, number)
    assert (found.is_open, found.energy_mwh) == (False, None)


@pytest.mark.parametrize("registers", [(3000, 4500, 0, 1000), (3000, 2000), (1000, 4000, 3998)])
async def test_register_that_falls_leaves_the_energy_unknown(station, number, registers):
    await sample(station, number, *enumerate(registers))
    await stop(station, number)
    found = await transaction_of(station, number)
    assert (found.energy_mwh, found.flags) == (None, {TransactionFlag.REGISTER_FELL})


@pytest.mark.parametrize(
    "registers",
    [
        [(1, 2000.9), (2, 2000)],  # rounding
        [(1, 0), (2, 900), (3, 1500), (4, 20)],  # counted from zero: not the meter's own register
        [(5, 4000), (2, 2000), (3, 3000)],  # a late message
        [(50, 2000), (51, 3000), (40, 4000), (41, 4500)],  # the clock was set back
    ],
)
async def test_what_only_looks_like_a_fall_changes_nothing(station, number, registers):
    await sample(station, number, *registers)
    await stop(station, number)
    found = await transaction_of(station, number)
    assert (found.energy_mwh, found.flags) == (4_000_000, frozenset())


@pytest.mark.parametrize("bad", [-1, 0, 2**63 - 1, 4711])
async def test_unknown_id_is_answered_recorded_once_and_kept_with_the_evse(
    station, number, stored, conflicts, bad
):
    for minute in (10, 11):
        at = f"2026-05-01T10:{minute}:00Z"
        message = values([{"value": "3000"}], number=bad, at=at, connector=2)
        await meter_values.on_v16(station, message)
    assert await conflicts() == [{"cause": "unknown_transaction", "repeats": 1}]
    assert [row["transaction_id"] for row in await stored()] == [None, None]
    assert (await transaction_of(station, number)).last_register_mwh is None


@pytest.mark.parametrize("bad", [-1, 0, 2**63 - 1, 4711])
async def test_unknown_id_on_a_connector_means_the_transaction_that_goes_on_there(
    station, number, stored, conflicts, bad
):
    before = values([{"value": "900"}], number=bad, at="2026-05-01T09:50:00Z")
    within = values([{"value": "3000"}], number=bad)
    await meter_values.on_v16(station, before)
    await meter_values.on_v16(station, within)
    transaction = await transaction_of(station, number)
    assert transaction.last_register_mwh == 3_000_000
    await stop(station, number)
    await meter_values.on_v16(station, within)
    assert [row["transaction_id"] for row in await stored()] == [None, transaction.id]
    assert await conflicts() == [{"cause": "unknown_transaction", "repeats": 0}]


async def test_foreign_id_touches_nothing_of_the_other_station(
    station, neighbour, number, stored, conflicts
):
    await meter_values.on_v16(neighbour, values([{"value": "3000"}], number=number))
    assert (await conflicts())[0]["cause"] == "foreign_transaction"
    (row,) = await stored()
    assert (row["station_id"], row["transaction_id"]) == (neighbour.station_id, None)
    assert (await transaction_of(station, number)).last_register_mwh is None


async def test_closing_samples_join_the_ended_transaction(station, number, stored, conflicts):
    await stop(station, number)
    late = values([{"value": "9000"}], number=number, at="2026-05-01T11:00:30Z")
    await meter_values.on_v16(station, late)
    transaction = await transaction_of(station, number)
    assert [row["transaction_id"] for row in await stored()] == [transaction.id]
    assert transaction.energy_mwh == 4_000_000
    assert await conflicts() == []


async def test_old_id_after_the_stop_does_not_revive_the_transaction(
    station, number, stored, conflicts
):
    await stop(station, number)
    late = values([{"value": "9000"}], number=number, at="2026-05-01T11:30:00Z")
    await meter_values.on_v16(station, late)
    assert [row["transaction_id"] for row in await stored()] == [None]
    assert not (await transaction_of(station, number)).is_open
    assert await conflicts() == [{"cause": "already_ended", "repeats": 0}]


@pytest.mark.parametrize(
    "sample",
    [
        {"value": "NaN"},
        {"value": "-inf"},
        {"value": "1e999"},
        {"value": "9" * 5000},
        {"value": "0x10"},
        {"value": ""},
        {"value": None},
        {"value": True},
        {"value": ["1"]},
        {},
        {"value": "AbCd==", "format": "SignedData"},
        {"value": "5", "measurand": "Request.Energy"},
        {"value": "5", "measurand": ["x"]},
        {"value": "5", "unit": "parsec"},
        {"value": "5", "unit": 7},
        {"value": "5", "phase": {"a": 1}},
        {"value": "5", "context": 9},
        {"value": "-3"},
        "text",
        None,
        7,
    ],
)
async def test_sample_that_says_nothing_is_kept_raw(station, stored, sample):
    await meter_values.on_v16(station, values([sample]))
    (row,) = await stored()
    assert orjson.loads(row["samples"]) == [sample]
    if not (isinstance(sample, dict) and sample.get("context") == 9):
        assert row["register_mwh"] is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"connectorId": 1, "meterValue": []},
        {"connectorId": 1, "meterValue": None},
        {"connectorId": 1, "meterValue": [{"timestamp": "x", "sampledValue": []}]},
        {"connectorId": 1, "meterValue": [None, 3, "x"]},
        {"connectorId": [], "transactionId": {}, "meterValue": {"sampledValue": {"value": "1"}}},
        {"connectorId": 2**62, "meterValue": [{"sampledValue": [{"value": "1"}]}]},
    ],
)
async def test_message_of_any_shape_is_answered(station, payload):
    assert await meter_values.on_v16(station, payload) == {}


async def test_readings_without_a_usable_time_keep_its_spelling_and_rows_of_their_own(
    station, stored
):
    payload = {
        "connectorId": 1,
        "meterValue": [
            {"timestamp": "2022-02-29T10:00:00Z", "sampledValue": [{"value": "1"}]},
            {"timestamp": "222222017-10-27T00:00:00Z", "sampledValue": [{"value": "2"}]},
            {"sampledValue": [{"value": "3"}]},
        ],
    }
    await meter_values.on_v16(station, payload)
    found = await stored()
    assert [row["register_mwh"] for row in found] == [1000, 2000, 3000]
    assert [row["reported_at"] for row in found] == [None, None, None]
    assert [row["reported_raw"] for row in found] == [
        "2022-02-29T10:00:00Z",
        "222222017-10-27T00:00:00Z",
        None,
    ]
