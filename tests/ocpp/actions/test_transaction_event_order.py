"""Whatever the order of its events and however often they come, a transaction is the same."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.clock import ManualClock
from csms.domain.stations import NewStation
from csms.domain.transactions import Transaction
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp.actions import transaction_event
from csms.ocpp.context import StationContext
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store import stations, transactions
from csms.store.database import Database
from tests.databases import empty_database

numbers = count(1)


def sampled(minute: int, value: float, context: str = "Sample.Periodic") -> dict[str, Any]:
    return {
        "timestamp": f"2026-05-01T10:{minute:02}:00Z",
        "sampledValue": [{"value": value, "context": context}],
    }


def event(seq: int, kind: str, trigger: str, *values: Any, **more: Any) -> dict[str, Any]:
    state = more.pop("state", None)
    reason = more.pop("reason", None)
    info = {"chargingState": state, "stoppedReason": reason}
    return {
        "eventType": kind,
        "timestamp": f"2026-05-01T10:{seq:02}:00Z",
        "triggerReason": trigger,
        "seqNo": seq,
        "transactionInfo": {name: word for name, word in info.items() if word},
        **({"meterValue": list(values)} if values else {}),
        **more,
    }


TAG = {"idToken": "04A1B2C3", "type": "ISO14443"}
SESSION = [
    event(0, "Started", "CablePluggedIn", evse={"id": 1, "connectorId": 2}, state="EVConnected"),
    event(1, "Updated", "Authorized", idToken=TAG, reservationId=5),
    event(2, "Updated", "ChargingStateChanged", sampled(2, 1000), state="Charging"),
    event(3, "Updated", "MeterValuePeriodic", sampled(3, 1100.5)),
    event(4, "Updated", "MeterValueClock", sampled(4, 1200, "Sample.Clock")),
    event(5, "Updated", "ChargingStateChanged", sampled(5, 1300), state="SuspendedEV"),
    event(6, "Updated", "MeterValuePeriodic", sampled(6, 1300)),
    event(7, "Updated", "ChargingStateChanged", sampled(7, 1300), state="Charging"),
    event(8, "Updated", "MeterValuePeriodic", sampled(8, 1700)),
    event(9, "Updated", "StopAuthorized", sampled(9, 1800), idToken={**TAG, "idToken": "GUARD"}),
    event(10, "Updated", "ChargingStateChanged", state="EVConnected"),
    event(
        11,
        "Ended",
        "EVCommunicationLost",
        sampled(0, 999, "Transaction.Begin"),
        sampled(11, 1800, "Transaction.End"),
        reason="EVDisconnected",
    ),
]

some_tokens = st.sampled_from([None, TAG, {"idToken": "OTHER", "type": "Local"}])
any_event = st.builds(
    lambda kind, trigger, register, state, token, evse: {
        "eventType": kind,
        "triggerReason": trigger,
        "transactionInfo": {"chargingState": state},
        "idToken": token,
        "evse": evse,
        "meterValue": [] if register is None else [{"sampledValue": [{"value": register}]}],
    },
    st.sampled_from(["Started", "Updated", "Updated", "Updated", "Ended"]),
    st.sampled_from(["Authorized", "StopAuthorized", "MeterValuePeriodic"]),
    st.one_of(st.none(), st.integers(-5, 3000)),
    st.sampled_from([None, "Charging", "SuspendedEV"]),
    some_tokens,
    st.sampled_from([None, {"id": 1}, {"id": 2, "connectorId": 1}]),
)
numbered_events = st.lists(any_event, min_size=1, max_size=8).flatmap(
    lambda events: st.lists(
        st.integers(0, 12), min_size=len(events), max_size=len(events), unique=True
    ).map(
        lambda seqs: [
            {**event, "seqNo": seq, "timestamp": f"2026-05-01T10:{seq:02}:00Z"}
            for event, seq in zip(events, sorted(seqs), strict=True)
        ]
    )
)


@pytest.fixture(scope="module")
def tell():
    """Lets a new station send events; returns what the transaction of each is after it."""
    loop = asyncio.new_event_loop()
    clock, bus = ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC)), Bus()
    with tempfile.TemporaryDirectory() as folder:
        db = Database(empty_database(folder), clock=clock, bus=bus)
        loop.run_until_complete(db.open())

        async def send(events: list[dict[str, Any]]) -> list[Transaction]:
            number = str(next(numbers))
            row = await db.write(lambda tx: stations.insert(tx, NewStation(number)))
            station = StationContext(
                db=db,
                bus=bus,
                clock=clock,
                settings=OcppSettings(),
                heartbeats=Heartbeats(db, clock),
                epoch=1,
                station_id=row.id,
                identity=number,
                version=OcppVersion.V201,
                generation=1,
                address="192.0.2.1",
                strict=False,
                log=structlog.get_logger("test"),
            )
            told = []
            for one in events:
                info = {"transactionId": "tx", **one["transactionInfo"]}
                await transaction_event.on_v2x(station, {**one, "transactionInfo": info})
                name = info["transactionId"]
                found = await db.read(lambda tx, n=name: transactions.find(tx, row.id, n))
                assert found is not None
                told.append(replace(found, id=0, uuid="", station_id=0))
            return told

        yield lambda events: loop.run_until_complete(send(events))
        loop.run_until_complete(db.close())
    loop.close()


property_of_order = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_session_in_order_is_what_the_others_are_compared_with(tell):
    told = tell(SESSION)[-1]
    assert (told.energy_mwh, told.stop_reason, told.is_open) == (801_000, "EVDisconnected", False)
    assert (told.evse_id, told.connector_id, told.id_token) == (1, 2, "04A1B2C3")
    assert (told.reservation_id, told.last_seq_no, told.flags) == (5, 11, frozenset())


@property_of_order
@given(data=st.data())
def test_any_order_with_repetitions_ends_in_the_same_transaction(tell, data):
    repeated = data.draw(st.lists(st.sampled_from(SESSION), max_size=8))
    order = data.draw(st.permutations(SESSION + repeated))
    replayed = [{**one, "offline": data.draw(st.booleans())} for one in order]
    told = tell(replayed)
    assert told[-1] == tell(SESSION)[-1]
    assert all(each.energy_mwh is None or each.energy_mwh >= 0 for each in told)
    is_open = [each.is_open for each in told]
    assert is_open == sorted(is_open, reverse=True), "an ended transaction was revived"


@property_of_order
@given(events=numbered_events, data=st.data())
def test_order_makes_no_difference_to_nonsense_either(tell, events, data):
    order = data.draw(st.permutations(events))
    in_order, shuffled = tell(events)[-1], tell(order)[-1]
    assert shuffled == in_order
    assert shuffled.energy_mwh is None or shuffled.energy_mwh >= 0


def of_session(number: int, evse: int, tail: int) -> list[dict[str, Any]]:
    """The events of one of many sessions, the last `tail` of them lost."""
    events = []
    for one in SESSION[: len(SESSION) - tail]:
        at = one["timestamp"].replace("T10", f"T{number:02}")
        info = {**one["transactionInfo"], "transactionId": f"tx-{number}"}
        events.append({**one, "timestamp": at, "transactionInfo": info})
    return [{**events[0], "evse": {"id": evse, "connectorId": 1}}, *events[1:]]


@settings(property_of_order, max_examples=15)
@given(
    plan=st.lists(st.tuples(st.integers(1, 2), st.sampled_from([0, 0, 0, 1, 5])), max_size=4),
    data=st.data(),
)
def test_a_day_replayed_and_shuffled_ends_in_the_same_transactions(tell, plan, data):
    day = [e for n, (evse, tail) in enumerate(plan) for e in of_session(n, evse, tail)]
    replay = [{**one, "offline": True} for one in data.draw(st.permutations(day + day))]
    in_order = {told.station_transaction_id: told for told in tell(day)}
    again = {told.station_transaction_id: told for told in tell(day + replay)}
    shuffled = {told.station_transaction_id: told for told in tell(replay)}
    for name, told in in_order.items():
        if not told.is_open:
            assert again[name] == shuffled[name] == told
        assert again[name].energy_mwh == shuffled[name].energy_mwh == told.energy_mwh
