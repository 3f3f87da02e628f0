"""Table `credentials`: hashes of station passwords, or the number of a derived one."""

from __future__ import annotations

from csms.domain.credentials import Credential, CredentialKind
from csms.store.database import ReadTx, Tx


def list_of_station(tx: ReadTx, station_id: int) -> list[Credential]:
    """Every password that is valid now, the newest first."""
    rows = tx.all(
        "SELECT kind, rotation, salt, hash FROM credentials WHERE station_id = ?"
        " ORDER BY rotation DESC",
        (station_id,),
    )
    return [
        Credential(CredentialKind(row["kind"]), row["rotation"], row["salt"], row["hash"])
        for row in rows
    ]


def next_rotation(tx: ReadTx, station_id: int) -> int:
    """The number of the station's next password."""
    sql = "SELECT ifnull(max(rotation), 0) + 1 FROM credentials WHERE station_id = ?"
    number: int = tx.value(sql, (station_id,))
    return number


def replace(tx: Tx, station_id: int, credential: Credential) -> None:
    """Make it the station's only valid password."""
    tx.run("DELETE FROM credentials WHERE station_id = ?", (station_id,))
    tx.run(
        "INSERT INTO credentials (station_id, kind, rotation, salt, hash, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            station_id,
            credential.kind.value,
            credential.rotation,
            credential.salt,
            credential.hash,
            tx.now,
        ),
    )
