"""Whatever a station repeats, and in whatever order, the transactions stay the same."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.clock import ManualClock
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp.actions import HANDLERS
from csms.ocpp.context import StationContext
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store import engine, stations, transactions
from csms.store.database import Database
from tests.databases import empty_database

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
Frame = tuple[str, dict[str, Any]]

# Ids that stations use for what they began offline, besides the one that they were given.
ids = st.sampled_from([None, None, None, -1, 0, 2**63 - 1])
sessions = st.lists(
    st.fixed_dictionaries(
        {
            "connector": st.integers(1, 2),
            "tag": st.sampled_from(["A", "b", ""]),
            "begin": st.integers(-5, 10_000),
            "samples": st.lists(st.integers(-5, 20_000), max_size=3),
            "end": st.one_of(st.none(), st.integers(-5, 20_000)),
            "sampled_as": ids,
            "stopped_as": ids,
        }
    ),
    min_size=1,
    max_size=5,
)


def at(minutes: int) -> str:
    return (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def run(scenario: Callable[[StationContext], Awaitable[None]]) -> None:
    clock, bus = ManualClock(BEGIN + timedelta(hours=12)), Bus()
    with tempfile.TemporaryDirectory() as folder:
        db = Database(empty_database(folder), clock=clock, bus=bus)
        await db.open()
        await db.write(lambda tx: engine.begin_epoch(tx, "boot"))
        row = await db.write(lambda tx: stations.insert(tx, NewStation("S")))
        await scenario(
            StationContext(
                db=db,
                bus=bus,
                clock=clock,
                settings=OcppSettings(),
                heartbeats=Heartbeats(db, clock),
                epoch=1,
                station_id=row.id,
                identity="S",
                version=OcppVersion.V16,
                generation=1,
                address="192.0.2.1",
                strict=False,
                log=structlog.get_logger("test"),
            )
        )
        await db.close()


async def send(station: StationContext, frame: Frame) -> Any:
    return await HANDLERS[OcppVersion.V16, frame[0]](station, frame[1])


async def live(station: StationContext, plan: list[dict[str, Any]]) -> dict[int, list[Frame]]:
    """Run the sessions as a station would; returns its log by connector."""
    log: dict[int, list[Frame]] = {1: [], 2: []}
    for number, session in enumerate(plan):
        minute = number * 20
        frames = log[session["connector"]]
        start: Frame = (
            "StartTransaction",
            {
                "connectorId": session["connector"],
                "idTag": session["tag"],
                "meterStart": session["begin"],
                "timestamp": at(minute),
            },
        )
        issued = (await send(station, start))["transactionId"]
        later: list[Frame] = [
            (
                "MeterValues",
                {
                    "connectorId": session["connector"],
                    "transactionId": _either(session["sampled_as"], issued),
                    "meterValue": [
                        {"timestamp": at(minute + 1 + k), "sampledValue": [{"value": str(value)}]}
                    ],
                },
            )
            for k, value in enumerate(session["samples"])
        ]
        if session["end"] is not None:
            stop = {
                "transactionId": _either(session["stopped_as"], issued),
                "meterStop": session["end"],
                "timestamp": at(minute + 9),
            }
            later.append(("StopTransaction", stop))
        for frame in later:
            await send(station, frame)
        frames += [start, *later]
    return log


def _either(strange: int | None, issued: int) -> int:
    return issued if strange is None else strange


async def state(station: StationContext) -> tuple[list[Any], list[Any], int]:
    def look(tx):
        readings = tx.all(
            "SELECT transaction_id, evse_id, reported_at, context, register_mwh, samples"
            " FROM meter_values ORDER BY id"
        )
        conflicts = tx.value("SELECT count(*) FROM transaction_conflicts")
        ids = tx.all("SELECT station_transaction_id FROM transactions ORDER BY id")
        return (
            [transactions.find(tx, station.station_id, row[0]) for row in ids],
            [tuple(row) for row in readings],
            conflicts,
        )

    return await station.db.read(look)


@settings(max_examples=30)
@given(plan=sessions, seed=st.integers(0, 2**32))
def test_replaying_a_log_twice_and_shuffled_changes_nothing(plan, seed):
    async def scenario(station: StationContext) -> None:
        log = await live(station, plan)
        before = await state(station)
        assert all(t.energy_mwh is None or t.energy_mwh >= 0 for t in before[0])
        order = random.Random(seed)
        for shuffled in (False, True):
            for frames in log.values():
                replay = order.sample(frames, len(frames)) if shuffled else frames
                for frame in replay:
                    await send(station, frame)
            assert await state(station) == before

    asyncio.run(run(scenario))


@settings(max_examples=30)
@given(plan=sessions, seed=st.integers(0, 2**32))
def test_lost_frames_that_come_later_end_in_the_same_energy(plan, seed):
    """A backlog after the starts: stops and samples in any order, stops last or not.

    The registers rise: that one fell is not to be seen in a backlog that is out of order.
    """
    plan = [{**session, "samples": sorted(session["samples"])} for session in plan]

    async def scenario(station: StationContext) -> None:
        log = await live(station, plan)
        wanted = {t.station_transaction_id: t for t in (await state(station))[0]}
        await station.db.write(_forget_all_but_starts)
        order = random.Random(seed)
        rest = [f for frames in log.values() for f in frames if f[0] != "StartTransaction"]
        order.shuffle(rest)
        for frame in rest:
            await send(station, frame)
        for found in (await state(station))[0]:
            expected = wanted[found.station_transaction_id]
            if not expected.awaits_stop:
                assert found.energy_mwh == expected.energy_mwh
                assert found.flags == expected.flags
                assert found.ended_at == expected.ended_at

    asyncio.run(run(scenario))


def _forget_all_but_starts(tx):
    tx.run("DELETE FROM meter_values")
    tx.run("DELETE FROM transaction_events WHERE type <> 'Started'")
    tx.run(
        "UPDATE transactions SET ended_at = NULL, end_received_at = NULL, end_register_mwh = NULL,"
        " stop_reason = NULL, last_register_mwh = NULL, lowest_sample_mwh = NULL, flags ="
        " CASE WHEN start_register_mwh IS NULL THEN 'register_suspect' ELSE '' END"
        " WHERE instr(flags, 'start_missing') = 0"
    )
