"""Alerts: news of a station that a person has to hear of, whatever message brought it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from csms.clock import from_micros
from csms.domain.alerts import is_late
from csms.domain.timestamps import format_timestamp
from csms.services import station_events
from csms.store.database import Tx


def raise_alert(
    tx: Tx, station_id: int, source: str, *, reported_at: datetime | None, **data: Any
) -> None:
    """Emit `alert.raised`; `late` says that it is about the past of a station that was offline."""
    station_events.emit(
        tx,
        station_id,
        "alert.raised",
        source=source,
        reported_at=None if reported_at is None else format_timestamp(reported_at),
        late=is_late(reported_at, from_micros(tx.now)),
        **data,
    )
