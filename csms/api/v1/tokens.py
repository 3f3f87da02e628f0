"""API tokens natively: list, create, revoke; the value is shown once."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.permissions import Principal, Role
from csms.domain.tokens import Token, TokenSource
from csms.errors import Forbidden, Invalid
from csms.services import tokens
from csms.store import locations as location_store
from csms.store import tokens as store
from csms.store.database import ReadTx, Tx


class TokenShape(Shape):
    """A token without its value."""

    id: str
    name: str
    role: Role
    location_ids: list[str] | None = Field(description="null: not bound, sees everything.")
    source: TokenSource
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None
    revoked_at: Instant | None


class CreatedToken(TokenShape):
    """A new token; `token` is null when an Idempotency-Key found an earlier one."""

    token: str | None = Field(description="The bearer value, shown this once.")


class TokenPage(Shape):
    """All tokens, oldest first."""

    items: list[TokenShape]
    next_cursor: str | None


class NewToken(Strict):
    """A token to create."""

    name: str = Field(min_length=1, max_length=100)
    role: Role
    location_ids: list[str] | None = Field(default=None, min_length=1, max_length=1000)
    expires_at: AwareDatetime | None = None


async def list_tokens(call: Call[None, None]) -> Reply:
    """Every token ever made."""
    _require_unbound(call.principal)

    def look(tx: ReadTx) -> list[TokenShape]:
        return [_shape(tx, token) for token in store.list_all(tx)]

    return Reply(cursor_page(await call.deps.db.read(look), None))


async def create(call: Call[NewToken, None]) -> Reply:
    """201 with the value, once."""
    wanted = call.body
    _require_unbound(call.principal)
    _check_expiry(wanted.expires_at, call.deps.clock.now())

    def make(tx: Tx) -> tuple[str, CreatedToken]:
        token, value = tokens.create(
            tx,
            name=wanted.name,
            role=wanted.role,
            location_ids=_location_ids(tx, wanted.location_ids),
            expires_at=wanted.expires_at,
        )
        return token.public_id, _created(tx, token, value)

    made, headers = await once(
        call, "token", make, again=lambda tx, found: _created(tx, store.get(tx, found), None)
    )
    return Reply(made, status=201, headers=headers)


async def revoke(call: Call[None, None]) -> Reply:
    """204; the token is refused from now on."""
    _require_unbound(call.principal)
    await call.deps.db.write(lambda tx: tokens.revoke(tx, call.path["token_id"]))
    return Reply(status=204)


def _require_unbound(principal: Principal) -> None:
    # It could give itself the reach it lacks.
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations cannot manage tokens")


def _check_expiry(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise Invalid("must be in the future", loc=("expires_at",))


def _location_ids(tx: ReadTx, uuids: list[str] | None) -> frozenset[int] | None:
    if uuids is None:
        return None
    found = {uuid: location_store.find_by_uuid(tx, uuid) for uuid in uuids}
    for index, uuid in enumerate(uuids):
        if found[uuid] is None:
            raise Invalid("location not found", loc=("location_ids", index), given=uuid)
    return frozenset(location.id for location in found.values() if location is not None)


def _shape(tx: ReadTx, token: Token) -> TokenShape:
    return TokenShape(
        id=token.public_id,
        name=token.name,
        role=token.role,
        location_ids=_uuids(tx, token.location_ids),
        source=token.source,
        created_at=times.micros(token.created_at),
        expires_at=times.micros(token.expires_at),
        last_used_at=times.micros(token.last_used_at),
        revoked_at=times.micros(token.revoked_at),
    )


def _created(tx: ReadTx, token: Token, value: str | None) -> CreatedToken:
    return CreatedToken(**_shape(tx, token).model_dump(), token=value)


def _uuids(tx: ReadTx, location_ids: frozenset[int] | None) -> list[str] | None:
    if location_ids is None:
        return None
    # A location deleted since reaches nothing any more, but stays on the token.
    found = (location_store.uuid_of(tx, location_id) for location_id in sorted(location_ids))
    return [uuid for uuid in found if uuid is not None]
