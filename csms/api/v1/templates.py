"""Templates natively: what the resources for each kind of them have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints, field_validator

from csms.api import cursors
from csms.api.models import PLAIN, Page, Shape, Strict, never_null
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.given_templates import require_unbound
from csms.api.v1.shapes import cursor_page
from csms.domain.templates import Template, TemplateKind
from csms.services import templates
from csms.store import templates as store
from csms.store.database import Tx

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]
Note = Annotated[str, StringConstraints(max_length=1000)]


class NewTemplate(Strict):
    """A name, unique among those of its kind whatever the case, and what it is for."""

    name: Name
    description: Note | None = None


class TemplateChanges(Strict):
    """What is left out stays as it is."""

    name: Name | None = None
    description: Note | None = None

    _name_is_there = field_validator("name")(never_null)


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """The handlers of one kind, but for what its content is."""

    kind: TemplateKind
    path: str
    shape: Callable[[Template], Shape]

    @property
    def _id(self) -> str:
        return f"{self.kind.value}_template_id"

    async def create(self, call: Call[Any, None], content: Any) -> Reply:
        """201; the content is checked."""
        require_unbound(call.principal)
        body = call.body

        def make(tx: Tx) -> tuple[str, Template]:
            made = templates.create(
                tx, self.kind, name=body.name, description=body.description, content=content
            )
            return made.uuid, made

        made, headers = await once(
            call,
            f"{self.kind.value}_template",
            make,
            again=lambda tx, uuid: store.get_by_uuid(tx, self.kind, uuid),
        )
        headers["Location"] = f"/api/v1/{self.path}/{made.uuid}"
        return Reply(self.shape(made), status=201, headers=headers)

    async def list_page(self, call: Call[None, Page]) -> Reply:
        """In order of creation."""
        require_unbound(call.principal)
        limit, after_id = call.query.limit, cursors.read(call.query.cursor) or 0
        found = await call.deps.db.read(
            lambda tx: store.list_page(tx, self.kind, limit=limit + 1, after_id=after_id)
        )
        more = cursors.write(found[limit - 1].id) if len(found) > limit else None
        return Reply(cursor_page([self.shape(one) for one in found[:limit]], more))

    async def show(self, call: Call[None, None]) -> Reply:
        """One of them."""
        require_unbound(call.principal)
        uuid = call.path[self._id]
        return Reply(
            self.shape(await call.deps.db.read(lambda tx: store.get_by_uuid(tx, self.kind, uuid)))
        )

    async def change(self, call: Call[Any, None], content: Any | None) -> Reply:
        """Name and description as the body has them; None leaves the content."""
        require_unbound(call.principal)
        changes: dict[str, Any] = call.body.model_dump(
            exclude_unset=True, include={"name", "description"}
        )
        if content is not None:
            changes["content"] = content

        def write(tx: Tx) -> Template:
            found = store.get_by_uuid(tx, self.kind, call.path[self._id])
            return templates.update(tx, found, changes)

        return Reply(self.shape(await call.deps.db.write(write)))

    async def delete(self, call: Call[None, None]) -> Reply:
        """204."""
        require_unbound(call.principal)

        def forget(tx: Tx) -> None:
            templates.delete(tx, store.get_by_uuid(tx, self.kind, call.path[self._id]))

        await call.deps.db.write(forget)
        return Reply(None, status=204)
