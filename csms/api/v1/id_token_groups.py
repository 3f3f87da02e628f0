"""Groups of id tokens natively; a group is a name that tokens share."""

from __future__ import annotations

from pydantic import Field

from csms.api import cursors
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1.id_tokens import require_unbound
from csms.api.v1.shapes import cursor_page
from csms.store import id_tokens as store
from csms.store.id_tokens import IdTokenGroup


class IdTokenGroupShape(Shape):
    """A group, and how many tokens are in it."""

    group_id_token: str
    tokens: int
    accepted: int = Field(description="How many may charge, those that have expired included.")
    masters: int

    @classmethod
    def of(cls, group: IdTokenGroup) -> IdTokenGroupShape:
        """The group as it is shown."""
        return cls(
            group_id_token=group.name,
            tokens=group.tokens,
            accepted=group.accepted,
            masters=group.masters,
        )


class IdTokenGroupPage(Shape):
    """By name."""

    items: list[IdTokenGroupShape]
    next_cursor: str | None


class GroupsQuery(Page):
    """Paging by name."""

    # A group has up to 255 characters, each up to four bytes.
    cursor: str | None = Field(default=None, max_length=1400)


async def list_groups(call: Call[None, GroupsQuery]) -> Reply:
    """For tokens that are not bound, as id tokens are."""
    require_unbound(call.principal)
    limit, after = call.query.limit, cursors.read_text(call.query.cursor) or ""
    found = await call.deps.db.read(lambda tx: store.list_groups(tx, limit=limit + 1, after=after))
    shown = found[:limit]
    more = cursors.write_text(shown[-1].name) if len(found) > limit else None
    return Reply(cursor_page([IdTokenGroupShape.of(group) for group in shown], more))
