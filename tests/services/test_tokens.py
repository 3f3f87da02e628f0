"""Tokens: their form, and those of the environment, the command line and the first start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from csms.domain.permissions import Role, Scope
from csms.domain.tokens import Token, TokenSource
from csms.errors import Invalid, NotFound
from csms.services import tokens
from csms.store import tokens as store

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.store.database import Database

CHOSEN = "a token of my own choosing"


async def find(db: Database, bearer: str) -> Token | None:
    return await db.read(lambda tx: store.find_by_digest(tx, tokens.digest(bearer)))


async def is_valid(db: Database, clock: ManualClock, bearer: str) -> bool:
    found = await find(db, bearer)
    return found is not None and found.valid_at(clock.now())


async def test_a_generated_token_has_more_than_160_bits(db: Database) -> None:
    token, bearer = await db.write(lambda tx: tokens.create(tx, name="t", role=Role.VIEWER))
    match = re.fullmatch(r"csms_([A-Za-z0-9]+)_([A-Za-z0-9]{32})", bearer)
    assert match is not None
    assert match[1] == token.public_id


async def test_a_token_for_a_dead_location_is_refused(db: Database) -> None:
    with pytest.raises(NotFound):
        await db.write(
            lambda tx: tokens.create(tx, name="t", role=Role.VIEWER, location_ids=frozenset({99}))
        )


async def test_the_environment_token_is_an_admin(db: Database, clock: ManualClock) -> None:
    await tokens.ensure_environment_token(db, CHOSEN)
    found = await find(db, CHOSEN)
    assert found is not None
    assert (found.role, found.source) == (Role.ADMIN, TokenSource.ENVIRONMENT)


async def test_a_second_start_changes_nothing(db: Database) -> None:
    await tokens.ensure_environment_token(db, CHOSEN)
    before = await find(db, CHOSEN)
    await tokens.ensure_environment_token(db, CHOSEN)
    assert await find(db, CHOSEN) == before


async def test_a_new_value_revokes_the_former_one(db: Database, clock: ManualClock) -> None:
    await tokens.ensure_environment_token(db, CHOSEN)
    await tokens.ensure_environment_token(db, CHOSEN + "!")
    assert not await is_valid(db, clock, CHOSEN)
    assert await is_valid(db, clock, CHOSEN + "!")
    await tokens.ensure_environment_token(db, CHOSEN)
    assert await is_valid(db, clock, CHOSEN)
    assert not await is_valid(db, clock, CHOSEN + "!")


async def test_without_a_value_the_former_one_is_revoked(db: Database, clock: ManualClock) -> None:
    await tokens.ensure_environment_token(db, CHOSEN)
    await tokens.ensure_environment_token(db, None)
    assert not await is_valid(db, clock, CHOSEN)


async def test_a_created_token_named_by_the_environment_becomes_an_admin(db: Database) -> None:
    _, bearer = await db.write(lambda tx: tokens.create(tx, name="t", role=Role.VIEWER))
    await tokens.ensure_environment_token(db, bearer)
    found = await find(db, bearer)
    assert found is not None
    assert found.role is Role.ADMIN


async def test_a_short_value_is_refused(db: Database) -> None:
    with pytest.raises(Invalid):
        await tokens.ensure_environment_token(db, "x" * 15)


async def test_each_start_renews_the_token_of_the_command_line(
    db: Database, clock: ManualClock
) -> None:
    first = await tokens.renew_cli_token(db)
    second = await tokens.renew_cli_token(db)
    assert [await is_valid(db, clock, bearer) for bearer in (first, second)] == [False, True]


async def test_the_command_line_and_who_may_not_do_all_are_no_admins(
    db: Database, clock: ManualClock
) -> None:
    async def has_admin() -> bool:
        return await db.read(lambda tx: tokens.has_admin(tx, clock.now()))

    await tokens.renew_cli_token(db)
    for scopes in (None, frozenset({Scope.STATIONS_READ})):
        role = Role.ADMIN if scopes else Role.OPERATOR
        await db.write(lambda tx, r=role, s=scopes: tokens.create(tx, name="t", role=r, scopes=s))
    assert not await has_admin()
    token, _ = await db.write(lambda tx: tokens.create(tx, name="t", role=Role.ADMIN))
    assert await has_admin()
    await db.write(lambda tx: tokens.revoke(tx, token.public_id))
    assert not await has_admin()
