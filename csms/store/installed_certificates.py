"""Table `installed_certificates`: what stations say they have, by hash data."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.certificates import HashData
from csms.store.columns import to_json
from csms.store.database import ReadTx, Tx


@dataclass(frozen=True, slots=True)
class Installed:
    """One certificate on a station."""

    type: str
    hash_data: HashData
    parent_serial_number: str | None = None
    """Of the first certificate of the chain that it belongs to."""
    reported_at: datetime | None = None


def insert_many(tx: Tx, station_id: int, certificates: Iterable[Installed]) -> None:
    """Add what the station has just reported."""
    tx.many(
        "INSERT INTO installed_certificates (station_id, type, hash_algorithm, issuer_name_hash,"
        " issuer_key_hash, serial_number, parent_serial_number, reported_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (station_id, one.type, *astuple(one.hash_data), one.parent_serial_number, tx.now)
            for one in certificates
        ],
    )


def list_of_station(tx: ReadTx, station_id: int) -> list[Installed]:
    """In the order in which the station reported them."""
    rows = tx.all(
        "SELECT * FROM installed_certificates WHERE station_id = ? ORDER BY rowid", (station_id,)
    )
    return [
        Installed(
            row["type"],
            HashData(
                row["hash_algorithm"],
                row["issuer_name_hash"],
                row["issuer_key_hash"],
                row["serial_number"],
            ),
            row["parent_serial_number"],
            from_micros(row["reported_at"]),
        )
        for row in rows
    ]


def delete_types(tx: Tx, station_id: int, types: Collection[str]) -> int:
    """Forget those of some types, all of them when none is named; returns how many."""
    return tx.run(
        "DELETE FROM installed_certificates WHERE station_id = ?"
        " AND (? = 0 OR type IN (SELECT value FROM json_each(?)))",
        (station_id, len(types), to_json(list(types))),
    )


def delete(tx: Tx, station_id: int, hash_data: HashData) -> int:
    """Forget one that is gone, with what hung on it; returns how many."""
    return tx.run(
        "DELETE FROM installed_certificates WHERE station_id = ? AND ("
        " (hash_algorithm = ? AND issuer_name_hash = ? AND issuer_key_hash = ?"
        " AND serial_number = ?) OR parent_serial_number = ?)",
        (station_id, *astuple(hash_data), hash_data.serial_number),
    )
