"""Table `ocpp_messages`: one row per CALL with its answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from csms.clock import to_micros
from csms.store.columns import micros, to_json
from csms.store.database import ReadTx, Row, Tx
from csms.store.seek import first_since

_COLUMNS = (
    "station_id, direction, version, action, message_id, payload, answer, error_code, state,"
    " verdict, started_at, latency_us"
)
_INSERT = f"INSERT INTO ocpp_messages ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
PRUNE_CHUNK = 1000
_SAMPLES = 1000
# So many rows are looked at for one page, whatever is looked for.
SEARCHED = 20_000
# Rows are written when their CALL is over: by then it may have begun so long ago.
_LONGEST_CALL_US = 15 * 60 * 1_000_000


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
    tx.many(_INSERT, map(tuple, messages))  # sqlite3 is quicker with what is nothing but a tuple


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


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages to look for; None and empty do not narrow."""

    station_id: int | None = None
    location_ids: frozenset[int] | None = None
    actions: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Actions that are left out."""
    direction: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, message: Message) -> bool:
        """Whether one that is not stored yet is looked for; its station is."""
        at = message.started_at
        return (
            (not self.actions or message.action in self.actions)
            and message.action not in self.hidden
            and self.direction in {None, message.direction}
            and self.state in {None, message.state}
            and (self.since is None or at >= to_micros(self.since))
            and (self.until is None or at < to_micros(self.until))
        )


class Found(NamedTuple):
    """A message and whose it is."""

    id: int
    station_uuid: str
    identity: str
    message: Message


class Search(NamedTuple):
    """What a look at a bounded number of rows found."""

    found: list[Found]
    before_id: int | None
    """Where to look on; None: at the end."""


def search(
    tx: ReadTx, wanted: MessageFilter, *, limit: int, before_id: int | None = None
) -> Search:
    """Messages of live stations, newest first: at most `limit`, of at most SEARCHED rows.

    The log has no index but the station's, so what is rare is found by looking on.
    """
    first, last = _span(tx, wanted, before_id)
    floor = _floor(tx, wanted.station_id, first, last)
    found = _found(tx, wanted, first if floor is None else floor, last, "DESC", limit)
    return Search(found, found[-1].id if len(found) == limit else floor)


class Ahead(NamedTuple):
    """What came after an id."""

    found: list[Found]
    after_id: int
    """Where to look on."""
    is_end: bool
    """There is nothing more yet."""


def list_after(tx: ReadTx, wanted: MessageFilter, *, after_id: int, limit: int) -> Ahead:
    """Messages of live stations as they were written: at most `limit`, of at most SEARCHED rows."""
    _, newest = kept(tx)
    last = min(newest, after_id + SEARCHED)
    found = _found(tx, wanted, after_id + 1, last, "ASC", limit)
    if len(found) == limit:
        last = found[-1].id
    return Ahead(found, last, last == newest)


def kept(tx: ReadTx) -> tuple[int, int]:
    """The ids of the oldest and the newest message; the newest is before the oldest: none."""
    newest = tx.value("SELECT max(id) FROM ocpp_messages") or 0
    return tx.value("SELECT min(id) FROM ocpp_messages") or newest + 1, newest


def _found(  # noqa: PLR0917 - one question
    tx: ReadTx, wanted: MessageFilter, first: int, last: int, way: str, limit: int
) -> list[Found]:
    terms, params = _terms(wanted)
    columns = ", ".join(f"m.{name.strip()}" for name in _COLUMNS.split(","))
    # CROSS JOIN: the log is read in order, and the first ones end it.
    rows = tx.all(
        f"SELECT m.id, s.uuid, s.identity, {columns}"  # noqa: S608 - names and marks only
        " FROM ocpp_messages AS m CROSS JOIN stations AS s ON s.id = m.station_id"
        f" WHERE m.id BETWEEN ? AND ? AND {terms} ORDER BY m.id {way} LIMIT ?",
        (first, last, *params, limit),
    )
    return [Found(row[0], row[1], row[2], Message(*row[3:])) for row in rows]


def _span(tx: ReadTx, wanted: MessageFilter, before_id: int | None) -> tuple[int, int]:
    """The ids to look at: rows are written when a CALL is over, so ids follow the time closely."""
    first, last = 0, 1 << 62
    if wanted.since is not None:
        first = _first_since(tx, to_micros(wanted.since) - _LONGEST_CALL_US)
    if wanted.until is not None:
        last = _first_since(tx, to_micros(wanted.until) + _LONGEST_CALL_US)
    return first, last if before_id is None else min(last, before_id - 1)


def _floor(tx: ReadTx, station_id: int | None, first: int, last: int) -> int | None:
    """The id of the last row of this look; None: it goes to the end."""
    if station_id is not None:
        found: int | None = tx.value(
            "SELECT id FROM ocpp_messages WHERE station_id = ? AND id BETWEEN ? AND ?"
            " ORDER BY id DESC LIMIT 1 OFFSET ?",
            (station_id, first, last, SEARCHED - 1),
        )
        return found
    oldest, newest = (
        tx.value("SELECT min(id) FROM ocpp_messages"),
        tx.value("SELECT max(id) FROM ocpp_messages"),
    )
    if oldest is None:
        return None
    floor: int = min(last, newest) - SEARCHED + 1
    return floor if floor > max(first, oldest) else None


def _first_since(tx: ReadTx, at: int) -> int:
    return first_since(tx, "ocpp_messages", "started_at", at)


def _terms(wanted: MessageFilter) -> tuple[str, list[Any]]:
    terms = ["s.deleted_at IS NULL"]
    params: list[Any] = []
    for term, value in (
        ("m.station_id = ?", wanted.station_id),
        (
            "m.action IN (SELECT value FROM json_each(?))",
            wanted.actions and to_json(wanted.actions),
        ),
        (
            "m.action NOT IN (SELECT value FROM json_each(?))",
            wanted.hidden and to_json(wanted.hidden),
        ),
        ("m.direction = ?", wanted.direction),
        ("m.state = ?", wanted.state),
        ("m.started_at >= ?", micros(wanted.since)),
        ("m.started_at < ?", micros(wanted.until)),
    ):
        if value is not None and value != ():
            terms.append(term)
            params.append(value)
    if wanted.location_ids is not None:
        terms.append("s.location_id IN (SELECT value FROM json_each(?))")
        params.append(to_json(sorted(wanted.location_ids)))
    return " AND ".join(terms), params


def estimate_bytes(tx: ReadTx) -> int:
    """About how much text the table holds, from rows at even distances.

    Its newest would not do: one station that says a lot now would cost the others their past.
    """
    first_id, last_id = kept(tx)
    number = last_id - first_id + 1
    width = tx.value(
        "WITH RECURSIVE sample (id) AS (SELECT ?1 WHERE ?1 <= ?3"
        " UNION ALL SELECT id + ?2 FROM sample WHERE id + ?2 <= ?3)"
        " SELECT avg(length(payload) + ifnull(length(answer), 0) + 100)"
        " FROM sample JOIN ocpp_messages USING (id)",
        (first_id, number // _SAMPLES + 1, last_id),
    )
    return int((width or 0) * number)


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
