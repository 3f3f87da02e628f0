"""Every row of the tables of orders: driven as the case says, and with wrong messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.csms import Csms
from tests.conformance.orders import (
    Order,
    v16,
    v16_charging,
    v16_lists,
    v16_tasks,
    v201_charging,
    v201_core,
    v201_device,
    v201_display,
    v201_lists,
    v201_remote,
    v201_secure,
)
from tests.conformance.station import Station

TABLES = (
    v16,
    v16_lists,
    v16_tasks,
    v16_charging,
    v201_core,
    v201_lists,
    v201_charging,
    v201_display,
    v201_secure,
    v201_device,
    v201_remote,
)
ORDERS = [row for table in TABLES for row in table.ORDERS]


@pytest.mark.parametrize("one", ORDERS)
async def test_the_order_goes_out_and_its_answer_is_read(csms: Csms, one: Order) -> None:
    async with await csms.online(one.version) as station:
        await carry_out(csms, station, one)


@pytest.mark.parametrize("one", ORDERS)
async def test_an_answer_that_breaks_its_schema_is_no_success(csms: Csms, one: Order) -> None:
    async with await csms.online(one.version) as station:
        await prepare(csms, station, one)
        before = {table: await known(csms, station, table) for table in one.stored}
        running = csms.order(station, one.command, dict(one.params))
        await station.expect(one.action, dict(one.wrong))
        ended = await running
        assert ended["state"] in {"refused", "rejected"}
        assert before == {table: await known(csms, station, table) for table in one.stored}
        if one.action == "SendLocalList":
            (doubtful,) = await csms.rows(station, "local_lists")
            assert doubtful["version"] != doubtful["known_version"]
        # The socket stays, and the station goes on working.
        assert "currentTime" in await station.call("Heartbeat", {})


@pytest.mark.parametrize("one", [row for row in ORDERS if row.values[0].told])
async def test_a_field_too_much_hides_nothing_that_the_station_tells(
    csms: Csms, one: Order
) -> None:
    told = [(action, {**payload, "noSuchField": "x"}) for action, payload in one.told]
    async with await csms.online(one.version) as station:
        await carry_out(csms, station, replace(one, told=told))


async def known(csms: Csms, station: Station, table: str) -> list[Any]:
    """What is stored; of a local list, that is the version whose entries are known."""
    rows = await csms.rows(station, table)
    if table != "local_lists":
        return rows
    return [row["known_version"] for row in rows if row["known_version"] is not None]


async def prepare(csms: Csms, station: Station, one: Order) -> None:
    """All that comes before the order."""
    for action, payload in one.first:
        await station.call(action, dict(payload))
    for earlier in one.after:
        await carry_out(csms, station, earlier)


async def carry_out(csms: Csms, station: Station, one: Order) -> None:
    """The order from one end to the other."""
    await prepare(csms, station, one)
    running = csms.order(station, one.command, dict(one.params))
    sent = await station.expect(one.action, dict(one.answer))
    assert one.payload == sent
    ended = await running
    assert (one.ends, one.answer) == (ended["state"], ended["response"])
    for action, payload in one.told:
        await station.call(action, dict(payload))
    for table, rows in one.stored.items():
        found = await csms.rows(station, table)
        assert len(rows) == len(found), table
        assert list(rows) == [
            {name: row[name] for name in expected}
            for expected, row in zip(rows, found, strict=True)
        ]
