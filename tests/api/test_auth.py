"""Looking tokens up: the cache, and what empties it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csms.api.auth import Authenticator
from csms.domain.permissions import Role
from csms.errors import Unauthenticated
from csms.services import tokens
from csms.store import tokens as store

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.tokens import Token
    from csms.events import Bus
    from csms.store.database import Database


@pytest.fixture
def auth(db: Database, bus: Bus, clock: ManualClock) -> Authenticator:
    return Authenticator(db=db, bus=bus, clock=clock)


async def create(db: Database) -> tuple[Token, str]:
    return await db.write(lambda tx: tokens.create(tx, name="t", role=Role.VIEWER))


async def test_a_known_token_is_not_read_twice(
    db: Database, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, bearer = await create(db)
    await auth.principal(f"Bearer {bearer}")
    monkeypatch.setattr(db, "read", None)
    assert (await auth.principal(f"bearer  {bearer}")).id == token.public_id


async def test_a_revocation_during_the_look_up_is_not_forgotten(
    db: Database, bus: Bus, auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, bearer = await create(db)
    read = db.read

    async def slow_read(fn):
        found = await read(fn)
        monkeypatch.setattr(db, "read", read)
        await db.write(lambda tx: tokens.revoke(tx, token.public_id))
        return found

    monkeypatch.setattr(db, "read", slow_read)
    await auth.principal(f"Bearer {bearer}")
    with pytest.raises(Unauthenticated):
        await auth.principal(f"Bearer {bearer}")


async def test_the_last_use_is_stored_when_flushed(
    db: Database, auth: Authenticator, clock: ManualClock
) -> None:
    token, bearer = await create(db)
    clock.advance(5)
    await auth.principal(f"Bearer {bearer}")
    await auth.flush()
    stored = await db.read(lambda tx: store.get(tx, token.public_id))
    assert stored.last_used_at == clock.now()
