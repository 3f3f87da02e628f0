"""A day of a site, told by stations of every version in every order and number they may.

What must come of it is worked out from the day itself: a transaction for each session with its
energy and end, nothing for a person to reconcile, and no reading twice.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.clock import ManualClock
from csms.domain.stations import NewStation
from csms.domain.transactions import Transaction
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp import schemas
from csms.ocpp.actions import HANDLERS
from csms.ocpp.context import StationContext
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store import stations, transactions
from csms.store.database import Database
from tests.databases import empty_database

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
EVSES = (1, 2)


@dataclass(frozen=True)
class Session:
    """One car at an EVSE; registers in Wh, times in minutes since midnight."""

    number: int
    evse: int
    tag: str
    begin: int
    minute: int
    samples: tuple[int, ...]
    end: int | None
    """None: the message about the end is lost for ever."""
    alone: bool = False
    """The samples of OCPP 1.6 count the session alone."""

    @property
    def sampled(self) -> tuple[int, ...]:
        return tuple(wh - self.begin * self.alone for wh in self.samples)

    @property
    def energy_mwh(self) -> int | None:
        if self.end is not None:
            return (self.end - self.begin) * 1000
        if not self.samples:
            return None
        if self.alone:
            return (self.samples[-1] - self.samples[0]) * 1000 or None
        return (self.samples[-1] - self.begin) * 1000


@dataclass
class Told:
    """What a station needs to know to speak, and what it was answered."""

    station: StationContext
    issued: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One thing that a station has to say; the payload may need an id that it was given."""

    session: Session
    action: str
    payload: Callable[[Told], dict[str, Any]]

    async def tell(self, told: Told, *, offline: bool) -> None:
        payload = self.payload(told)
        if self.action == "TransactionEvent":
            payload["offline"] = offline
        answer = await HANDLERS[told.station.version, self.action](told.station, payload)
        assert schemas.checker(told.station.version, self.action, "response")(answer), answer
        if self.action == "StartTransaction":
            number = answer["transactionId"]
            assert number == told.issued.setdefault(self.session.number, number)


def at(minute: int) -> str:
    return (BEGIN + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def messages_v16(session: Session) -> list[Message]:
    def start(_: Told) -> dict[str, Any]:
        return {
            "connectorId": session.evse,
            "idTag": session.tag,
            "meterStart": session.begin,
            "timestamp": at(session.minute),
        }

    def sample(position: int, wh: int) -> Callable[[Told], dict[str, Any]]:
        reading = {"timestamp": at(session.minute + 1 + position)}
        reading["sampledValue"] = [{"value": str(wh)}]
        return lambda told: {
            "connectorId": session.evse,
            "transactionId": told.issued[session.number],
            "meterValue": [reading],
        }

    def stop(told: Told) -> dict[str, Any]:
        return {
            "transactionId": told.issued[session.number],
            "meterStop": session.end,
            "timestamp": at(session.minute + 8),
        }

    found = [Message(session, "StartTransaction", start)]
    for position, wh in enumerate(session.sampled):
        found.append(Message(session, "MeterValues", sample(position, wh)))
    if session.end is not None:
        found.append(Message(session, "StopTransaction", stop))
    return found


def messages_v2x(session: Session) -> list[Message]:
    def event(number: int, kind: str, minute: int, wh: int) -> Message:
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind)
        sample = {"value": wh, "context": context or "Sample.Periodic"}
        payload = {
            "eventType": kind,
            "timestamp": at(minute),
            "triggerReason": "Authorized" if kind == "Started" else "MeterValuePeriodic",
            "seqNo": number,
            "transactionInfo": {"transactionId": f"tx-{session.number}"},
            "meterValue": [{"timestamp": at(minute), "sampledValue": [sample]}],
        }
        if kind == "Started":
            payload["evse"] = {"id": session.evse, "connectorId": 1}
            payload["idToken"] = {"idToken": session.tag, "type": "ISO14443"}
        return Message(session, "TransactionEvent", lambda _: dict(payload))

    found = [event(0, "Started", session.minute, session.begin)]
    for position, wh in enumerate(session.samples):
        found.append(event(position + 1, "Updated", session.minute + 1 + position, wh))
    if session.end is not None:
        found.append(event(len(found), "Ended", session.minute + 8, session.end))
    return found


NEVER = st.just(False)


@st.composite
def days(draw: st.DrawFn, alone: st.SearchStrategy[bool] = NEVER) -> list[Session]:
    """Up to four cars at each EVSE, one after the other; the registers only rise."""
    sessions = []
    for evse in EVSES:
        counts_alone = draw(alone)
        register = draw(st.integers(50_000 * counts_alone, 10**6))
        for position in range(draw(st.integers(0, 4))):
            steps = draw(st.lists(st.integers(0, 5000), max_size=4))
            begin = register
            samples = tuple(register := register + step for step in steps)
            is_told = draw(st.booleans())
            register += draw(st.integers(0, 500))
            sessions.append(
                Session(
                    number=len(sessions) + 1,
                    evse=evse,
                    tag=draw(st.sampled_from(["A", "b"])),
                    begin=begin,
                    minute=10 + position * 30 + evse,
                    samples=samples,
                    end=register if is_told else None,
                    alone=counts_alone,
                )
            )
            register += draw(st.integers(0, 10))
    return sessions


def merged(draw: Any, queues: list[list[Message]]) -> list[Message]:
    """What the EVSEs have to say, each in its order, in any order of each other, some twice."""
    left, order = [list(queue) for queue in queues if queue], []
    while left:
        queue = draw(st.sampled_from(left))
        order += [queue.pop(0)] * draw(st.sampled_from([1, 1, 2]))
        left = [queue for queue in left if queue]
    return order


async def stored(told: Told) -> tuple[dict[int, Transaction], list[Any], int]:
    """Transactions by session, readings, and how many messages nobody understood."""

    def look(tx: Any) -> tuple[dict[int, Transaction], list[Any], int]:
        rows = tx.all("SELECT id FROM transactions ORDER BY id")
        by_name = {}
        for row in rows:
            found = transactions.get(tx, row["id"])
            by_name[found.station_transaction_id] = found
        names = {f"tx-{number}": number for number in range(1, 9)}
        names |= {str(name): number for number, name in told.issued.items()}
        readings = tx.all("SELECT * FROM meter_values ORDER BY reported_at, context")
        strange = tx.value("SELECT count(*) FROM transaction_conflicts")
        return {names[name]: found for name, found in by_name.items()}, readings, strange

    return await told.station.db.read(look)


async def check(told: Told, day: list[Session]) -> dict[int, Transaction]:
    found, readings, strange = await stored(told)
    assert strange == 0
    assert sorted(found) == [session.number for session in day]
    for session in day:
        transaction = found[session.number]
        assert transaction.energy_mwh == session.energy_mwh
        assert (transaction.evse_id, transaction.id_token) == (session.evse, session.tag)
        assert transaction.started_at == BEGIN + timedelta(minutes=session.minute)
        if session.end is not None:
            assert not transaction.is_open
            assert transaction.ended_at == BEGIN + timedelta(minutes=session.minute + 8)
            assert (transaction.flags, transaction.stop_reason) == (frozenset(), "Local")
    ends = 0 if told.station.version is V16 else 1
    expected = [
        len(session.samples) + ends + (ends if session.end is not None else 0) for session in day
    ]
    assert len(readings) == sum(expected)
    return found


def run(version: OcppVersion, scenario: Callable[[Told], Any]) -> None:
    async def alone() -> None:
        clock, bus = ManualClock(BEGIN + timedelta(hours=12)), Bus()
        with tempfile.TemporaryDirectory() as folder:
            db = Database(empty_database(folder), clock=clock, bus=bus)
            await db.open()
            row = await db.write(lambda tx: stations.insert(tx, NewStation("S")))
            station = StationContext(
                db=db,
                bus=bus,
                clock=clock,
                settings=OcppSettings(),
                heartbeats=Heartbeats(db, clock),
                epoch=1,
                station_id=row.id,
                identity="S",
                version=version,
                generation=1,
                address="192.0.2.1",
                strict=False,
                log=structlog.get_logger("test"),
            )
            await scenario(Told(station))
            await db.close()

    asyncio.run(alone())


@pytest.mark.parametrize("version", [V16, V201, V21])
@settings(max_examples=25)
@given(day=days(), data=st.data())
def test_a_day_told_twice_in_any_order_that_is_allowed_comes_out_as_it_was(
    version: OcppVersion, day: list[Session], data: st.DataObject
) -> None:
    says = messages_v16 if version is V16 else messages_v2x
    queues = [[m for s in day if s.evse == evse for m in says(s)] for evse in EVSES]

    async def scenario(told: Told) -> None:
        for message in merged(data.draw, queues):
            await message.tell(told, offline=data.draw(st.booleans()))
        first = await check(told, day)
        if version is V16:
            again = merged(data.draw, queues)
        else:
            again = data.draw(st.permutations([m for queue in queues for m in queue]))
        for message in again:
            await message.tell(told, offline=True)
        assert await check(told, day) == first

    run(version, scenario)


@pytest.mark.parametrize("version", [V201, V21])
@settings(max_examples=25)
@given(day=days(), data=st.data())
def test_events_of_a_day_may_come_in_any_order_at_all(
    version: OcppVersion, day: list[Session], data: st.DataObject
) -> None:
    events = [message for session in day for message in messages_v2x(session)]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=6)) if events else []

    async def scenario(told: Told) -> None:
        for message in data.draw(st.permutations(events + repeated)):
            await message.tell(told, offline=data.draw(st.booleans()))
        await check(told, day)

    run(version, scenario)


@settings(max_examples=25)
@given(day=days(alone=st.booleans()), data=st.data())
def test_messages_of_a_day_may_overtake_each_other(day: list[Session], data: st.DataObject) -> None:
    """OCPP 1.6: whatever the order of the starts, and of the rest once each has its id."""
    told_of = [messages_v16(session) for session in day]

    async def scenario(told: Told) -> None:
        for messages in data.draw(st.permutations(told_of)):
            await messages[0].tell(told, offline=False)
        rest = [message for messages in told_of for message in messages[1:]]
        for message in data.draw(st.permutations(rest)):
            await message.tell(told, offline=False)
        await check(told, day)

    run(V16, scenario)
