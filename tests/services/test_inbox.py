from __future__ import annotations

import pytest

from csms.domain.onboarding import Cause
from csms.domain.stations import BootReport
from csms.domain.versions import OcppVersion
from csms.errors import DuplicateIdentity, Invalid, NotFound
from csms.events import Event
from csms.services import inbox
from csms.services.inbox import (
    MAX_EVENTS_PER_MINUTE,
    MAX_NEW_OF_ORIGIN,
    MAX_NEW_PER_MINUTE,
    Place,
)
from csms.store import inbox as inbox_store
from csms.store import stations

BOOT = BootReport("Vendor", "Model", "SN", "1.0", None, "{}")


async def entries(db):
    return await db.read(inbox.list_entries)


async def test_attempts_of_one_stranger_are_one_entry_that_learns(db, clock, bus):
    events = []
    bus.subscribe(Event, events.append)
    assert await inbox.record(db, "New-1", Cause.UNKNOWN_IDENTITY, "192.0.2.9")
    clock.advance(10)
    assert await inbox.record(
        db, "NEW-1", Cause.UNKNOWN_IDENTITY, "192.0.2.9", version=OcppVersion.V16, boot=BOOT
    )
    (entry,) = await entries(db)
    assert (entry.identity, entry.attempts) == ("New-1", 2)
    assert (entry.vendor, entry.serial_number) == ("Vendor", "SN")
    assert entry.ocpp_version is OcppVersion.V16
    assert (entry.last_seen_at - entry.first_seen_at).total_seconds() == 10
    assert [event.type for event in events] == ["inbox.added"]


async def test_flood_of_strangers_is_bounded_in_rate_and_events(db, clock, bus):
    events = []
    bus.subscribe(Event, events.append)

    def flood(tx):
        return [
            inbox.note(tx, f"X{n}", Cause.UNKNOWN_IDENTITY, f"192.0.2.{n % 10}")
            for n in range(MAX_NEW_PER_MINUTE + 5)
        ]

    assert (await db.write(flood)).count(False) == 5
    assert len(events) == MAX_EVENTS_PER_MINUTE
    assert await inbox.record(db, "X0", Cause.UNKNOWN_IDENTITY, "192.0.2.0")
    clock.advance(61)
    assert await inbox.record(db, "real", Cause.UNKNOWN_IDENTITY, "192.0.2.8")


@pytest.mark.parametrize(
    ("addresses", "other"),
    [
        (lambda n: "192.0.2.9", "192.0.2.8"),
        (lambda n: f"2001:db8::{n:x}:1", "2001:db8:0:1::1"),
    ],
)
async def test_a_flood_from_one_origin_keeps_nobody_else_out(db, addresses, other):
    def flood(tx):
        return [
            inbox.note(tx, f"X{n}", Cause.UNKNOWN_IDENTITY, addresses(n))
            for n in range(MAX_NEW_OF_ORIGIN + 5)
        ]

    assert 5 == (await db.write(flood)).count(False)
    assert await inbox.record(db, "real", Cause.UNKNOWN_IDENTITY, other)


async def test_longest_unseen_entries_go_over_the_bound(db, clock, monkeypatch):
    monkeypatch.setattr(inbox_store, "MAX_ENTRIES", 3)
    for identity in ("A", "B", "C", "A", "D"):
        clock.advance(1)
        await inbox.record(db, identity, Cause.UNKNOWN_IDENTITY, "192.0.2.9")
    assert [entry.identity for entry in await entries(db)] == ["D", "A", "C"]


async def test_identity_too_long_to_be_one_is_shown_cut(db):
    await inbox.record(db, "L" * 9000, Cause.INVALID_IDENTITY, "192.0.2.9", detail="too long")
    (entry,) = await entries(db)
    assert (len(entry.identity), entry.detail) == (255, "too long")
    with pytest.raises(Invalid):
        await db.write(lambda tx: inbox.accept(tx, entry.uuid))
    assert len(await entries(db)) == 1


async def test_accept_registers_the_station_and_empties_its_entries(db, bus):
    events = []
    bus.subscribe(Event, events.append)
    await inbox.record(db, "New-1", Cause.UNKNOWN_IDENTITY, "192.0.2.9")
    await inbox.record(db, "new-1", Cause.BAD_PASSWORD, "192.0.2.10")
    await inbox.record(db, "Other", Cause.UNKNOWN_IDENTITY, "192.0.2.9")
    entry = (await entries(db))[-1]
    station, password = await db.write(lambda tx: inbox.accept(tx, entry.uuid, Place(name="Gate")))
    assert (station.identity, station.name) == (entry.identity, "Gate")
    assert len(password) == 20
    assert await db.read(lambda tx: stations.find_by_identity(tx, "NEW-1")) == station
    assert [left.identity for left in await entries(db)] == ["Other"]
    assert [event.type for event in events][-2:] == ["station.created", "station.accepted"]


async def test_accept_refuses_what_cannot_be(db):
    await inbox.record(db, "New-1", Cause.UNKNOWN_IDENTITY, "192.0.2.9")
    await inbox.record(db, "New-2", Cause.UNKNOWN_IDENTITY, "192.0.2.9")
    found = {entry.identity: entry.uuid for entry in await entries(db)}
    with pytest.raises(NotFound):
        await db.write(lambda tx: inbox.accept(tx, "nothing"))
    with pytest.raises(NotFound):
        await db.write(lambda tx: inbox.accept(tx, found["New-1"], Place(99)))
    await db.write(lambda tx: inbox.accept_without_password(tx, found["New-1"]))
    await inbox.record(db, "new-1", Cause.BAD_PASSWORD, "192.0.2.9")
    again = next(e.uuid for e in await entries(db) if e.identity == "new-1")
    with pytest.raises(DuplicateIdentity):
        await db.write(lambda tx: inbox.accept(tx, again))
