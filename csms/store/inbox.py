"""Table `inbox`: stations that were refused or wait for a person; bounded, oldest go first."""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.addresses import origin_of
from csms.domain.identity import identity_key
from csms.domain.onboarding import Cause
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
    cause: Cause
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
    sent: str | None = None
    """What came with the last attempt, without secrets."""
    id: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an attempt besides who, why and from where; None changes nothing."""

    detail: str | None = None
    """An empty one takes back what was said before."""
    sent: str | None = None
    version: OcppVersion | None = None
    boot: BootReport | None = None


def update_seen(
    tx: Tx, identity: str, cause: Cause, address: str, about: About, *, attempts: int
) -> bool:
    """Count more attempts of a known entry, or none; False when there is no entry."""
    changed = tx.run(
        "UPDATE inbox SET attempts = attempts + ?, last_seen_at = ?,"
        " detail = ifnull(?, detail), sent = ifnull(?, sent),"
        " ocpp_version = ifnull(?, ocpp_version),"
        " vendor = ifnull(?, vendor), model = ifnull(?, model),"
        " serial_number = ifnull(?, serial_number),"
        " firmware_version = ifnull(?, firmware_version)"
        " WHERE identity_key = ? AND cause = ? AND address = ?",
        (attempts, tx.now, *_values(about), identity_key(identity), cause.value, address),
    )
    return changed > 0


def insert(tx: Tx, identity: str, cause: Cause, address: str, about: About) -> str:
    """A new entry; returns its uuid. Over the bound the longest unseen ones go."""
    uuid = str(uuids.uuid4())
    who = (uuid, identity, identity_key(identity), cause.value, address, origin_of(address))
    tx.run(
        "INSERT INTO inbox (uuid, identity, identity_key, cause, address, origin, detail, sent,"
        " ocpp_version, vendor, model, serial_number, firmware_version, first_seen_at,"
        " last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*who, *_values(about), tx.now, tx.now),
    )
    tx.run(
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox ORDER BY last_seen_at, id"
        " LIMIT max(0, (SELECT count(*) FROM inbox) - ?))",
        (MAX_ENTRIES,),
    )
    return uuid


def count_new_since(tx: ReadTx, since: int, origin: str) -> tuple[int, int]:
    """How many entries appeared after an instant in microseconds, and how many from an origin."""
    row = tx.one(
        "SELECT count(*) AS number, count(*) FILTER (WHERE origin = ?) AS of_origin"
        " FROM inbox WHERE first_seen_at > ?",
        (origin, since),
    )
    assert row is not None
    return row["number"], row["of_origin"]


def find(tx: ReadTx, uuid: str) -> InboxEntry | None:
    """The entry with this public id."""
    row = tx.one("SELECT * FROM inbox WHERE uuid = ?", (uuid,))
    return None if row is None else _entry(row)


def get(tx: ReadTx, uuid: str) -> InboxEntry:
    """The same; raises NotFound."""
    entry = find(tx, uuid)
    if entry is None:
        raise NotFound("Inbox entry not found")
    return entry


def list_newest(
    tx: ReadTx,
    *,
    limit: int,
    before: tuple[int, int] | None = None,
    cause: Cause | None = None,
) -> list[InboxEntry]:
    """By their last attempt, the newest first; `before`: microseconds and id of the last one."""
    wanted = None if cause is None else cause.value
    until = (_FAR_AHEAD, 0) if before is None else before
    rows = tx.all(
        "SELECT * FROM inbox WHERE (last_seen_at, id) < (?, ?) AND (? IS NULL OR cause = ?)"
        " ORDER BY last_seen_at DESC, id DESC LIMIT ?",
        (*until, wanted, wanted, limit),
    )
    return [_entry(row) for row in rows]


def delete(tx: Tx, uuid: str) -> InboxEntry:
    """Forget an entry, and return what it was; raises NotFound."""
    entry = get(tx, uuid)
    tx.run("DELETE FROM inbox WHERE id = ?", (entry.id,))
    return entry


def delete_identity(tx: Tx, identity: str) -> None:
    """Everything about an identity, whatever the cause and the address."""
    tx.run("DELETE FROM inbox WHERE identity_key = ?", (identity_key(identity),))


def _values(about: About) -> tuple[str | None, ...]:
    boot = about.boot
    return (
        about.detail,
        about.sent,
        about.version.value if about.version else None,
        (boot.vendor or None) if boot else None,
        (boot.model or None) if boot else None,
        boot.serial_number if boot else None,
        boot.firmware_version if boot else None,
    )


def _entry(row: Row) -> InboxEntry:
    return InboxEntry(
        uuid=row["uuid"],
        identity=row["identity"],
        cause=Cause(row["cause"]),
        address=row["address"],
        detail=row["detail"] or None,
        ocpp_version=None if row["ocpp_version"] is None else OcppVersion(row["ocpp_version"]),
        vendor=row["vendor"],
        model=row["model"],
        serial_number=row["serial_number"],
        firmware_version=row["firmware_version"],
        attempts=row["attempts"],
        first_seen_at=from_micros(row["first_seen_at"]),
        last_seen_at=from_micros(row["last_seen_at"]),
        sent=row["sent"],
        id=row["id"],
    )
