"""Tables `local_lists` and `local_list_entries`: what stations authorize by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from csms.domain.local_lists import UNHEARD, ListEntry, LocalList
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Tx


def find(tx: ReadTx, station_id: int) -> LocalList:
    """What is known of the station's list; nothing, when we never heard of one."""
    row = tx.one("SELECT * FROM local_lists WHERE station_id = ?", (station_id,))
    if row is None:
        return UNHEARD
    return LocalList(row["version"], row["known_version"], row["refusal"])


def upsert(tx: Tx, station_id: int, local_list: LocalList) -> None:
    """This is known now; entries have functions of their own."""
    tx.run(
        "INSERT INTO local_lists (station_id, version, known_version, refusal, updated_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version,"
        " known_version = excluded.known_version, refusal = excluded.refusal,"
        " updated_at = excluded.updated_at",
        (
            station_id,
            local_list.version,
            local_list.known_version,
            local_list.refusal,
            tx.now,
        ),
    )


def list_entries(tx: ReadTx, station_id: int) -> list[ListEntry]:
    """The entries of the version that is known, by token."""
    rows = tx.all(
        "SELECT * FROM local_list_entries WHERE station_id = ? ORDER BY key, type", (station_id,)
    )
    return [
        ListEntry(
            id_token=row["id_token"],
            id_token_type=row["type"],
            status=row["status"],
            expires_at=instant(row["expires_at"]),
            group_id_token=row["group_id_token"],
        )
        for row in rows
    ]


def upsert_entries(tx: Tx, station_id: int, entries: Iterable[ListEntry]) -> None:
    """They are on the list, in place of those with the same token."""
    tx.many(
        "INSERT OR REPLACE INTO local_list_entries (station_id, key, type, id_token, status,"
        " expires_at, group_id_token) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                station_id,
                entry.key,
                entry.id_token_type,
                entry.id_token,
                entry.status,
                micros(entry.expires_at),
                entry.group_id_token,
            )
            for entry in entries
        ],
    )


def delete_entries(tx: Tx, station_id: int, entries: Iterable[ListEntry]) -> None:
    """They are off the list."""
    tx.many(
        "DELETE FROM local_list_entries WHERE station_id = ? AND key = ? AND type = ?",
        [(station_id, entry.key, entry.id_token_type) for entry in entries],
    )


def delete_all_entries(tx: Tx, station_id: int) -> None:
    """The list is empty."""
    tx.run("DELETE FROM local_list_entries WHERE station_id = ?", (station_id,))
