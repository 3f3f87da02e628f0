"""Between columns and values: instants, JSON, and UPDATEs of named columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from csms.clock import from_micros, to_micros
from csms.store.database import Tx


def instant(micros: int | None) -> datetime | None:
    """An INTEGER column as an aware datetime."""
    return None if micros is None else from_micros(micros)


def micros(at: datetime | None) -> int | None:
    """An aware datetime as an INTEGER column."""
    return None if at is None else to_micros(at)


def to_json(value: Any) -> str:
    """A JSON column."""
    return orjson.dumps(value).decode()


def from_json(text: str | None) -> Any:
    """The value of a JSON column; null stays None."""
    return None if text is None else orjson.loads(text)


def update(
    tx: Tx, table: str, row_id: int, columns: dict[str, Any], allowed: frozenset[str]
) -> int:
    """UPDATE named columns of one row; names must be in `allowed`, values are parameters."""
    unknown = columns.keys() - allowed
    if unknown:
        raise ValueError(f"not columns of {table}: {sorted(unknown)}")
    if not columns:
        return 1
    assignments = ", ".join(f"{name} = ?" for name in columns)
    return tx.run(
        f"UPDATE {table} SET {assignments} WHERE id = ?",  # noqa: S608 - names come from `allowed`
        (*columns.values(), row_id),
    )
