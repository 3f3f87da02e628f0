"""Notices of stations: kept, and told on once."""

from __future__ import annotations

from csms.domain.notices import Notice
from csms.domain.timestamps import format_timestamp
from csms.services import station_events
from csms.store import notices
from csms.store.database import Tx


def record(tx: Tx, station_id: int, notice: Notice, event_type: str) -> None:
    """Keep it; a repetition is not told again."""
    if not notices.insert(tx, station_id, notice):
        return
    at = notice.reported_at
    station_events.emit(
        tx,
        station_id,
        event_type,
        reference=notice.reference,
        status=notice.status,
        reported_at=None if at is None else format_timestamp(at),
    )
