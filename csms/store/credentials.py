"""Table `credentials`: hashes of station passwords, or the numbers of derived ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from csms.clock import to_micros
from csms.domain.credentials import Credential, CredentialKind
from csms.store.columns import instant, to_json
from csms.store.database import ReadTx, Tx


class Standing(NamedTuple):
    """What there is to say of a station's passwords without telling them."""

    waived: bool = False
    """It comes in without one."""
    offered_at: datetime | None = None
    """Since when one is on offer over OCPP."""


def list_of_station(tx: ReadTx, station_id: int) -> list[Credential]:
    """The valid password, if there is one, then those that were offered, the newest first."""
    rows = tx.all(
        "SELECT kind, rotation, salt, hash, offered_at, origin, until"
        " FROM credentials WHERE station_id = ?"
        " ORDER BY offered_at IS NOT NULL, id DESC",
        (station_id,),
    )
    return [
        Credential(
            CredentialKind(row["kind"]),
            row["rotation"],
            row["salt"],
            row["hash"],
            instant(row["offered_at"]),
            row["origin"],
            instant(row["until"]),
        )
        for row in rows
    ]


def find(tx: ReadTx, station_id: int, rotation: int) -> Credential | None:
    """The password of this number."""
    stored = list_of_station(tx, station_id)
    return next((one for one in stored if one.rotation == rotation), None)


def list_standings(tx: ReadTx, station_ids: Iterable[int]) -> dict[int, Standing]:
    """How stations stand with their passwords; without those that have none."""
    rows = tx.all(
        "SELECT station_id, max(kind = ?) AS waived, max(offered_at) AS offered_at"
        " FROM credentials WHERE station_id IN (SELECT value FROM json_each(?))"
        " GROUP BY station_id",
        (CredentialKind.WAIVED.value, to_json(list(station_ids))),
    )
    return {
        row["station_id"]: Standing(bool(row["waived"]), instant(row["offered_at"])) for row in rows
    }


def list_stations_with(tx: ReadTx, kind: CredentialKind) -> list[int]:
    """The stations that have one of this kind."""
    rows = tx.all("SELECT station_id FROM credentials WHERE kind = ?", (kind.value,))
    return [row["station_id"] for row in rows]


def next_rotation(tx: ReadTx, station_id: int) -> int:
    """The number of the station's next password."""
    sql = "SELECT ifnull(max(rotation), 0) + 1 FROM credentials WHERE station_id = ?"
    number: int = tx.value(sql, (station_id,))
    return number


def replace(tx: Tx, station_id: int, credential: Credential) -> None:
    """Make it the station's only password."""
    tx.run("DELETE FROM credentials WHERE station_id = ?", (station_id,))
    tx.run(
        "INSERT INTO credentials"
        " (station_id, kind, rotation, salt, hash, created_at, origin, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            credential.kind.value,
            credential.rotation,
            credential.salt,
            credential.hash,
            tx.now,
            credential.origin,
            None if credential.until is None else to_micros(credential.until),
        ),
    )


def insert_offer(tx: Tx, station_id: int, rotation: int, *, keep: int) -> None:
    """A derived password that the station is about to be told; `keep` offers stay at most."""
    tx.run(
        "INSERT INTO credentials (station_id, kind, rotation, created_at, offered_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (station_id, CredentialKind.DERIVED.value, rotation, tx.now, tx.now),
    )
    tx.run(
        "DELETE FROM credentials WHERE station_id = ?1 AND offered_at IS NOT NULL AND id NOT IN"
        " (SELECT id FROM credentials WHERE station_id = ?1 AND offered_at IS NOT NULL"
        " ORDER BY id DESC LIMIT ?2)",
        (station_id, keep),
    )


def delete_offer(tx: Tx, station_id: int, rotation: int) -> None:
    """Take back one that the station did not take."""
    tx.run(
        "DELETE FROM credentials WHERE station_id = ? AND rotation = ? AND offered_at IS NOT NULL",
        (station_id, rotation),
    )


def delete_offers(tx: Tx, station_id: int, *, before: int) -> None:
    """Take back those that were made before an instant."""
    tx.run("DELETE FROM credentials WHERE station_id = ? AND offered_at < ?", (station_id, before))
