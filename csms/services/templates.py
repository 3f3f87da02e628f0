"""Templates: make, change and delete what is given to many stations."""

from __future__ import annotations

from typing import Any

from csms.domain.templates import Template, TemplateKind
from csms.errors import Conflict
from csms.events import Event
from csms.store import config_assignments
from csms.store import templates as store
from csms.store.database import Tx


def create(
    tx: Tx, kind: TemplateKind, *, name: str, description: str | None, content: Any
) -> Template:
    """A new template; raises Conflict when another one of its kind is called that."""
    made = store.insert(tx, kind, name=name, description=description, content=content)
    _tell(tx, "template.created", made)
    return made


def update(tx: Tx, template: Template, changes: dict[str, Any]) -> Template:
    """For whoever is told from now on; raises Conflict as `create`."""
    if not changes:
        return template
    changed = store.update(tx, template, **changes)
    _tell(tx, "template.updated", changed, changed=sorted(changes))
    return changed


def delete(tx: Tx, template: Template) -> None:
    """Raises Conflict while stations are still to get it."""
    waiting = config_assignments.count_waiting(tx, template.id)
    if waiting:
        told = f"{waiting} stations are still to get it, unless they are given another one or none"
        raise Conflict(told, code="template_in_use")
    store.delete(tx, template.id)
    _tell(tx, "template.deleted", template)


def _tell(tx: Tx, event_type: str, template: Template, **more: Any) -> None:
    kind = template.kind.value
    tx.emit(Event(event_type, {"id": template.uuid, "kind": kind, "name": template.name, **more}))
