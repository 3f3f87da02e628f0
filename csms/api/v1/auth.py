"""The caller natively: what its token is and may do, and how a person signs in to the page."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api import peers, sessions, times
from csms.api.limits import LIMITS
from csms.api.models import Shape, Strict
from csms.api.recording import asked_for
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant
from csms.api.v1.tokens import TokenShape
from csms.domain.permissions import Role, Scope
from csms.domain.tokens import Token
from csms.errors import Forbidden, Invalid
from csms.services import sessions as service
from csms.services import tokens
from csms.store import audit
from csms.store import tokens as store
from csms.store.database import ReadTx, Tx


class SignIn(Strict):
    """One of the two."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="What the sign-in link carries."
    )
    token: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="An API token, which the browser need not keep then."
    )


class OwnSession(Shape):
    """The session that the cookie of the request is of."""

    id: str
    expires_at: Instant = Field(description="Unless it is used again; 7 days at most.")
    csrf_token: str = Field(
        description="Goes into the header X-CSRF-Token of what changes something."
    )


class Me(TokenShape):
    """The caller's token, and the session that stands for it."""

    session: OwnSession | None = Field(description="null: the request showed the token itself.")


class NewLink(Strict):
    """For whom a link is."""

    token_id: str | None = Field(
        default=None,
        max_length=100,
        description="With the rights of this token; left out: of the caller's own.",
    )


class SignInLink(Shape):
    """What comes after `/#sign-in=` in the page's address."""

    secret: str | None = Field(description="Shown this once; null in a repeated answer.")
    expires_at: Instant


async def show_me(call: Call[None, None]) -> Reply:
    """200 for every valid token."""
    principal, cookie = call.principal, None
    if principal.session_id is not None:
        cookie = sessions.cookie_of(call.request)

    def look(tx: ReadTx) -> Me:
        shown = TokenShape.of(tx, store.get(tx, principal.id)).model_dump()
        if cookie is None or principal.session_id is None:
            return Me(**shown, session=None)
        own = OwnSession(
            id=principal.session_id,
            expires_at=times.micros(principal.expires_at),
            csrf_token=service.csrf_token(cookie),
        )
        return Me(**shown, session=own)

    return Reply(await call.deps.db.read(look), headers={"Cache-Control": "no-store"})


async def create_link(call: Call[NewLink | None, None]) -> Reply:
    """201 with what the link carries; good once, and for an hour."""
    caller = call.principal
    token_id = None if call.body is None else call.body.token_id

    def look(tx: ReadTx) -> Token:
        if token_id is None or token_id == caller.id:
            return store.get(tx, caller.id)
        if not caller.may(Scope.TOKENS_MANAGE) or caller.location_ids is not None:
            raise Forbidden("Only who manages tokens signs others in")
        token = store.get(tx, token_id)
        if not token.valid_at(call.deps.clock.now()):
            raise Invalid("is not valid", loc=("token_id",))
        tokens.require_grantable(caller, token.principal)
        return token

    token = await call.deps.db.read(look)
    secret, until = call.deps.sign_in.open(token.public_id)
    made = SignInLink(secret=secret, expires_at=times.micros(until))
    return Reply(made, status=201, headers={"Cache-Control": "no-store"})


async def sign_in(call: Call[SignIn, None]) -> Reply:
    """201 with a cookie, and what the page must know beside it; the session before is over."""
    request, wanted = call.request, call.body
    sessions.require_own_page(request)
    if (wanted.code is None) == (wanted.token is None):
        raise Invalid("a code or a token is needed", loc=("code",))
    token_id = None
    if wanted.token is not None:
        token_id = (await request.app[LIMITS].bearer_of(request, wanted.token)).id
    elif wanted.code is not None:
        token_id = call.deps.sign_in.take(wanted.code)
    agent, address = request.headers.get("User-Agent", ""), peers.address_of(request)
    former = sessions.cookie_of(request)

    def begin(tx: Tx) -> tuple[Me, str]:
        if token_id is None:
            token, _ = tokens.create(tx, name="first sign-in", role=Role.ADMIN)
        else:
            token = store.get(tx, token_id)
            if not token.valid_at(call.deps.clock.now()):
                raise Invalid("the link's token is not valid any more", code="sign_in_over")
        session, secret = service.begin(
            tx, token, address=address, user_agent=agent, instead_of=former
        )
        asked = asked_for(request, call.route, token.principal)
        audit.update_result(tx, audit.insert(tx, asked), status=201, code=None)
        shown: dict[str, Any] = TokenShape.of(tx, token).model_dump()
        own = OwnSession(
            id=session.public_id,
            expires_at=times.micros(session.ends_at(session.created_at)),
            csrf_token=service.csrf_token(secret),
        )
        return Me(**shown, session=own), secret

    me, secret = await call.deps.db.write(begin)
    return sessions.given(request, Reply(me, status=201), secret)
