"""How often passwords are guessed at, and how many knock and are held from one address."""

from __future__ import annotations

import asyncio
import threading

import aiohttp
import pytest

from csms.domain.onboarding import Cause, Onboarding
from csms.domain.versions import OcppVersion
from csms.ocpp.attempts import PER_ADDRESS, PER_IDENTITY
from csms.ocpp.endpoint import MAX_AT_ONE_IDENTITY
from csms.ocpp.throttle import Throttle
from csms.services import credentials, inbox
from csms.services.credentials import Passwords
from tests.ocpp.conftest import Client, Server, Start, basic
from tests.ocpp.test_endpoint import causes, knock, refused

WRONG = "wrong-password-000"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "slow_hash", lambda salt, password: salt + password)


async def guess(server: Server, identity: str, number: int) -> list[int]:
    """Show so many wrong passwords at once; returns how they were answered."""
    wrong = (f"wrong-password-{n}" for n in range(number))
    return sorted(await asyncio.gather(*(refused(server, identity, one) for one in wrong)))


async def at_home(server: Server, identity: str) -> str:
    """Register one that was here before; its password."""
    station, password = await server.register(identity)
    await (await server.connect(identity, password)).close()
    await server.until(lambda: not server.hub.is_connected(station.id))
    return password


async def detail_of(server: Server, identity: str) -> str | None:
    entries = await server.db.read(inbox.list_entries)
    return next(entry.detail for entry in entries if entry.identity == identity)


def used_up(server: Server, *, address: str = "127.0.0.1", identity: str = "", number: int) -> None:
    """Others have guessed so often within this second."""
    now = asyncio.get_running_loop().time()
    for n in range(number):
        server.endpoint._guesses._attempts.failed(address, identity or f"other {n}", now)


# ---- guesses ---------------------------------------------------------------------------------


async def test_who_guesses_is_not_listened_to_after_a_while(server: Server) -> None:
    station, _ = await server.register("S")
    assert [401] * PER_IDENTITY + [429] * 5 == await guess(server, "S", PER_IDENTITY + 5)
    status, headers, text = await knock(server, Authorization=basic("S", WRONG))
    assert (429, "too many attempts\n") == (status, text)
    assert 0 < int(headers["Retry-After"]) <= 60
    assert ("S", Cause.TOO_MANY_ATTEMPTS) in await causes(server)
    assert not server.hub.is_connected(station.id)


async def test_guesses_at_a_station_do_not_keep_it_out_where_it_was_before(server: Server) -> None:
    password = await at_home(server, "S")
    await guess(server, "S", PER_IDENTITY + 5)
    await server.connect("S", password)


@pytest.mark.parametrize("of", ["the identity", "the address"])
@pytest.mark.parametrize("mode", [Onboarding.CLOSED, Onboarding.MANUAL])
async def test_whose_home_it_is_guesses_do_not_tell(
    start: Start, quick: None, mode: Onboarding, of: str
) -> None:
    server = await start(onboarding=mode)
    password = await at_home(server, "GENERATED")
    await at_home(server, "CHOSEN")
    await server.db.write(
        lambda tx: credentials.store_supplied(tx, 2, credentials.Hashed(b"s", b"h"))
    )
    for name in ("generated", "chosen", "nobody"):
        if of == "the identity":
            used_up(server, address="192.0.2.1", identity=name, number=PER_IDENTITY)
    if of == "the address":
        used_up(server, number=PER_ADDRESS)
    for name in ("GENERATED", "CHOSEN", "NOBODY"):
        wrong = basic(name, WRONG), basic("ANOTHER", WRONG)
        answers = [await knock(server, f"/ocpp/{name}", Authorization=one) for one in wrong]
        assert [(429, "too many attempts\n")] * 2 == [(one[0], one[2]) for one in answers], name
    await server.connect("GENERATED", password)


async def test_an_unknown_identity_is_guessed_at_alike(start: Start, quick: None) -> None:
    server = await start(onboarding=Onboarding.CLOSED)
    await at_home(server, "S")
    as_known = await guess(server, "S", PER_IDENTITY + 1)
    assert [401] * PER_IDENTITY + [429] == as_known
    assert as_known == await guess(server, "nobody", PER_IDENTITY + 1)


async def test_closed_says_too_many_on_the_same_grid(start: Start) -> None:
    server = await start(onboarding=Onboarding.CLOSED)
    await at_home(server, "S")
    used_up(server, number=PER_ADDRESS)
    loop, took = asyncio.get_running_loop(), []
    for name in ("S", "nobody"):
        began = loop.time()
        assert 429 == await refused(server, name, WRONG)
        took.append(loop.time() - began)
    assert min(took) > 0.2


async def test_a_station_that_shows_no_password_does_not_guess(start: Start) -> None:
    server = await start(onboarding=Onboarding.CLOSED)
    await server.register("S")
    knocks = (refused(server, "S") for _ in range(PER_IDENTITY + 5))
    assert {401} == set(await asyncio.gather(*knocks))
    assert [401] == await guess(server, "S", 1)
    used_up(server, number=PER_ADDRESS)  # some show theirs only after they were asked for it
    assert [401, 401] == [await refused(server, name) for name in ("S", "nobody")]


# ---- slow checks -----------------------------------------------------------------------------


async def test_guesses_at_one_do_not_stand_before_the_others(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start()
    for name in ("VICTIM", "OTHER"):
        await at_home(server, name)
    passwords = Passwords(server.db, b"")
    await passwords.set_supplied(1, b"the-password-of-VICTIM")
    await passwords.set_supplied(2, b"the-password-of-OTHER")
    real, go_on, order = credentials.slow_hash, threading.Event(), list[bytes]()

    def hashed(salt: bytes, password: bytes) -> bytes:
        go_on.wait()
        order.append(password)
        return real(salt, password) if b"OTHER" in password else b"wrong"

    monkeypatch.setattr(credentials, "slow_hash", hashed)
    crowds = server.endpoint._crowds_at_one._crowds

    def there(key: str) -> int:
        return crowds[key].there if key in crowds else 0

    attack = asyncio.ensure_future(guess(server, "VICTIM", 18))
    await server.until(lambda: there("127.0.0.1 victim") == 18)
    other = asyncio.ensure_future(server.connect("OTHER", "the-password-of-OTHER"))
    await server.until(lambda: there("127.0.0.1 other"))
    await server.until(lambda: len(server.endpoint._passwords._slow._waiters or ()) > 2)
    go_on.set()
    await other
    assert MAX_AT_ONE_IDENTITY >= order.index(b"the-password-of-OTHER")
    assert [401] * 18 == await attack


@pytest.mark.parametrize(("guesses", "cause"), [(0, "server_full"), (20, "too_many_attempts")])
async def test_who_waited_too_long_is_told_so_in_the_inbox(
    start: Start, guesses: int, cause: str
) -> None:
    server = await start(handshake_timeout_s=0.1)
    await at_home(server, "S")
    await Passwords(server.db, b"").set_supplied(1, b"a-persons-password")
    used_up(server, identity="s", number=guesses)
    queue = server.endpoint._passwords._slow
    async with queue, queue:
        assert 503 == await refused(server, "S", "a-persons-password")
    entry = (await server.db.read(inbox.list_entries))[0]
    assert (Cause(cause), "it was not its turn within 0.1 s") == (entry.cause, entry.detail)


async def test_nobody_waits_for_an_answer_because_the_disk_does(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csms.ocpp.strangers.NOTE_WITHIN_S", 0.05)
    await server.register("S")
    go_on = threading.Event()
    stuck = asyncio.ensure_future(server.db.write(lambda tx: go_on.wait()))
    try:
        async with asyncio.timeout(10):
            assert 401 == await refused(server, "S", WRONG)
    finally:
        go_on.set()
        await stuck


# ---- held ------------------------------------------------------------------------------------


async def test_a_storm_of_unknown_stations_is_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csms.ocpp.strangers.MAX_HELD", 3)
    clients: list[Client] = [await server.connect(f"N{number}") for number in range(3)]
    assert await refused(server, "N3") == 503
    assert len(clients) == server.hub.held_count
    entry = (await server.db.read(inbox.list_entries))[0]
    assert ("N3", "it was not held: 3 others are") == (entry.identity, entry.detail)
    assert OcppVersion.V16 is entry.ocpp_version


async def test_one_address_does_not_take_every_place(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csms.ocpp.strangers.MAX_HELD_OF_ADDRESS", 3)
    knocks = (server.connect(f"N{number}") for number in range(10))
    answers = await asyncio.gather(*knocks, return_exceptions=True)
    inside = [one for one in answers if isinstance(one, Client)]
    assert (3, 3) == (len(inside), server.hub.held_count)
    mine = next(n for n, one in enumerate(answers) if one is inside[0])
    await server.connect(f"N{mine}")  # in the place of its older socket
    await inside[0].closed()
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with (
        aiohttp.ClientSession(connector=connector) as elsewhere,
        elsewhere.ws_connect(server.url("/ocpp/FAR", "ws"), protocols=("ocpp1.6",)),
    ):
        assert 4 == server.hub.held_count
    assert 503 == await refused(server, "LAST")
    assert "it was not held: 3 others from its address are" == await detail_of(server, "LAST")
    await inside[1].close()
    await server.until(lambda: server.hub.held_count < 3)
    await server.connect("LAST")
    server.endpoint._strangers._notes = Throttle(0)  # the next one in the same second
    await server.connect("LAST")
    assert await detail_of(server, "LAST") is None
