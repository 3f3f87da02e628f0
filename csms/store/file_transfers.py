"""Tables `file_transfers` and `file_fetches`: links for one file each, and who used them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.clock import from_micros
from csms.domain.file_transfers import Fetch, Transfer, TransferKind, TransferState
from csms.errors import NotFound
from csms.store import columns
from csms.store.columns import instant, micros, to_json
from csms.store.database import ReadTx, Row, Tx

# Each is a row; whatever comes beyond them is only counted.
FETCHES_KEPT = 100
_CHANGEABLE = frozenset(
    {
        "state",
        "station_status",
        "reason",
        "closed_at",
        "deliveries_left",
        "expires_at",
        "link_hash",
        "uuid",
        "request_id",
    }
)


@dataclass(frozen=True, slots=True)
class TransferFilter:
    """Which transfers to look for; None does not narrow."""

    station_id: int | None = None
    location_ids: frozenset[int] | None = None
    kind: TransferKind | None = None
    state: TransferState | None = None
    image_id: int | None = None
    job_id: int | None = None


def insert(
    tx: Tx,
    *,
    kind: TransferKind,
    station_id: int,
    item: tuple[int, int],
    image_id: int | None,
    request_id: int | None,
    link_hash: bytes,
    expires_at: datetime,
    deliveries_left: int,
    public_id: str,
) -> Transfer:
    """A new one, in state requested; `item` is the job's id and the item's number."""
    row_id = tx.insert(
        "INSERT INTO file_transfers (uuid, kind, station_id, job_id, item_seq, image_id,"
        " request_id, link_hash, state, created_at, updated_at, expires_at, deliveries_left)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            public_id,
            kind.value,
            station_id,
            *item,
            image_id,
            request_id,
            link_hash,
            TransferState.REQUESTED.value,
            tx.now,
            tx.now,
            micros(expires_at),
            deliveries_left,
        ),
    )
    return get(tx, row_id)


def new_public_id() -> str:
    """For `insert`."""
    return str(uuid.uuid4())


def update(tx: Tx, transfer_id: int, **changes: Any) -> Transfer:
    """Change columns."""
    columns.update(tx, "file_transfers", transfer_id, changes, _CHANGEABLE)
    tx.run("UPDATE file_transfers SET updated_at = ? WHERE id = ?", (tx.now, transfer_id))
    return get(tx, transfer_id)


def get(tx: ReadTx, transfer_id: int) -> Transfer:
    """Raises NotFound."""
    return _required(tx.one("SELECT * FROM file_transfers WHERE id = ?", (transfer_id,)))


def get_by_uuid(tx: ReadTx, public_id: str) -> Transfer:
    """Raises NotFound."""
    return _required(tx.one("SELECT * FROM file_transfers WHERE uuid = ?", (public_id,)))


def find_by_link(tx: ReadTx, link_hash: bytes) -> Transfer | None:
    """The one behind a link, dead or alive."""
    return _optional(tx.one("SELECT * FROM file_transfers WHERE link_hash = ?", (link_hash,)))


def find_of_item(tx: ReadTx, job_id: int, seq: int) -> Transfer | None:
    """The one that an item of a job made."""
    return _optional(
        tx.one("SELECT * FROM file_transfers WHERE job_id = ? AND item_seq = ?", (job_id, seq))
    )


def find_told(
    tx: ReadTx, station_id: int, kind: TransferKind, request_id: int | None
) -> Transfer | None:
    """The one that a station speaks of; without an id the newest, unless it told its end."""
    if request_id is not None:
        return _optional(
            tx.one(
                "SELECT * FROM file_transfers WHERE station_id = ? AND kind = ? AND request_id = ?"
                " ORDER BY id DESC LIMIT 1",
                (station_id, kind.value, request_id),
            )
        )
    newest = _optional(
        tx.one(
            "SELECT * FROM file_transfers WHERE station_id = ? AND kind = ? ORDER BY id DESC"
            " LIMIT 1",
            (station_id, kind.value),
        )
    )
    return None if newest is None or newest.told_to_the_end else newest


def list_page(
    tx: ReadTx, wanted: TransferFilter, *, limit: int, before_id: int | None
) -> list[Transfer]:
    """Of live stations, newest first."""
    terms = ["s.deleted_at IS NULL", "t.id < ?"]
    params: list[Any] = [1 << 62 if before_id is None else before_id]
    for term, value in (
        ("t.station_id = ?", wanted.station_id),
        ("t.kind = ?", wanted.kind and wanted.kind.value),
        ("t.state = ?", wanted.state and wanted.state.value),
        ("t.image_id = ?", wanted.image_id),
        ("t.job_id = ?", wanted.job_id),
    ):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.location_ids is not None:
        terms.append("s.location_id IN (SELECT value FROM json_each(?))")
        params.append(to_json(sorted(wanted.location_ids)))
    rows = tx.all(
        "SELECT t.* FROM file_transfers AS t JOIN stations AS s ON s.id = t.station_id"  # noqa: S608
        f" WHERE {' AND '.join(terms)} ORDER BY t.id DESC LIMIT ?",
        (*params, limit),
    )
    return [_transfer(row) for row in rows]


def list_expired(tx: Tx, *, limit: int) -> list[Transfer]:
    """Those for which nothing can come any more, and which wait all the same.

    Firmware that was fetched in time may be installed long after.
    """
    rows = tx.all(
        "SELECT * FROM file_transfers WHERE state IN ('requested', 'running') AND expires_at < ?"
        " AND (kind = 'log' OR state = 'requested') ORDER BY expires_at LIMIT ?",
        (tx.now, limit),
    )
    return [_transfer(row) for row in rows]


def take_delivery(tx: Tx, transfer_id: int) -> bool:
    """The file's last byte is about to go; False when it went as often as it may."""
    taken = tx.run(
        "UPDATE file_transfers SET deliveries_left = deliveries_left - 1"
        " WHERE id = ? AND deliveries_left > 0",
        (transfer_id,),
    )
    return taken == 1


def record_fetch(tx: Tx, transfer_id: int, fetch: Fetch, *, given_back: int) -> None:
    """Somebody fetched, all or a part; deliveries that were taken and failed are given back."""
    tx.run(
        "UPDATE file_transfers SET fetches = fetches + 1, bytes_sent = bytes_sent + ?,"
        " deliveries_left = deliveries_left + ?, updated_at = ? WHERE id = ?",
        (fetch.bytes_sent, given_back, tx.now, transfer_id),
    )
    tx.run(
        "INSERT INTO file_fetches (transfer_id, at, address, user_agent, first_byte, bytes_sent,"
        " complete) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
        " WHERE (SELECT fetches FROM file_transfers WHERE id = ?1) <= ?8",
        (
            transfer_id,
            micros(fetch.at),
            fetch.address,
            fetch.user_agent,
            fetch.first_byte,
            fetch.bytes_sent,
            fetch.complete,
            FETCHES_KEPT,
        ),
    )


def list_fetches(tx: ReadTx, transfer_id: int) -> list[Fetch]:
    """In order."""
    rows = tx.all("SELECT * FROM file_fetches WHERE transfer_id = ? ORDER BY id", (transfer_id,))
    return [
        Fetch(
            at=from_micros(row["at"]),
            address=row["address"],
            user_agent=row["user_agent"],
            first_byte=row["first_byte"],
            bytes_sent=row["bytes_sent"],
            complete=bool(row["complete"]),
        )
        for row in rows
    ]


def delete_old(tx: Tx, *, before: int, limit: int) -> int:
    """Forget the oldest whose link is dead and of which no file is left; returns how many."""
    return tx.run(
        "DELETE FROM file_transfers WHERE id IN (SELECT id FROM file_transfers AS t"
        " WHERE t.created_at < ?1 AND t.expires_at < ?1"
        " AND NOT EXISTS (SELECT 1 FROM log_files WHERE transfer_id = t.id) ORDER BY id LIMIT ?2)",
        (before, limit),
    )


def _required(row: Row | None) -> Transfer:
    if row is None:
        raise NotFound("Transfer not found")
    return _transfer(row)


def _optional(row: Row | None) -> Transfer | None:
    return None if row is None else _transfer(row)


def _transfer(row: Row) -> Transfer:
    return Transfer(
        id=row["id"],
        uuid=row["uuid"],
        kind=TransferKind(row["kind"]),
        station_id=row["station_id"],
        job_id=row["job_id"],
        item_seq=row["item_seq"],
        image_id=row["image_id"],
        request_id=row["request_id"],
        state=TransferState(row["state"]),
        station_status=row["station_status"],
        reason=row["reason"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
        expires_at=from_micros(row["expires_at"]),
        closed_at=instant(row["closed_at"]),
        deliveries_left=row["deliveries_left"],
        fetches=row["fetches"],
        bytes_sent=row["bytes_sent"],
    )
