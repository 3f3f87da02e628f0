"""Locations: reach, changes, and what stands in the way of deleting one."""

from __future__ import annotations

from typing import Any

import pytest

from csms.domain.permissions import Principal, Role
from csms.domain.stations import NewStation
from csms.errors import Forbidden, NotFound, TransactionOpen
from csms.events import Bus, Event
from csms.services import locations, stations
from csms.store import stations as station_store
from csms.store.database import Database, Tx

ANYWHERE = Principal("root", "root", Role.ADMIN)


def bound_to(*location_ids: int) -> Principal:
    return Principal("bound", "bound", Role.OPERATOR, frozenset(location_ids))


@pytest.fixture
def told(bus: Bus) -> list[tuple[str, dict[str, Any]]]:
    events: list[tuple[str, dict[str, Any]]] = []
    bus.subscribe(Event, lambda event: events.append((event.type, event.data)))
    return events


def charge(tx: Tx, station_id: int, *, ended: bool = False) -> None:
    tx.run(
        "INSERT INTO transactions (uuid, station_id, station_transaction_id, start_received_at,"
        " end_received_at) VALUES (?, ?, ?, ?, ?)",
        (f"t{station_id}", station_id, "1", tx.now, tx.now if ended else None),
    )


async def test_a_location_is_created_with_a_slug_of_its_name(
    db: Database, told: list[tuple[str, dict[str, Any]]]
) -> None:
    made = await db.write(lambda tx: locations.create(tx, name="Depot Süd 3", city="Wien"))

    assert made.slug.startswith("depot-s-d-3-")
    assert made.city == "Wien"
    assert [("location.created", {"location_id": made.uuid, "name": "Depot Süd 3"})] == told


async def test_equal_names_get_different_slugs(db: Database) -> None:
    first = await db.write(lambda tx: locations.create(tx, name="Depot"))
    second = await db.write(lambda tx: locations.create(tx, name="Depot"))

    assert first.slug != second.slug


def test_a_bound_caller_creates_no_location() -> None:
    with pytest.raises(Forbidden):
        locations.check_may_create(bound_to(1))


async def test_out_of_reach_looks_absent(db: Database) -> None:
    made = await db.write(lambda tx: locations.create(tx, name="Depot"))
    with pytest.raises(NotFound) as absent:
        await locations.show_location(db, "nowhere", ANYWHERE)
    with pytest.raises(NotFound) as hidden:
        await locations.show_location(db, made.uuid, bound_to(made.id + 1))

    assert absent.value.message == hidden.value.message
    assert made == await locations.show_location(db, made.uuid, bound_to(made.id))


async def test_a_list_holds_what_the_caller_reaches(db: Database) -> None:
    made = await db.write(
        lambda tx: [locations.create(tx, name=f"L{number}") for number in range(3)]
    )
    page = await locations.list_locations(db, bound_to(made[0].id, made[2].id), limit=1, offset=1)

    assert ([made[2]], 2) == (page.items, page.total)
    assert (await locations.list_locations(db, bound_to(), limit=10)).total == 0


async def test_a_change_touches_what_was_named(
    db: Database, told: list[tuple[str, dict[str, Any]]]
) -> None:
    made = await db.write(lambda tx: locations.create(tx, name="Depot", city="Wien"))
    changed = await locations.update_location(db, made.uuid, ANYWHERE, {"name": "Hof"})

    assert (changed.name, changed.city) == ("Hof", "Wien")
    assert (told[-1][0], told[-1][1]["changed"]) == ("location.updated", ["name"])


async def test_deleting_takes_the_chargers_along(
    db: Database, told: list[tuple[str, dict[str, Any]]]
) -> None:
    made = await db.write(lambda tx: locations.create(tx, name="Depot"))
    station = await db.write(lambda tx: stations.create(tx, NewStation("S1", location_id=made.id)))
    await db.write(lambda tx: charge(tx, station.id, ended=True))
    await locations.delete_location(db, made.uuid, ANYWHERE)

    with pytest.raises(NotFound):
        await stations.show_station(db, station.uuid, ANYWHERE)
    with pytest.raises(NotFound):
        await locations.show_location(db, made.uuid, ANYWHERE)
    assert [kind for kind, _ in told[-2:]] == ["station.deleted", "location.deleted"]


async def test_a_charging_station_keeps_its_location(db: Database) -> None:
    made = await db.write(lambda tx: locations.create(tx, name="Depot"))
    idle, busy = [
        await db.write(lambda tx, n=n: stations.create(tx, NewStation(n, location_id=made.id)))
        for n in ("S1", "S2")
    ]
    await db.write(lambda tx: charge(tx, busy.id))

    with pytest.raises(TransactionOpen):
        await locations.delete_location(db, made.uuid, ANYWHERE)
    assert idle == await db.read(lambda tx: station_store.get(tx, idle.id))
