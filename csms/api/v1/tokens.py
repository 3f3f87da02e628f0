"""API tokens natively: list, create, change, revoke; the value is shown once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field

from csms.api import cursors, times
from csms.api.models import Page, Shape, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.permissions import SCOPES, Principal, Role, Scope, least_role
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
    scopes: list[Scope] = Field(description="What it may do, whether by its role or by name.")
    location_ids: list[str] | None = Field(description="null: not bound, sees everything.")
    source: TokenSource
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="To the minute.")
    revoked_at: Instant | None

    @classmethod
    def of(cls, tx: ReadTx, token: Token) -> TokenShape:
        """The token as it is shown."""
        return cls(**_fields(tx, token))


class CreatedToken(TokenShape):
    """A new token; `token` is null when an Idempotency-Key found an earlier one."""

    token: str | None = Field(description="The bearer value, shown this once.")

    @classmethod
    def made(cls, tx: ReadTx, token: Token, value: str | None) -> CreatedToken:
        """The token with its value, while it is known."""
        return cls(**_fields(tx, token), token=value)


class TokenPage(Shape):
    """Tokens, revoked ones too, oldest first."""

    items: list[TokenShape]
    next_cursor: str | None


_SCOPES = Field(
    default=None,
    min_length=1,
    max_length=len(Scope),
    description="Only these; the role, left out, is then the lowest that includes them.",
)
_LOCATIONS = Field(default=None, min_length=1, max_length=1000)


class NewToken(Strict):
    """A token to create: with a role, or with the scopes of one."""

    name: str = Field(min_length=1, max_length=100)
    role: Role | None = None
    scopes: list[Scope] | None = _SCOPES
    location_ids: list[str] | None = _LOCATIONS
    expires_at: AwareDatetime | None = None


class TokenChanges(Strict):
    """What is left out stays; null takes a limit away. `role` alone gives all of its scopes."""

    name: str = Field(default="", min_length=1, max_length=100)
    role: Role = Role.VIEWER
    scopes: list[Scope] | None = _SCOPES
    location_ids: list[str] | None = _LOCATIONS
    expires_at: AwareDatetime | None = None


_PLAIN = frozenset({"name", "expires_at"})


async def list_tokens(call: Call[None, Page]) -> Reply:
    """Every token ever made."""
    _require_unbound(call.principal)
    limit, after_id = call.query.limit, cursors.read(call.query.cursor)

    def look(tx: ReadTx) -> tuple[list[TokenShape], int | None]:
        found = store.list_page(tx, after_id=after_id, limit=limit + 1)
        shown = found[:limit]
        more = shown[-1].id if len(found) > limit else None
        return [TokenShape.of(tx, token) for token in shown], more

    items, more = await call.deps.db.read(look)
    return Reply(cursor_page(items, None if more is None else cursors.write(more)))


async def show(call: Call[None, None]) -> Reply:
    """One token, revoked or not."""
    _require_unbound(call.principal)

    def look(tx: ReadTx) -> TokenShape:
        return TokenShape.of(tx, store.get(tx, call.path["token_id"]))

    return Reply(await call.deps.db.read(look))


async def create(call: Call[NewToken, None]) -> Reply:
    """201 with the value, once."""
    wanted = call.body
    _require_unbound(call.principal)
    _check_expiry(wanted.expires_at, call.deps.clock.now())
    role, scopes = _rights(wanted.role, wanted.scopes)
    tokens.require_grantable(call.principal, Principal("", "", role, only=scopes))

    def make(tx: Tx) -> tuple[str, CreatedToken]:
        token, value = tokens.create(
            tx,
            name=wanted.name,
            role=role,
            scopes=scopes,
            location_ids=_location_ids(tx, wanted.location_ids),
            expires_at=wanted.expires_at,
        )
        return token.public_id, CreatedToken.made(tx, token, value)

    made, headers = await once(
        call,
        "token",
        make,
        again=lambda tx, found: CreatedToken.made(tx, store.get(tx, found), None),
    )
    return Reply(made, status=201, headers={**headers, "Location": f"/api/v1/tokens/{made.id}"})


async def change(call: Call[TokenChanges, None]) -> Reply:
    """200; what it may do counts at once, its value stays."""
    wanted, given = call.body, call.body.model_fields_set
    _require_unbound(call.principal)
    _check_expiry(wanted.expires_at, call.deps.clock.now())

    def make(tx: Tx) -> TokenShape:
        token = store.get(tx, call.path["token_id"])
        changes: dict[str, Any] = {name: getattr(wanted, name) for name in given & _PLAIN}
        if "location_ids" in given:
            changes["location_ids"] = _location_ids(tx, wanted.location_ids)
        if given & {"role", "scopes"}:
            role = wanted.role if "role" in given else None
            if role is None and wanted.scopes is None:
                role = token.role
            changes["role"], changes["scopes"] = _rights(role, wanted.scopes)
        changed = replace(token, **changes)
        tokens.require_grantable(call.principal, changed.principal)
        return TokenShape.of(tx, tokens.change(tx, changed))

    return Reply(await call.deps.db.write(make))


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


def _fields(tx: ReadTx, token: Token) -> dict[str, Any]:
    return {
        "id": token.public_id,
        "name": token.name,
        "role": token.role,
        "scopes": sorted(token.principal.scopes),
        "location_ids": _uuids(tx, token.location_ids),
        "source": token.source,
        "created_at": times.micros(token.created_at),
        "expires_at": times.micros(token.expires_at),
        "last_used_at": times.micros(token.last_used_at),
        "revoked_at": times.micros(token.revoked_at),
    }


def _rights(role: Role | None, scopes: list[Scope] | None) -> tuple[Role, frozenset[Scope] | None]:
    """Role and scopes as they are kept; raises Invalid when they contradict each other."""
    if scopes is None:
        if role is None:
            raise Invalid("a role or scopes are needed", loc=("role",), kind="missing")
        return role, None
    wanted = frozenset(scopes)
    if role is None:
        return least_role(wanted), wanted
    for index, scope in enumerate(scopes):
        if scope not in SCOPES[role]:
            raise Invalid(
                f"the role {role.value} does not include it", loc=("scopes", index), given=scope
            )
    return role, wanted


def _uuids(tx: ReadTx, location_ids: frozenset[int] | None) -> list[str] | None:
    if location_ids is None:
        return None
    # A location deleted since reaches nothing any more, but stays on the token.
    return list(location_store.uuids_of(tx, location_ids).values())
