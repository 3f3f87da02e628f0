"""Table `certificate_requests`: what stations asked to have signed, and what became of it."""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.certificates import RequestState, SigningRequest
from csms.errors import NotFound
from csms.store import columns
from csms.store.columns import instant
from csms.store.database import ReadTx, Row, Tx

_CHANGEABLE = frozenset(
    {"state", "reason", "chain", "expires_at", "job_uuid", "signed_at", "settled_at"}
)
_OPEN = "(state = 'pending' OR state = 'signed')"


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """One SignCertificate."""

    id: int
    uuid: str
    station_id: int
    use: str
    state: RequestState
    reason: str | None
    csr: str
    common_name: str | None
    key: str | None
    public_key: bytes | None
    station_request_id: int | None
    root: str | None
    chain: str | None
    expires_at: datetime | None
    job_uuid: str | None
    requested_at: datetime
    signed_at: datetime | None
    settled_at: datetime | None


def insert(
    tx: Tx,
    station_id: int,
    *,
    use: str,
    request: SigningRequest,
    station_request_id: int | None,
    root: str | None,
) -> CertificateRequest:
    """A request that was accepted and waits for its signature."""
    row = tx.one(
        "INSERT INTO certificate_requests (uuid, station_id, use, state, csr, common_name, key,"
        " public_key, station_request_id, root, requested_at)"
        " VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            str(uuids.uuid4()),
            station_id,
            use,
            request.pem,
            request.common_name,
            request.key,
            request.public_key,
            station_request_id,
            root,
            tx.now,
        ),
    )
    assert row is not None
    return _request(row)


def insert_refused(tx: Tx, station_id: int, *, use: str, csr: str, reason: str) -> None:
    """A request that we answered Rejected."""
    tx.run(
        "INSERT INTO certificate_requests (uuid, station_id, use, state, reason, csr, requested_at,"
        " settled_at) VALUES (?, ?, ?, 'refused', ?, ?, ?, ?)",
        (str(uuids.uuid4()), station_id, use, reason, csr, tx.now, tx.now),
    )


def get(tx: ReadTx, request_id: int) -> CertificateRequest:
    """The request with this row id; raises NotFound."""
    row = tx.one("SELECT * FROM certificate_requests WHERE id = ?", (request_id,))
    if row is None:
        raise NotFound("Certificate request not found")
    return _request(row)


def find_open(tx: ReadTx, station_id: int, use: str) -> CertificateRequest | None:
    """The one that is neither installed nor given up."""
    row = tx.one(
        f"SELECT * FROM certificate_requests WHERE station_id = ? AND use = ? AND {_OPEN}",  # noqa: S608
        (station_id, use),
    )
    return None if row is None else _request(row)


def find_by_key(tx: ReadTx, station_id: int, public_key: bytes) -> CertificateRequest | None:
    """The open one for this key pair."""
    row = tx.one(
        "SELECT * FROM certificate_requests WHERE station_id = ? AND public_key = ?"  # noqa: S608
        f" AND {_OPEN}",
        (station_id, public_key),
    )
    return None if row is None else _request(row)


def list_open(tx: ReadTx) -> list[CertificateRequest]:
    """Of all stations, oldest first."""
    rows = tx.all(f"SELECT * FROM certificate_requests WHERE {_OPEN} ORDER BY id")  # noqa: S608
    return [_request(row) for row in rows]


def list_of_station(tx: ReadTx, station_id: int) -> list[CertificateRequest]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM certificate_requests WHERE station_id = ? ORDER BY id DESC", (station_id,)
    )
    return [_request(row) for row in rows]


def count_since(tx: ReadTx, station_id: int, since: int) -> int:
    """How many the station sent from then on, microseconds UTC."""
    number: int = tx.value(
        "SELECT count(*) FROM certificate_requests WHERE station_id = ? AND requested_at >= ?",
        (station_id, since),
    )
    return number


def update(tx: Tx, request_id: int, **changes: object) -> int:
    """Change named columns."""
    return columns.update(tx, "certificate_requests", request_id, changes, _CHANGEABLE)


def delete_old(tx: Tx, station_id: int, *, keep: int) -> int:
    """Forget all but the newest of a station and the open ones; returns how many."""
    return tx.run(
        "DELETE FROM certificate_requests WHERE station_id = ?"  # noqa: S608
        f" AND NOT {_OPEN} AND id <= (SELECT id FROM certificate_requests WHERE station_id = ?"
        " ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (station_id, station_id, keep),
    )


def _request(row: Row) -> CertificateRequest:
    return CertificateRequest(
        id=row["id"],
        uuid=row["uuid"],
        station_id=row["station_id"],
        use=row["use"],
        state=RequestState(row["state"]),
        reason=row["reason"],
        csr=row["csr"],
        common_name=row["common_name"],
        key=row["key"],
        public_key=row["public_key"],
        station_request_id=row["station_request_id"],
        root=row["root"],
        chain=row["chain"],
        expires_at=instant(row["expires_at"]),
        job_uuid=row["job_uuid"],
        requested_at=from_micros(row["requested_at"]),
        signed_at=instant(row["signed_at"]),
        settled_at=instant(row["settled_at"]),
    )
