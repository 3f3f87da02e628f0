"""Table `audit_links`: the chain that shows whether the audit is as it was written.

Who can write to the database file can add to the audit, and forge all of it anew; but whoever noted
the hash of the newest link once sees that what was there then is not there any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from csms.store import columns
from csms.store.database import ReadTx, Row, Tx

PAGE = 2000
_ENTRY = (
    "id",
    "at",
    "principal",
    "name",
    "role",
    "address",
    "request_id",
    "method",
    "route",
    "path",
    "events",
    "station_id",
    "location_id",
    "job_uuid",
    "count",
)
_RESULT = ("id", "status", "code", "created_id")
_NONE = b""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the chain was followed, and what was found."""

    link_id: int = 0
    hash: bytes = _NONE
    """Of the last link."""
    entries: int = 0
    entry_id: int = 0
    """The last entry that has a link."""
    broken_at: int | None = None
    """The entry at which it is not as it was written."""
    found_known: bool = False
    """Whether a hash that was noted came by."""


def append_entry(tx: Tx, entry_id: int) -> None:
    """The entry has just been written."""
    _append(tx, entry_id, "entry", _content(_columns(tx, entry_id), _ENTRY))


def append_result(tx: Tx, entry_id: int) -> None:
    """So has its result."""
    _append(tx, entry_id, "result", _content(_columns(tx, entry_id), _RESULT))


def append_dropped(tx: Tx, entry_id: int) -> None:
    """The entries up to this one have just been deleted; their links go, as far as they can.

    The one before the first that is needed stays, so that the hash of that one can be checked.
    """
    _append(tx, entry_id, "dropped", _NONE)
    tx.run(
        "DELETE FROM audit_links WHERE id < (SELECT min(id) FROM audit_links"
        " WHERE entry_id > ? OR id = (SELECT max(id) FROM audit_links)) - 1",
        (entry_id,),
    )


def walk(tx: ReadTx, walked: Walk, *, known: bytes | None) -> tuple[Walk, bool]:
    """Follow the chain for a page; returns whether that was all of it, or broken."""
    rows = tx.all(
        "SELECT l.id AS link_id, l.entry_id, l.kind, l.content, l.hash, e.*,"
        " EXISTS (SELECT 1 FROM audit_links AS r WHERE r.entry_id = e.id AND r.kind = 'result')"
        " AS has_result FROM audit_links AS l LEFT JOIN audit_entries AS e ON e.id = l.entry_id"
        " WHERE l.id > ? ORDER BY l.id LIMIT ?",
        (walked.link_id, PAGE),
    )
    dropped = tx.value("SELECT max(entry_id) FROM audit_links WHERE kind = 'dropped'") or 0
    for row in rows:
        if not (_follows(row, walked, dropped) and _is_as_written(row, dropped)):
            return replace(walked, broken_at=row["entry_id"]), True
        is_entry = row["kind"] == "entry"
        walked = replace(
            walked,
            link_id=row["link_id"],
            hash=row["hash"],
            entries=walked.entries + (is_entry and row["id"] is not None),
            entry_id=row["entry_id"] if is_entry else walked.entry_id,
            found_known=walked.found_known or row["hash"] == known,
        )
    if len(rows) == PAGE:
        return walked, False
    # An entry that nothing in the chain tells of.
    stray = tx.value(
        "SELECT min(id) FROM audit_entries WHERE id > ? OR id <= ?", (walked.entry_id, dropped)
    )
    return replace(walked, broken_at=stray), True


def _follows(row: Row, before: Walk, dropped: int) -> bool:
    """Whether a link is the next one, and of the next entry if it begins one."""
    if before.link_id or row["link_id"] == 1:
        if row["hash"] != _hash(before.hash, row["entry_id"], row["kind"], row["content"]):
            return False
    elif not dropped:  # what came before it is gone, and nobody dropped it
        return False
    if row["kind"] != "entry":
        return True
    if before.entry_id:
        return bool(row["entry_id"] == before.entry_id + 1)
    return bool(row["entry_id"] <= dropped + 1)


def _is_as_written(row: Row, dropped: int) -> bool:
    """Whether the entry, or its result, is what the link was made of."""
    if row["kind"] == "dropped":
        return True
    if row["id"] is None:
        return bool(row["entry_id"] <= dropped)
    if row["kind"] == "result":
        return bool(row["content"] == _content(row, _RESULT))
    is_told = row["status"] is None or bool(row["has_result"])
    return is_told and bool(row["content"] == _content(row, _ENTRY))


def _append(tx: Tx, entry_id: int, kind: str, content: bytes) -> None:
    before: bytes = tx.value("SELECT hash FROM audit_links ORDER BY id DESC LIMIT 1") or _NONE
    tx.run(
        "INSERT INTO audit_links (entry_id, kind, content, hash) VALUES (?, ?, ?, ?)",
        (entry_id, kind, content, _hash(before, entry_id, kind, content)),
    )


def _columns(tx: ReadTx, entry_id: int) -> Row:
    row = tx.one("SELECT * FROM audit_entries WHERE id = ?", (entry_id,))
    assert row is not None
    return row


def _content(row: Row, names: Sequence[str]) -> bytes:
    values: list[Any] = [row[name] for name in names]
    return hashlib.sha256(columns.to_json(values).encode()).digest()


def _hash(before: bytes, entry_id: int, kind: str, content: bytes) -> bytes:
    return hashlib.sha256(before + f"{kind} {entry_id} ".encode() + content).digest()
