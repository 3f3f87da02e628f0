"""Local authorization lists: which version each station has, and what is in it."""

from __future__ import annotations

from dataclasses import replace

from csms.domain.local_lists import (
    ListUpdate,
    LocalList,
    UpdateType,
    doubtful_after,
    known_after,
)
from csms.services import station_events
from csms.store import local_lists
from csms.store.database import Tx


def apply(tx: Tx, station_id: int, update: ListUpdate) -> None:
    """The station took the update."""
    before = local_lists.find(tx, station_id)
    after = LocalList(update.version, known_after(before, update), None)
    local_lists.upsert(tx, station_id, after)
    if update.update_type is UpdateType.FULL:
        local_lists.delete_all_entries(tx, station_id)
    if after.is_known:
        removed = [entry for entry in update.entries if entry.status is None]
        local_lists.delete_entries(tx, station_id, removed)
        local_lists.upsert_entries(
            tx, station_id, [entry for entry in update.entries if entry.status is not None]
        )
    station_events.emit(
        tx,
        station_id,
        "local_list.updated",
        version=update.version,
        update_type=update.update_type.value,
        entries_known=after.is_known,
    )


def record_refusal(tx: Tx, station_id: int, update: ListUpdate, status: str | None) -> None:
    """The station left its list as it was; after a VersionMismatch, only the whole list helps."""
    before = local_lists.find(tx, station_id)
    local_lists.upsert(tx, station_id, replace(before, refusal=status))
    station_events.emit(
        tx,
        station_id,
        "local_list.refused",
        version=update.version,
        update_type=update.update_type.value,
        status=status,
    )


def record_doubt(tx: Tx, station_id: int, update: ListUpdate) -> None:
    """No answer tells whether the station took the update."""
    local_lists.upsert(tx, station_id, doubtful_after(local_lists.find(tx, station_id), update))


def record_version(tx: Tx, station_id: int, version: int) -> None:
    """The station tells its version. One that has no list has no entries, and we know it."""
    before = local_lists.find(tx, station_id)
    if version <= 0:
        local_lists.upsert(tx, station_id, LocalList(version, version, before.refusal))
        local_lists.delete_all_entries(tx, station_id)
    elif version == before.known_version:
        # Either it is as it was, or an update in doubt never came through.
        local_lists.upsert(tx, station_id, replace(before, version=version))
    else:
        local_lists.upsert(tx, station_id, LocalList(version, None, before.refusal))
