"""Table `inbox`: stations that were refused or wait for a person; bounded, oldest go first."""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros, to_micros
from csms.domain.identity import identity_key
from csms.domain.stations import BootReport
from csms.domain.versions import OcppVersion
from csms.errors import NotFound
from csms.store.database import ReadTx, Row, Tx

MAX_ENTRIES = 10_000
_FAR_AHEAD = 2**62


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One (identity, cause, address) and how often it came."""

    uuid: str
    identity: str
    cause: str
    address: str
    detail: str | None
    ocpp_version: OcppVersion | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    attempts: int
    first_seen_at: datetime
    last_seen_at: datetime


def update_seen(
    tx: Tx,
    identity: str,
    cause: str,
    address: str,
    *,
    detail: str | None,
    version: OcppVersion | None,
    boot: BootReport | None,
) -> bool:
    """Count another attempt of a known entry; False when there is none."""
    changed = tx.run(
        "UPDATE inbox SET attempts = attempts + 1, last_seen_at = ?,"
        " detail = ifnull(?, detail), ocpp_version = ifnull(?, ocpp_version),"
        " vendor = ifnull(?, vendor), model = ifnull(?, model),"
        " serial_number = ifnull(?, serial_number),"
        " firmware_version = ifnull(?, firmware_version)"
        " WHERE identity_key = ? AND cause = ? AND address = ?",
        (tx.now, *_about(detail, version, boot), identity_key(identity), cause, address),
    )
    return changed > 0


def insert(
    tx: Tx,
    identity: str,
    cause: str,
    address: str,
    *,
    detail: str | None,
    version: OcppVersion | None,
    boot: BootReport | None,
) -> str:
    """A new entry; returns its uuid. Over the bound the longest unseen ones go."""
    uuid = str(uuids.uuid4())
    tx.run(
        "INSERT INTO inbox (uuid, identity, identity_key, cause, address, detail, ocpp_version,"
        " vendor, model, serial_number, firmware_version, first_seen_at, last_seen_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            uuid,
            identity,
            identity_key(identity),
            cause,
            address,
            *_about(detail, version, boot),
            tx.now,
            tx.now,
        ),
    )
    tx.run(
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox ORDER BY last_seen_at, id"
        " LIMIT max(0, (SELECT count(*) FROM inbox) - ?))",
        (MAX_ENTRIES,),
    )
    return uuid


def count_new_since(tx: ReadTx, since: int) -> int:
    """How many entries appeared after an instant in microseconds."""
    number: int = tx.value("SELECT count(*) FROM inbox WHERE first_seen_at > ?", (since,))
    return number


def get(tx: ReadTx, uuid: str) -> InboxEntry:
    """The entry with this public id; raises NotFound."""
    row = tx.one("SELECT * FROM inbox WHERE uuid = ?", (uuid,))
    if row is None:
        raise NotFound("Inbox entry not found")
    return _entry(row)


def list_newest(
    tx: ReadTx, *, limit: int, before: datetime | None = None, cause: str | None = None
) -> list[InboxEntry]:
    """Entries by their last attempt, the newest first."""
    rows = tx.all(
        "SELECT * FROM inbox WHERE last_seen_at < ? AND (? IS NULL OR cause = ?)"
        " ORDER BY last_seen_at DESC, id DESC LIMIT ?",
        (_FAR_AHEAD if before is None else to_micros(before), cause, cause, limit),
    )
    return [_entry(row) for row in rows]


def delete_identity(tx: Tx, identity: str) -> None:
    """Everything about an identity, whatever the cause and the address."""
    tx.run("DELETE FROM inbox WHERE identity_key = ?", (identity_key(identity),))


def _about(
    detail: str | None, version: OcppVersion | None, boot: BootReport | None
) -> tuple[str | None, ...]:
    return (
        detail,
        version.value if version else None,
        (boot.vendor or None) if boot else None,
        (boot.model or None) if boot else None,
        boot.serial_number if boot else None,
        boot.firmware_version if boot else None,
    )


def _entry(row: Row) -> InboxEntry:
    return InboxEntry(
        uuid=row["uuid"],
        identity=row["identity"],
        cause=row["cause"],
        address=row["address"],
        detail=row["detail"],
        ocpp_version=None if row["ocpp_version"] is None else OcppVersion(row["ocpp_version"]),
        vendor=row["vendor"],
        model=row["model"],
        serial_number=row["serial_number"],
        firmware_version=row["firmware_version"],
        attempts=row["attempts"],
        first_seen_at=from_micros(row["first_seen_at"]),
        last_seen_at=from_micros(row["last_seen_at"]),
    )
