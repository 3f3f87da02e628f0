"""Who is signed in to the page natively: list, and end."""

from __future__ import annotations

from pydantic import Field

from csms.api import cursors, sessions, times
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.permissions import Principal, Scope
from csms.domain.sessions import IDLE_FOR, Session
from csms.errors import NotFound
from csms.services import sessions as service
from csms.store import sessions as store
from csms.store import tokens
from csms.store.database import ReadTx, Tx


class SessionShape(Shape):
    """Somebody is signed in, with what a token may do."""

    id: str
    token_id: str
    token_name: str
    current: bool = Field(description="It is the one that asks.")
    created_at: Instant
    last_used_at: Instant = Field(description="To the minute.")
    expires_at: Instant = Field(description="However much it is used; 12 h unused end it sooner.")
    address: str = Field(description="From where it was begun.")
    user_agent: str = Field(description="What the browser said it was.")

    @classmethod
    def of(cls, tx: ReadTx, session: Session, principal: Principal) -> SessionShape:
        """The session as it is shown."""
        token = tokens.get_by_id(tx, session.token_id)
        return cls(
            id=session.public_id,
            token_id=token.public_id,
            token_name=token.name,
            current=session.public_id == principal.session_id,
            created_at=times.micros(session.created_at),
            last_used_at=times.micros(session.last_used_at),
            expires_at=times.micros(session.expires_at),
            address=session.address,
            user_agent=session.user_agent,
        )


class SessionPage(Shape):
    """The oldest first."""

    items: list[SessionShape]
    next_cursor: str | None


async def list_sessions(call: Call[None, Page]) -> Reply:
    """The caller's own; for who manages tokens, everybody's."""
    principal, limit, after_id = call.principal, call.query.limit, cursors.read(call.query.cursor)
    now = call.deps.clock.micros()

    def look(tx: ReadTx) -> tuple[list[SessionShape], int | None]:
        own = None if _sees_all(principal) else tokens.get(tx, principal.id).id
        found = store.list_page(
            tx, token_id=own, now=now, idle_for=IDLE_FOR, after_id=after_id, limit=limit + 1
        )
        shown = found[:limit]
        more = shown[-1].id if len(found) > limit else None
        return [SessionShape.of(tx, one, principal) for one in shown], more

    items, more = await call.deps.db.read(look)
    return Reply(cursor_page(items, None if more is None else cursors.write(more)))


async def end(call: Call[None, None]) -> Reply:
    """204; its cookie is refused from now on. Who ends the session that asks has signed out."""
    principal, session_id = call.principal, call.path["session_id"]

    def make(tx: Tx) -> None:
        session = store.get(tx, session_id)
        own = tokens.get(tx, principal.id).id
        if session.token_id != own and not _sees_all(principal):
            raise NotFound("Session not found")
        service.end(tx, session)

    await call.deps.db.write(make)
    reply = Reply(status=204)
    is_own = session_id == principal.session_id
    return sessions.taken_back(call.request, reply) if is_own else reply


def _sees_all(principal: Principal) -> bool:
    return principal.may(Scope.TOKENS_MANAGE) and principal.location_ids is None
