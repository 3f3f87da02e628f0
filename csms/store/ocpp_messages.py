"""Table `ocpp_messages`: one row per CALL with its answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from csms.clock import to_micros
from csms.store.database import ReadTx, Row, Tx

_COLUMNS = (
    "station_id, direction, version, action, message_id, payload, answer, error_code, state,"
    " verdict, started_at, latency_us"
)
_INSERT = f"INSERT INTO ocpp_messages ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
PRUNE_CHUNK = 5000


class Message(NamedTuple):
    """One CALL and what became of it, in the order of the columns: a batch is written as it is."""

    station_id: int
    direction: str
    """`in`: from the station, `out`: to it."""
    version: str
    action: str
    message_id: str
    payload: str
    answer: str | None
    error_code: str | None
    state: str
    """`done`, `failed` (CALLERROR), `timeout`, `lost` (the socket), `ignored` (not answered)."""
    verdict: str | None
    """Why the schema refused it; None when it did not."""
    started_at: int
    latency_us: int | None


class StoredMessage(NamedTuple):
    """A message with its row id, which pages continue from."""

    id: int
    message: Message


class LateAnswer(NamedTuple):
    """What came for a CALL whose row was closed without an answer."""

    answer: str | None
    error_code: str | None
    received_at: int


def insert(tx: Tx, message: Message) -> int:
    """Write one row; returns its id."""
    return tx.insert(_INSERT, message)


def insert_many(tx: Tx, messages: Iterable[Message]) -> None:
    """Write a batch of rows."""
    tx.many(_INSERT, messages)


def update_late(tx: Tx, message_id: int, late: LateAnswer) -> None:
    """Put the answer that came after all into the row."""
    tx.run(
        "UPDATE ocpp_messages SET answer = ?, error_code = ?, state = ?, verdict = 'late',"
        " latency_us = ? - started_at WHERE id = ?",
        (
            late.answer,
            late.error_code,
            "done" if late.error_code is None else "failed",
            late.received_at,
            message_id,
        ),
    )


def list_page(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    offset: int = 0,
    before_id: int | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[StoredMessage]:
    """A station's messages, newest first."""
    where, params = _filter(station_id, before_id, action, since, until)
    rows = tx.all(
        f"SELECT id, {_COLUMNS} FROM ocpp_messages WHERE {where}"  # noqa: S608
        " ORDER BY id DESC LIMIT ? OFFSET ?",
        (*params, limit, offset),
    )
    return [_stored(row) for row in rows]


def count(
    tx: ReadTx,
    station_id: int,
    *,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """How many messages `list_page` would go through."""
    where, params = _filter(station_id, None, action, since, until)
    number: int = tx.value(f"SELECT count(*) FROM ocpp_messages WHERE {where}", params)  # noqa: S608
    return number


def estimate_bytes(tx: ReadTx) -> int:
    """About how much text the table holds, from its newest rows."""
    row = tx.one(
        "SELECT avg(length(payload) + ifnull(length(answer), 0) + 100) AS width,"
        " (SELECT ifnull(max(id) - min(id) + 1, 0) FROM ocpp_messages) AS number"
        " FROM (SELECT payload, answer FROM ocpp_messages ORDER BY id DESC LIMIT 1000)"
    )
    assert row is not None
    return int((row["width"] or 0) * row["number"])


def delete_older(tx: Tx, before: datetime) -> int:
    """Delete a chunk of rows from before that instant; returns how many."""
    return tx.run(
        "DELETE FROM ocpp_messages WHERE id IN"
        " (SELECT id FROM ocpp_messages ORDER BY id LIMIT ?) AND started_at < ?",
        (PRUNE_CHUNK, to_micros(before)),
    )


def delete_oldest(tx: Tx) -> int:
    """Delete the oldest chunk of rows; returns how many."""
    return tx.run(
        "DELETE FROM ocpp_messages WHERE id IN (SELECT id FROM ocpp_messages ORDER BY id LIMIT ?)",
        (PRUNE_CHUNK,),
    )


def _filter(
    station_id: int,
    before_id: int | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[str, list[Any]]:
    terms = ["station_id = ?"]
    params: list[Any] = [station_id]
    if before_id is not None:
        terms.append("id < ?")
        params.append(before_id)
    if action is not None:
        terms.append("action = ?")
        params.append(action)
    if since is not None:
        terms.append("started_at >= ?")
        params.append(to_micros(since))
    if until is not None:
        terms.append("started_at < ?")
        params.append(to_micros(until))
    return " AND ".join(terms), params


def _stored(row: Row) -> StoredMessage:
    row_id, *values = row
    return StoredMessage(row_id, Message(*values))
