"""What shown id tokens are worth: by decision, date, spelling, group and open transactions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.clock import from_micros
from csms.domain.id_tokens import (
    AuthorizationStatus,
    Decision,
    ShownToken,
    TokenPolicy,
    UnknownIdTokens,
)
from csms.domain.resemblance import Resemblance
from csms.domain.stations import NewStation
from csms.errors import Conflict, Invalid
from csms.services import authorization, id_tokens
from csms.services.id_tokens import Settings
from csms.store import id_tokens as store
from csms.store import stations, transactions

LENIENT = TokenPolicy(UnknownIdTokens.ACCEPT, None)
STRICT = TokenPolicy(UnknownIdTokens.REFUSE, None)
ONE_AT_ONCE = TokenPolicy(UnknownIdTokens.ACCEPT, 1)
CARD = "ISO14443"


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("CP-1")))


@pytest.fixture
def keep(db):
    async def make(value, token_type="", decision=Decision.ACCEPTED, **settings):
        shown = ShownToken(value, token_type)
        return await db.write(
            lambda tx: id_tokens.create(tx, shown, Settings(decision, **settings))
        )

    return make


@pytest.fixture
def show(db):
    async def ask(value, token_type="", policy=STRICT):
        shown = ShownToken(value, token_type)
        return await db.write(lambda tx: authorization.authorize(tx, shown, policy))

    return ask


@pytest.fixture
def charge(db, station):
    """Ask for a transaction with a token; an accepted one is open from then on."""
    numbers = iter(range(100))

    async def start(value, token_type="", policy=LENIENT):
        shown = ShownToken(value, token_type)

        def ask(tx):
            found = authorization.authorize_transaction(tx, shown, policy, station_id=station.id)
            if found.status is AuthorizationStatus.ACCEPTED:
                made = transactions.insert_untold(tx, station.id, f"TX{next(numbers)}")
                tx.run(
                    "UPDATE transactions SET id_token_key = ? WHERE id = ?", (shown.key, made.id)
                )
            return found.status.value

        return await db.write(ask)

    return start


@pytest.mark.parametrize("decision", Decision)
async def test_a_token_is_worth_what_was_decided(keep, show, decision):
    await keep("Card", CARD, decision, group="FLEET")
    found = await show(" cARD", CARD)
    assert (found.status.value, found.group) == (decision.value, "FLEET")


async def test_an_accepted_token_expires_by_its_date_and_a_blocked_one_stays_blocked(
    db, keep, show
):
    now = from_micros(await db.write(lambda tx: tx.now))
    await keep("OLD", expires_at=now)
    await keep("NEW", expires_at=now + timedelta(hours=1))
    await keep("LOST", decision=Decision.BLOCKED, expires_at=now)
    found = [await show(value) for value in ("OLD", "NEW", "LOST")]
    assert [one.status.value for one in found] == ["Expired", "Accepted", "Blocked"]
    assert [one.expires_at for one in found] == [now, now + timedelta(hours=1), now]


async def test_an_alias_is_the_token_in_all_that_counts(db, keep, show, charge):
    await keep("04A1B2C3", CARD, aliases=("04A1B2C3_17001", "c3b2a104"), group="FLEET")
    for spelling in ("04a1b2c3_17001", "C3B2A104"):
        for token_type in ("", CARD):
            found = await show(spelling, token_type)
            assert (found.status.value, found.group) == ("Accepted", "FLEET")
    assert (await show("C3B2A104", "KeyCode")).status.value == "Unknown"
    assert await charge("04A1B2C3", CARD, ONE_AT_ONCE) == "Accepted"
    assert await charge("C3B2A104", "", ONE_AT_ONCE) == "ConcurrentTx"


async def test_a_spelling_that_waits_for_review_is_taken_over_by_the_token_it_becomes(
    db, keep, show
):
    await show("c3b2a104")
    kept = await keep("04A1B2C3", aliases=("C3B2A104",))
    assert (await show("c3b2a104")).status.value == "Accepted"
    assert [one.id for one in await db.read(lambda tx: store.list_by_key(tx, "c3b2a104"))] == [
        kept.id
    ]


async def test_an_alias_means_one_token_only(db, keep):
    await keep("A", aliases=("X",))
    with pytest.raises(Conflict):
        await keep("B", aliases=("x",))
    with pytest.raises(Conflict):
        await keep("x")
    assert await db.read(lambda tx: store.find(tx, "b")) is None


async def test_a_token_has_a_limit_of_its_own_or_that_of_the_server(keep, charge):
    await keep("TWO", max_open_transactions=2)
    await keep("ONE")
    words = [await charge("TWO", policy=ONE_AT_ONCE) for _ in range(3)]
    assert words == ["Accepted", "Accepted", "ConcurrentTx"]
    assert [await charge("ONE", policy=ONE_AT_ONCE) for _ in range(2)][-1] == "ConcurrentTx"
    assert [await charge("ONE") for _ in range(2)] == ["Accepted"] * 2


async def test_a_token_at_its_limit_may_still_be_shown_to_stop(keep, show, charge):
    await keep("ONE", max_open_transactions=1)
    assert await charge("ONE") == "Accepted"
    assert (await show("ONE")).status.value == "Accepted"


async def test_a_master_is_accepted_with_its_group_and_starts_nothing(keep, show, charge):
    await keep("BOSS", group="MASTER", is_master=True)
    found = await show("boss")
    assert (found.status.value, found.group) == ("Accepted", "MASTER")
    assert await charge("boss") == "Invalid"


def test_a_master_needs_a_group():
    with pytest.raises(Invalid):
        Settings(Decision.ACCEPTED, is_master=True)


async def test_what_was_seen_last_and_where_is_kept(db, station, clock):
    shown = ShownToken("STRANGER")

    async def show_at(station_id):
        await db.write(
            lambda tx: authorization.authorize(tx, shown, LENIENT, station_id=station_id)
        )
        return await db.read(lambda tx: store.find(tx, "stranger"))

    first = await show_at(None)
    moved = await show_at(station.id)
    assert (first.last_station_id, moved.last_station_id) == (None, station.id)
    again = await show_at(station.id)
    assert again.last_seen_at == moved.last_seen_at
    clock.advance(61)
    assert (await show_at(station.id)).last_seen_at > moved.last_seen_at
    assert (await show_at(None)).last_station_id == station.id


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("F6E5D4C3B2A104", [("reversed", "04A1B2C3D4E5F6")]),
        ("04a1b2c3d4e5", [("byte_missing", "04A1B2C3D4E5F6")]),
        ("04A1B2C3D4E5F6_17001", [("serial_appended", "04A1B2C3D4E5F6")]),
        ("04 a1 b2 c3 d4 e5 f6", [("separators", "04A1B2C3D4E5F6")]),
        ("DE-ABC-C12", [("cut_off", "DE-ABC-C12345")]),
        ("DE", []),
        ("SOMEBODY ELSE", []),
    ],
)
async def test_an_unknown_token_is_told_what_it_looks_like(db, keep, show, shown, expected):
    await keep("04A1B2C3D4E5F6", CARD)
    await keep("DE-ABC-C12345", "eMAID")
    await show("04A1B2C3D4E5F7")  # unknown itself, so no hint
    await show(shown)
    found = await db.read(
        lambda tx: id_tokens.hints(tx, store.get(tx, tx.value("SELECT max(id) FROM id_tokens")))
    )
    assert [(hint.resemblance.value, hint.token.value) for hint in found] == expected


KEBA = TokenPolicy(UnknownIdTokens.REFUSE, None, frozenset({Resemblance.SERIAL_APPENDED}))
EVERY = TokenPolicy(UnknownIdTokens.REFUSE, None, frozenset(Resemblance))


async def aliases(db):
    return await db.read(
        lambda tx: [row[0] for row in tx.all("SELECT value FROM id_token_aliases ORDER BY value")]
    )


@pytest.mark.parametrize("decision", [Decision.ACCEPTED, Decision.BLOCKED])
async def test_a_spelling_of_the_station_is_the_known_token(db, keep, show, decision):
    await keep("12345678", "", decision)
    assert (await show("12345678_17001", policy=STRICT)).status is AuthorizationStatus.UNKNOWN
    for _ in range(2):
        found = await show("12345678_17001", policy=KEBA)
        assert found.status.value == decision.value
    assert await aliases(db) == ["12345678_17001"]
    assert await db.read(lambda tx: tx.value("SELECT count(*) FROM id_tokens")) == 1


async def test_a_spelling_in_another_way_stays_unknown(db, keep, show):
    await keep("12345678")
    for shown in ("123456789", "78563412", "12:34:56:78", "1234567_17001"):
        assert (await show(shown, policy=KEBA)).status is AuthorizationStatus.UNKNOWN
    assert await aliases(db) == []


async def test_a_spelling_of_two_tokens_is_none_of_them(db, keep, show):
    for last_byte in ("00", "FF"):
        await keep(f"04A1B2C3D4E5{last_byte}")
    assert (await show("04A1B2C3D4E5", policy=EVERY)).status is AuthorizationStatus.UNKNOWN
    assert await aliases(db) == []


async def test_a_token_of_another_type_is_not_meant(keep, show):
    await keep("12345678", "eMAID")
    found = await show("12345678_17001", CARD, policy=KEBA)
    assert found.status is AuthorizationStatus.UNKNOWN


async def test_an_own_decision_goes_before_what_a_spelling_may_mean(keep, show):
    await keep("12345678")
    await keep("12345678_17001", "", Decision.BLOCKED)
    assert (await show("12345678_17001", policy=KEBA)).status is AuthorizationStatus.BLOCKED


async def test_all_spellings_count_as_one_token(keep, charge):
    await keep("12345678", max_open_transactions=1)
    assert await charge("12345678_17001", policy=KEBA) == "Accepted"
    assert await charge("12345678_17002", policy=KEBA) == "ConcurrentTx"


async def test_only_so_many_spellings_are_kept(db, keep, show, monkeypatch):
    monkeypatch.setattr(id_tokens, "MAX_ALIASES", 2)
    await keep("12345678")
    for number in range(4):
        found = await show(f"12345678_{number}", policy=KEBA)
        assert found.status is AuthorizationStatus.ACCEPTED
    assert await aliases(db) == ["12345678_0", "12345678_1"]


async def test_a_stop_learns_nothing(db, keep):
    await keep("12345678", group="FLEET")
    shown = ShownToken("12345678_17001")
    found = await db.write(lambda tx: authorization.look_up(tx, shown, KEBA))
    assert found is not None
    assert found.group == "FLEET"
    assert await aliases(db) == []
