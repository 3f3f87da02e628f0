"""Stations: reach, uniqueness, changes, and what stands in the way of deleting one."""

from __future__ import annotations

from typing import Any, cast

import pytest

from csms.domain.locations import Location
from csms.domain.stations import NewStation, Station
from csms.errors import (
    Conflict,
    DuplicateIdentity,
    IdentityIsSerialNumber,
    Invalid,
    NotFound,
    TransactionOpen,
)
from csms.events import Bus, Event
from csms.services import locations, stations
from csms.store import stations as store
from csms.store.database import Database
from tests.services.test_locations import ANYWHERE, bound_to, charge


async def station(db: Database, identity: str, **more: Any) -> Station:
    return await db.write(lambda tx: stations.create(tx, NewStation(identity, **more)))


@pytest.fixture
async def depot(db: Database) -> Location:
    return await db.write(lambda tx: locations.create(tx, name="Depot"))


@pytest.fixture
async def yard(db: Database) -> Location:
    return await db.write(lambda tx: locations.create(tx, name="Yard"))


async def test_creating_tells_about_it(db: Database, bus: Bus, depot: Location) -> None:
    told: list[Event] = []
    bus.subscribe(Event, told.append)
    made = await station(db, "S1", location_id=depot.id)

    assert ("station.created", made.id, depot.id) == (
        told[0].type,
        told[0].station_id,
        told[0].location_id,
    )
    assert {"station_id": made.uuid, "identity": "S1"} == told[0].data


async def test_an_identity_is_taken_whatever_its_case(db: Database) -> None:
    await station(db, "Bay-1")

    with pytest.raises(DuplicateIdentity):
        await station(db, "BAY-1")


@pytest.mark.parametrize("name", ["SN-1", " sn-1", "bay-1"])
async def test_a_serial_number_is_no_name_of_another_station(db: Database, name: str) -> None:
    first = await station(db, "Bay-1", serial_number="SN-1")
    other = await station(db, "Bay-2", serial_number="SN-2")

    with pytest.raises(Conflict):
        await station(db, "Bay-3", serial_number=name)
    with pytest.raises(Conflict):
        await db.write(lambda tx: stations.update(tx, other, {"serial_number": name}))
    await db.write(lambda tx: stations.update(tx, first, {"serial_number": "sn-1"}))
    await db.write(lambda tx: stations.delete(tx, first))
    await db.write(lambda tx: stations.update(tx, other, {"serial_number": name}))


@pytest.mark.parametrize("name", ["SN-1", "sn-1", " SN-1"])
async def test_an_identity_is_no_serial_number_of_another_station(db: Database, name: str) -> None:
    first = await station(db, "Bay-1", serial_number="SN-1")

    with pytest.raises(IdentityIsSerialNumber):
        await station(db, name)
    with pytest.raises(DuplicateIdentity):
        await station(db, "bay-1")
    assert [first] == await db.read(lambda tx: store.list_page(tx, limit=9))
    await db.write(lambda tx: stations.delete(tx, first))
    await station(db, name, serial_number="SN-1")
    with pytest.raises(DuplicateIdentity, match="Duplicate"):
        await station(db, name)


async def test_who_has_a_serial_number_is_looked_up(db: Database) -> None:
    other = await station(db, "Bay-1")

    def plans(tx: Any) -> list[str]:
        asked: list[tuple[str, Any]] = []

        class Asked:
            def value(self, sql: str, params: Any) -> None:
                asked.append((sql, params))

        store.is_name_of_another(cast("Any", Asked()), other, "SN-1")
        store.is_serial_number_of_another(cast("Any", Asked()), "SN-1")
        assert 2 == len(asked)
        return [
            row["detail"]
            for sql, params in asked
            for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", params)
        ]

    assert not [step for step in await db.read(plans) if step.startswith("SCAN")]


async def test_an_impossible_identity_is_refused(db: Database) -> None:
    with pytest.raises(Invalid):
        await station(db, "a/b")


async def test_a_deleted_location_takes_no_station(db: Database, depot: Location) -> None:
    await locations.delete_location(db, depot.uuid, ANYWHERE)

    with pytest.raises(NotFound):
        await station(db, "S1", location_id=depot.id)


async def test_a_station_is_seen_by_its_present_location(
    db: Database, depot: Location, yard: Location
) -> None:
    made = await station(db, "S1", location_id=depot.id)
    await stations.update_station(db, made.uuid, ANYWHERE, {"location_id": yard.id})

    view = await stations.show_station(db, made.uuid, bound_to(yard.id))
    assert yard == view.location
    with pytest.raises(NotFound):
        await stations.show_station(db, made.uuid, bound_to(depot.id))


async def test_a_station_without_a_location_is_seen_by_unbound_callers_only(
    db: Database, depot: Location
) -> None:
    made = await station(db, "S1")

    with pytest.raises(NotFound):
        await stations.show_station(db, made.uuid, bound_to(depot.id))
    assert made == (await stations.show_station(db, made.uuid, ANYWHERE)).station


async def test_a_bound_caller_moves_nothing_out_of_reach(
    db: Database, depot: Location, yard: Location
) -> None:
    made = await station(db, "S1", location_id=depot.id)
    for target in (yard.id, None):
        with pytest.raises(NotFound):
            await stations.update_station(
                db, made.uuid, bound_to(depot.id), {"location_id": target}
            )


async def test_lists_filter_by_reach_place_and_id(
    db: Database, depot: Location, yard: Location
) -> None:
    made = [await station(db, f"D{n}", location_id=depot.id) for n in range(3)]
    other = await station(db, "Y1", location_id=yard.id)

    everything = await stations.list_stations(db, ANYWHERE, limit=2, offset=2)
    assert ([made[2], other], 4) == (everything.items, everything.total)
    assert {depot.id: depot, yard.id: yard} == everything.locations
    bound = await stations.list_stations(db, bound_to(yard.id), limit=10)
    assert ([other], 1) == (bound.items, bound.total)
    chosen = await stations.list_stations(
        db, ANYWHERE, limit=10, location=depot, uuids=[made[1].uuid, other.uuid, "nonsense"]
    )
    assert ([made[1]], 1) == (chosen.items, chosen.total)


async def test_a_virtual_station_keeps_its_address(db: Database) -> None:
    made = await station(db, "S1", virtual=True, ws_url="ws://localhost/ocpp")

    with pytest.raises(Conflict):
        await stations.update_station(db, made.uuid, ANYWHERE, {"ws_url": "ws://10.0.0.1/"})
    await stations.update_station(db, made.uuid, ANYWHERE, {"ws_url": made.ws_url})


async def test_deleting_frees_the_identity(db: Database) -> None:
    made = await station(db, "S1")
    await stations.delete_station(db, made.uuid, ANYWHERE)

    assert made.id != (await station(db, "S1")).id


async def test_a_charging_station_is_not_deleted(db: Database) -> None:
    made = await station(db, "S1")
    await db.write(lambda tx: charge(tx, made.id))

    with pytest.raises(TransactionOpen):
        await stations.delete_station(db, made.uuid, ANYWHERE)


async def test_several_are_deleted_each_on_its_own(
    db: Database, depot: Location, yard: Location
) -> None:
    free, busy = [await station(db, name, location_id=depot.id) for name in ("S1", "S2")]
    other = await station(db, "Y1", location_id=yard.id)
    await db.write(lambda tx: charge(tx, busy.id))
    deleted, refused = await stations.delete_stations_at(
        db, depot, [free.uuid, busy.uuid, other.uuid, free.uuid]
    )

    assert [free.uuid] == deleted
    assert [(busy.uuid, TransactionOpen), (other.uuid, NotFound)] == [
        (refusal.uuid, type(refusal.error)) for refusal in refused
    ]


async def test_several_are_changed_each_on_its_own(
    db: Database, depot: Location, yard: Location
) -> None:
    mine = await station(db, "S1", location_id=depot.id)
    other = await station(db, "Y1", location_id=yard.id)
    changed, refused = await stations.update_stations_at(
        db, depot, ANYWHERE, [(mine.uuid, {"name": "One"}), (other.uuid, {"name": "Two"})]
    )

    assert [item.name for item in changed.items] == ["One"]
    assert [other.uuid] == [refusal.uuid for refusal in refused]
    assert other == await db.read(lambda tx: store.get(tx, other.id))


async def test_a_station_that_should_not_have_been_made_is_gone_and_its_identity_free(
    db: Database,
) -> None:
    made = await station(db, "S1")
    await db.write(lambda tx: stations.remove(tx, made))

    assert await db.read(lambda tx: store.find(tx, made.id)) is None
    assert await station(db, "S1")


async def test_one_that_charged_leaves_its_history(db: Database) -> None:
    made = await station(db, "S1")
    await db.write(lambda tx: charge(tx, made.id, ended=True))
    await db.write(lambda tx: stations.remove(tx, made))

    assert await db.read(lambda tx: tx.value("SELECT count(*) FROM transactions")) == 1
    assert await db.read(lambda tx: store.find(tx, made.id)) is None
