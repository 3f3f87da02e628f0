"""Where a time is in a table whose ids grow with it: no index of the time is needed."""

from __future__ import annotations

from csms.store.database import ReadTx


def first_since(tx: ReadTx, table: str, column: str, at: int) -> int:
    """The id of about the first row at or after an instant; names are the caller's own."""
    # One at a time: both in one query read the whole table.
    first = tx.value(f"SELECT ifnull(min(id), 0) FROM {table}")  # noqa: S608
    last = tx.value(f"SELECT ifnull(max(id), 0) FROM {table}")  # noqa: S608
    while first < last:
        middle = (first + last) // 2
        found: int = tx.value(
            f"SELECT {column} FROM {table} WHERE id > ? ORDER BY id LIMIT 1",  # noqa: S608
            (middle,),
        )
        if found < at:
            first = middle + 1
        else:
            last = middle
    return int(first)
