from __future__ import annotations

import asyncio
import threading

import pytest

from csms.domain.credentials import Verdict
from csms.domain.stations import NewStation
from csms.errors import Invalid
from csms.services import credentials
from csms.services.credentials import Passwords
from csms.store import stations
from csms.store.database import Database
from tests.door import verify

ANY_BYTES = [bytes((value,) * 16) for value in range(0, 256, 5)]


@pytest.fixture
async def passwords(db: Database) -> Passwords:
    return Passwords(db, b"i" * 32)


@pytest.fixture
async def station_id(db: Database) -> int:
    return (await db.write(lambda tx: stations.insert(tx, NewStation("A")))).id


@pytest.fixture
async def virtual_id(db: Database) -> int:
    return (await db.write(lambda tx: stations.insert(tx, NewStation("V", virtual=True)))).id


async def test_station_without_a_password_is_told_apart(passwords, station_id):
    assert await verify(passwords, station_id, b"x" * 20) is Verdict.NONE_SET
    assert await verify(passwords, station_id, None) is Verdict.NONE_SET


async def test_generated_password_opens_raw_and_as_hex(db, passwords, station_id):
    password = await db.write(lambda tx: passwords.rotate(tx, station_id))
    assert await verify(passwords, station_id, password.encode()) is Verdict.OK
    assert await verify(passwords, station_id, password.encode().hex().encode()) is Verdict.OK
    assert await verify(passwords, station_id, password.lower().encode()) is Verdict.BAD
    assert await verify(passwords, station_id, b"") is Verdict.BAD
    assert await verify(passwords, station_id, None) is Verdict.BAD


async def test_rotation_ends_the_old_password(db, passwords, station_id):
    old = await db.write(lambda tx: passwords.rotate(tx, station_id))
    new = await db.write(lambda tx: passwords.rotate(tx, station_id))
    assert await verify(passwords, station_id, old.encode()) is Verdict.BAD
    assert await verify(passwords, station_id, new.encode()) is Verdict.OK


async def test_nothing_stored_reveals_a_generated_password(db, passwords, station_id):
    password = await db.write(lambda tx: passwords.rotate(tx, station_id))
    content = b"".join(
        path.read_bytes() for path in db.path.parent.iterdir() if path.name.startswith("csms")
    )
    assert password.encode() not in content


async def test_virtual_station_has_a_derived_password_without_any_row(db, passwords, virtual_id):
    first = passwords.derived(virtual_id, 1)
    assert await verify(passwords, virtual_id, first.encode(), virtual=True) is Verdict.OK
    assert await db.read(lambda tx: credentials.derived_rotation(tx, virtual_id)) == 1
    second = await db.write(lambda tx: passwords.rotate(tx, virtual_id))
    third = await db.write(lambda tx: passwords.rotate(tx, virtual_id))
    number = await db.read(lambda tx: credentials.derived_rotation(tx, virtual_id))
    assert passwords.derived(virtual_id, number) == third
    assert len({first, second, third}) == 3
    assert await verify(passwords, virtual_id, second.encode(), virtual=True) is Verdict.BAD
    assert await verify(passwords, virtual_id, third.encode(), virtual=True) is Verdict.OK
    rows = await db.read(lambda tx: tx.all("SELECT salt, hash FROM credentials"))
    assert [tuple(row) for row in rows] == [(None, None)]


async def test_supplied_password_is_checked_slowly_once(db, passwords, station_id, monkeypatch):
    hashed = []

    def counting(salt, password):
        hashed.append(password)
        return b"digest of " + password

    monkeypatch.setattr(credentials, "slow_hash", counting)
    await passwords.set_supplied(station_id, b"person's password")
    for _ in range(3):
        assert await verify(passwords, station_id, b"person's password") is Verdict.OK
    assert len(hashed) == 2
    assert await verify(passwords, station_id, b"somebody else's") is Verdict.BAD
    await passwords.set_supplied(station_id, b"another password")
    assert await verify(passwords, station_id, b"person's password") is Verdict.BAD


async def test_supplied_password_of_any_bytes_is_stored_as_scrypt(db, passwords, station_id):
    password = b"\xff\x00:\xc3(" + b"binary\x80 bytes"
    await passwords.set_supplied(station_id, password)
    assert await verify(passwords, station_id, password) is Verdict.OK
    assert await verify(passwords, station_id, password[:-1]) is Verdict.BAD


async def test_at_most_two_slow_hashes_run_at_once(passwords, station_id, monkeypatch):
    running = most = 0
    two_run, release = asyncio.Event(), asyncio.Event()

    async def in_thread(function, *args):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            two_run.set()
        await release.wait()
        running -= 1
        return b"digest"

    monkeypatch.setattr(credentials.asyncio, "to_thread", in_thread)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(passwords.set_supplied(station_id, b"x" * 16)) for _ in range(5)
        ]
        await two_run.wait()
        release.set()
    assert all(task.done() for task in waiting)
    assert most == 2


async def test_every_byte_value_is_a_password(db, passwords, station_id, monkeypatch):
    monkeypatch.setattr(credentials, "slow_hash", lambda salt, password: salt + password)
    for password in ANY_BYTES:
        await passwords.set_supplied(station_id, password)
        assert await verify(passwords, station_id, password) is Verdict.OK
        assert await verify(passwords, station_id, password + b"x") is Verdict.BAD


async def test_too_short_a_supplied_password_stores_nothing(db, passwords, station_id):
    with pytest.raises(Invalid):
        await passwords.set_supplied(station_id, b"short")
    assert await verify(passwords, station_id, b"short") is Verdict.NONE_SET


@pytest.mark.parametrize("at_home", [True, False])
async def test_a_slow_hash_keeps_its_place_when_nobody_waits_for_it_any_more(
    passwords, station_id, monkeypatch, at_home
):
    await passwords.set_supplied(station_id, b"a person's password")
    running, go_on = threading.Semaphore(0), threading.Event()

    def blocked(salt, password):
        running.release()
        go_on.wait()
        return b"digest"

    monkeypatch.setattr(credentials, "slow_hash", blocked)
    line = passwords._slow if at_home else passwords._slow_for_strangers
    checks = [
        asyncio.ensure_future(verify(passwords, station_id, b"x" * 16, at_home=at_home))
        for _ in range(2)
    ]
    for _ in checks:
        await asyncio.to_thread(running.acquire)
        line_is_full = line.locked()
    for check in checks:
        check.cancel()
    await asyncio.gather(*checks, return_exceptions=True)
    is_still_full = line.locked()
    go_on.set()
    assert (True, True) == (line_is_full, is_still_full)
    async with asyncio.timeout(10), line:
        pass
