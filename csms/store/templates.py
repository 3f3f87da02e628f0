"""Table `templates`: what is given to many stations."""

from __future__ import annotations

import uuid as uuids
from typing import Any

from csms.clock import from_micros
from csms.domain.templates import Template, TemplateKind
from csms.errors import Conflict, NotFound
from csms.store import columns
from csms.store.database import ReadTx, Row, Tx

_CHANGEABLE = frozenset({"name", "description", "content", "updated_at"})


def insert(
    tx: Tx, kind: TemplateKind, *, name: str, description: str | None, content: Any
) -> Template:
    """Raises Conflict when another one of its kind is called that."""
    _check_name(tx, kind, name)
    row_id = tx.insert(
        "INSERT INTO templates (uuid, kind, name, description, content, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            str(uuids.uuid4()),
            kind.value,
            name,
            description,
            columns.to_json(content),
            tx.now,
            tx.now,
        ),
    )
    return get(tx, row_id)


def update(tx: Tx, template: Template, **changes: Any) -> Template:
    """Change the named columns; raises Conflict as `insert`."""
    if "name" in changes:
        _check_name(tx, template.kind, changes["name"], but=template.id)
    if "content" in changes:
        changes["content"] = columns.to_json(changes["content"])
    changes["updated_at"] = tx.now
    columns.update(tx, "templates", template.id, changes, _CHANGEABLE)
    return get(tx, template.id)


def get(tx: ReadTx, template_id: int) -> Template:
    """The template with this row id, which something points at."""
    row = tx.one("SELECT * FROM templates WHERE id = ?", (template_id,))
    assert row is not None, "what points at a template goes with it"
    return _template(row)


def get_by_uuid(tx: ReadTx, kind: TemplateKind, uuid: str) -> Template:
    """By its public id; raises NotFound."""
    found = find_by_uuid(tx, kind, uuid)
    if found is None:
        raise NotFound("Template not found")
    return found


def find_by_uuid(tx: ReadTx, kind: TemplateKind, uuid: str) -> Template | None:
    """By its public id."""
    row = tx.one("SELECT * FROM templates WHERE uuid = ? AND kind = ?", (uuid, kind.value))
    return None if row is None else _template(row)


def list_page(tx: ReadTx, kind: TemplateKind, *, limit: int, after_id: int = 0) -> list[Template]:
    """In order of creation."""
    rows = tx.all(
        "SELECT * FROM templates WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
        (kind.value, after_id, limit),
    )
    return [_template(row) for row in rows]


def delete(tx: Tx, template_id: int) -> None:
    """Forget it, and which stations were given it."""
    tx.run("DELETE FROM templates WHERE id = ?", (template_id,))


def _check_name(tx: Tx, kind: TemplateKind, name: str, *, but: int | None = None) -> None:
    sql = "SELECT 1 FROM templates WHERE kind = ? AND name = ? AND id IS NOT ?"
    if tx.one(sql, (kind.value, name, but)) is not None:
        raise Conflict("Another template has this name", code="name_taken")


def _template(row: Row) -> Template:
    return Template(
        id=row["id"],
        uuid=row["uuid"],
        kind=TemplateKind(row["kind"]),
        name=row["name"],
        description=row["description"],
        content=columns.from_json(row["content"]),
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
