"""Table `transaction_conflicts`: messages about transactions that could not be applied."""

from __future__ import annotations

import hashlib
import uuid as uuids
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from csms.clock import from_micros
from csms.domain.metering import Reading
from csms.domain.reconciliation import Resolution
from csms.domain.transaction_events import TransactionEvent
from csms.domain.transactions import ConflictCause, StopReport
from csms.errors import NotFound
from csms.store.columns import from_json, instant, micros, to_json
from csms.store.database import ReadTx, Row, Tx
from csms.store.transaction_events import join_flags, split_flags

_SELECT = (
    "SELECT c.*, stations.uuid AS station_uuid, identity, location_id,"
    " transactions.uuid AS transaction_uuid FROM transaction_conflicts AS c"
    " JOIN stations ON stations.id = c.station_id"
    " LEFT JOIN transactions ON transactions.id = c.transaction_id"
    " WHERE stations.deleted_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class TransactionConflict:
    """A row, with the names of its station and of the transaction it was taken for."""

    id: int
    uuid: str
    station_id: int
    station_uuid: str
    identity: str
    location_id: int | None
    action: str
    cause: ConflictCause
    station_transaction_id: str
    received_at: datetime
    last_received_at: datetime
    repeats: int
    raw: str
    stop: StopReport | None
    """What it says, where it is a stop that can be applied."""
    evse_id: int | None
    reported_at: datetime | None
    """With the EVSE: when the first of its samples was taken, or the event happened."""
    event: TransactionEvent | None
    """What it says, where it is an event that can be added."""
    resolution: Resolution | None
    resolved_at: datetime | None
    resolved_by: str | None
    transaction_id: int | None
    transaction_uuid: str | None


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """Which to list; None does not narrow."""

    station_id: int | None = None
    location_ids: frozenset[int] | None = None
    is_open: bool | None = None


def insert(
    tx: Tx,
    station_id: int,
    *,
    action: str,
    cause: ConflictCause,
    station_transaction_id: str,
    raw: str,
    distinct: str,
    stop: StopReport | None = None,
    evse_id: int | None = None,
    sampled_at: datetime | None = None,
    event: TransactionEvent | None = None,
) -> tuple[int, str] | None:
    """Record a message; returns row id and uuid, None when the same one was only counted.

    `distinct` is the text that tells two of them apart.
    """
    uuid = str(uuids.uuid4())
    row = tx.one(
        "INSERT INTO transaction_conflicts (uuid, station_id, action, cause,"
        " station_transaction_id, received_at, raw, fingerprint, last_received_at,"
        " evse_id, reported_at, event, id_token, register_mwh, stop_reason, flags, readings)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (station_id, action, cause, station_transaction_id, fingerprint)"
        " DO UPDATE SET repeats = repeats + 1, last_received_at = excluded.received_at"
        " RETURNING id, uuid",
        (
            uuid,
            station_id,
            action,
            cause.value,
            station_transaction_id,
            tx.now,
            raw,
            hashlib.blake2b(distinct.encode(), digest_size=16).digest(),
            tx.now,
            evse_id,
            micros(sampled_at if stop is None else stop.reported_at),
            None if event is None else _event_json(event),
            *_content(stop),
        ),
    )
    assert row is not None
    return (row[0], uuid) if row[1] == uuid else None


def list_page(
    tx: ReadTx, wanted: ConflictFilter, *, limit: int, before_id: int | None = None
) -> list[TransactionConflict]:
    """Those of live stations, the newest first."""
    terms, params = [""], list[Any]()
    for term, value in (("c.id < ?", before_id), ("c.station_id = ?", wanted.station_id)):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.location_ids is not None:
        terms.append("stations.location_id IN (SELECT value FROM json_each(?))")
        params.append(to_json(sorted(wanted.location_ids)))
    if wanted.is_open is not None:
        terms.append(f"c.resolution IS {'' if wanted.is_open else 'NOT '}NULL")
    rows = tx.all(_SELECT + " AND ".join(terms) + " ORDER BY c.id DESC LIMIT ?", (*params, limit))
    return [_conflict(row) for row in rows]


def get_by_uuid(tx: ReadTx, uuid: str) -> TransactionConflict:
    """Raises NotFound."""
    row = tx.one(_SELECT + " AND c.uuid = ?", (uuid,))
    if row is None:
        raise NotFound("Entry not found")
    return _conflict(row)


def update_resolved(
    tx: Tx,
    conflict_id: int,
    resolution: Resolution,
    *,
    transaction_id: int | None,
    resolved_by: str | None,
) -> None:
    """What became of it, by whom; None: by ourselves."""
    tx.run(
        "UPDATE transaction_conflicts SET resolution = ?, resolved_at = ?, resolved_by = ?,"
        " transaction_id = ? WHERE id = ?",
        (resolution.value, tx.now, resolved_by, transaction_id, conflict_id),
    )


def update_made(tx: Tx, conflict_id: int, transaction_id: int) -> None:
    """The transaction that was made of it; it waits for a person all the same."""
    sql = "UPDATE transaction_conflicts SET transaction_id = ? WHERE id = ?"
    tx.run(sql, (transaction_id, conflict_id))


def update_expired(tx: Tx, station_id: int, *, kept: int) -> None:
    """Let the oldest that waits go when more than so many of a station do."""
    tx.run(
        "UPDATE transaction_conflicts SET resolution = ?, resolved_at = ? WHERE id ="
        " (SELECT id FROM transaction_conflicts INDEXED BY transaction_conflicts_waiting"
        " WHERE station_id = ? AND resolution IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (Resolution.EXPIRED.value, tx.now, station_id, kept),
    )


def update_unpaired(tx: Tx, transaction_id: int) -> None:
    """The transaction got another stop, so what was paired with it waits for a person."""
    tx.run(
        "UPDATE transaction_conflicts SET resolution = NULL, resolved_at = NULL,"
        " transaction_id = NULL WHERE transaction_id = ? AND resolution = ?",
        (transaction_id, Resolution.PAIRED.value),
    )


def update_kept(tx: Tx, transaction_id: int) -> list[tuple[str, str]]:
    """The stop for which a transaction was kept waits again: it may be that of another.

    Returns (uuid, station's transaction id) of those that do.
    """
    rows = tx.all(
        "UPDATE transaction_conflicts SET resolution = NULL, resolved_at = NULL,"
        " resolved_by = NULL WHERE transaction_id = ? AND resolution = ? AND cause = ?"
        " RETURNING uuid, station_transaction_id",
        (transaction_id, Resolution.APPLIED.value, ConflictCause.UNKNOWN.value),
    )
    return [(row[0], row[1]) for row in rows]


def update_started(tx: Tx, transaction_id: int) -> None:
    """What a transaction was made of waits no more: its start came."""
    tx.run(
        "UPDATE transaction_conflicts SET resolution = ?, resolved_at = ?"
        " WHERE transaction_id = ? AND resolution IS NULL",
        (Resolution.PAIRED.value, tx.now, transaction_id),
    )


def _content(stop: StopReport | None) -> tuple[Any, ...]:
    if stop is None:
        return (None, None, None, "", None)
    return (
        stop.id_token,
        stop.register_mwh,
        stop.reason,
        join_flags(stop.flags),
        to_json([(micros(reading.reported_at), *reading[1:]) for reading in stop.readings]),
    )


def _event_json(event: TransactionEvent) -> str:
    values = {one.name: getattr(event, one.name) for one in fields(event)}
    values["reported_at"] = micros(event.reported_at)
    values["received_at"] = micros(event.received_at)
    values["flags"] = join_flags(event.flags)
    return to_json(values)


def _event(text: str | None) -> TransactionEvent | None:
    if text is None:
        return None
    values = from_json(text)
    values["reported_at"] = instant(values["reported_at"])
    values["received_at"] = instant(values["received_at"])
    values["flags"] = split_flags(values["flags"])
    return TransactionEvent(**values)


def _stop(row: Row) -> StopReport | None:
    if row["readings"] is None:
        return None
    readings: Sequence[Sequence[Any]] = from_json(row["readings"])
    return StopReport(
        station_transaction_id=row["station_transaction_id"],
        id_token=row["id_token"],
        register_mwh=row["register_mwh"],
        reported_at=instant(row["reported_at"]),
        reason=row["stop_reason"],
        readings=tuple(Reading(instant(at), *rest) for at, *rest in readings),
        flags=split_flags(row["flags"]),
        raw=row["raw"],
    )


def _conflict(row: Row) -> TransactionConflict:
    return TransactionConflict(
        id=row["id"],
        uuid=row["uuid"],
        station_id=row["station_id"],
        station_uuid=row["station_uuid"],
        identity=row["identity"],
        location_id=row["location_id"],
        action=row["action"],
        cause=ConflictCause(row["cause"]),
        station_transaction_id=row["station_transaction_id"],
        received_at=from_micros(row["received_at"]),
        last_received_at=from_micros(row["last_received_at"]),
        repeats=row["repeats"],
        raw=row["raw"],
        stop=_stop(row),
        evse_id=row["evse_id"],
        reported_at=instant(row["reported_at"]),
        event=_event(row["event"]),
        resolution=None if row["resolution"] is None else Resolution(row["resolution"]),
        resolved_at=instant(row["resolved_at"]),
        resolved_by=row["resolved_by"],
        transaction_id=row["transaction_id"],
        transaction_uuid=row["transaction_uuid"],
    )
