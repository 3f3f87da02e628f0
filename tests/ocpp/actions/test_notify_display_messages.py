"""Display messages: what a station has, by what it accepted and by what it reports."""

from __future__ import annotations

import pytest

from csms.clock import to_micros
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import notify_display_messages
from csms.ocpp.commands import clear_display_message, get_display_messages, set_display_message
from csms.store import display_messages

V201, V21 = OcppVersion.V201, OcppVersion.V21


def message(message_id, priority="NormalCycle", **more):
    return {
        "id": message_id,
        "priority": priority,
        "message": {"format": "UTF8", "language": "en", "content": f"No. {message_id}"},
        **more,
    }


def part(*messages, tbc=False):
    return {"requestId": 5, "tbc": tbc, "messageInfo": list(messages)}


async def settle(station, command, payload, status="Accepted"):
    def settled(tx):
        command.settled(tx, station.station_id, payload, command.read({"status": status}))

    await station.db.write(settled)


async def show(station, *args, status="Accepted", **more):
    payload = {"message": message(*args, **more)}
    await settle(station, set_display_message.COMMAND, payload, status)


async def ask(station, status="Accepted", **criteria):
    await settle(station, get_display_messages.COMMAND, {"requestId": 5, **criteria}, status)


async def shown(station):
    now = to_micros(station.clock.now())
    found = await station.db.read(
        lambda tx: display_messages.list_of_station(tx, station.station_id, now)
    )
    return {one.message_id: one for one in found}


async def told(rows):
    return [row["type"] for row in await rows("SELECT type FROM events ORDER BY id")]


async def test_an_accepted_message_is_there_and_a_refused_one_is_not(station, rows):
    await show(station, 1, state="Idle", startDateTime="2026-05-01T12:00:00Z")
    await show(station, 2, status="NotSupportedState")
    (one,) = (await shown(station)).values()
    assert (one.message_id, one.priority, one.state) == (1, "NormalCycle", "Idle")
    assert (one.format, one.language, one.content) == ("UTF8", "en", "No. 1")
    assert await told(rows) == ["display_message.installed"]


async def test_only_one_message_is_always_in_front(station):
    await show(station, 1, "AlwaysFront")
    await show(station, 2, "InFront")
    await show(station, 3, "AlwaysFront")
    assert sorted(await shown(station)) == [2, 3]


async def test_a_message_ends_with_its_time_and_with_its_transaction(station, clock, rows):
    await show(station, 1, endDateTime="2026-05-01T13:00:00Z")
    await show(station, 2, transactionId="T1")
    assert sorted(await shown(station)) == [1, 2]
    clock.advance(3600)
    assert sorted(await shown(station)) == [2]

    def ended(tx):
        tx.insert(
            "INSERT INTO transactions (uuid, station_id, station_transaction_id,"
            " start_received_at, end_received_at) VALUES ('u', ?, 'T1', 1, 2)",
            (station.station_id,),
        )

    await station.db.write(ended)
    assert await shown(station) == {}
    await show(station, 3)
    assert len(await rows("SELECT * FROM display_messages")) == 1


@pytest.mark.parametrize("status", ["Accepted", "Unknown"])
async def test_a_cleared_message_is_gone(station, neighbour, status):
    for who in (station, neighbour):
        await show(who, 1)
    await settle(station, clear_display_message.COMMAND, {"id": 1}, status)
    assert await shown(station) == {}
    assert sorted(await shown(neighbour)) == [1]


async def test_a_message_that_may_not_be_cleared_stays(station):
    await show(station, 1)
    await settle(station, clear_display_message.COMMAND, {"id": 1}, "Rejected")
    assert sorted(await shown(station)) == [1]


async def test_a_report_in_parts_says_what_there_is_and_what_is_no_more(station, neighbour, rows):
    for number in (1, 2):
        await show(station, number)
    await show(neighbour, 2)
    await ask(station)
    answer = await notify_display_messages.on_v2x(station, part(message(1), tbc=True))
    for version in (V201, V21):
        assert schemas.is_valid(version, "NotifyDisplayMessages", "response", answer)
    assert sorted(await shown(station)) == [1, 2]
    for _ in range(2):
        await notify_display_messages.on_v2x(station, part(message(3)))
    assert sorted(await shown(station)) == [1, 3]
    assert sorted(await shown(neighbour)) == [2]
    assert (await told(rows)).count("display_message.cleared") == 1


async def test_a_report_forgets_only_what_was_asked_for(station):
    for number, priority in ((1, "InFront"), (2, "InFront"), (3, "NormalCycle")):
        await show(station, number, priority)
    await ask(station, priority="InFront", id=[2, 3])
    await notify_display_messages.on_v2x(station, part())
    assert sorted(await shown(station)) == [1, 3]


async def test_a_station_without_messages_has_none(station):
    await show(station, 1)
    await ask(station, status="Unknown")
    assert await shown(station) == {}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"requestId": "x", "messageInfo": 7},
        part({"id": "x"}, None, {"message": []}),
        part({"id": 4, "priority": 5, "message": "hello", "endDateTime": "never"}),
    ],
)
async def test_a_message_of_any_shape_is_answered(station, payload):
    assert await notify_display_messages.on_v2x(station, payload) == {}
    assert set(await shown(station)) <= {4}
