"""Event streams: monitored values without the rest of an event, which their monitor knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from csms.domain.device_model import MonitoringEvent
from csms.services import monitoring
from csms.store import event_streams, variable_monitors
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class StreamValue:
    """One value; the time is None when the station's is not readable."""

    value: str | None
    at: datetime | None
    raw: str


@dataclass(frozen=True, slots=True)
class NewStream:
    """A stream as the station describes it."""

    stream_id: int
    monitor_id: int
    interval_s: int | None
    max_values: int | None


def opened(tx: Tx, station_id: int, stream: NewStream) -> None:
    """Values of the monitor may come in this stream from now on (OCPP 2.1 N11.FR.04)."""
    event_streams.upsert(
        tx,
        station_id,
        stream.stream_id,
        monitor_id=stream.monitor_id,
        interval_s=stream.interval_s,
        max_values=stream.max_values,
    )


def reported(tx: Tx, station_id: int, streams: Sequence[NewStream]) -> None:
    """These are open, as the station says, and no others."""
    there = {stream.stream_id for stream in streams}
    for known in event_streams.list_of_station(tx, station_id):
        if known.stream_id not in there:
            event_streams.update_closed(tx, station_id, known.stream_id)
    for stream in streams:
        opened(tx, station_id, stream)


def receive(
    tx: Tx, station_id: int, stream_id: int, values: Sequence[StreamValue], pending: int | None
) -> None:
    """Store values as what their monitor saw (OCPP 2.1 N15.FR.03)."""
    stream = event_streams.find(tx, station_id, stream_id)
    if stream is None:  # nothing can be said to a station that did not open it
        event_streams.upsert(tx, station_id, stream_id, monitor_id=None)
    event_streams.update_pending(tx, station_id, stream_id, pending)
    monitor_id = None if stream is None else stream.monitor_id
    monitor = next(
        (one for one in variable_monitors.list_of_station(tx, station_id) if one.id == monitor_id),
        None,
    )
    monitoring.record(
        tx,
        station_id,
        [
            MonitoringEvent(
                event_id=None,
                key=None if monitor is None else monitor.key,
                monitor_id=monitor_id,
                severity=None,
                trigger="Periodic",
                origin=None,
                actual_value=one.value,
                cleared=False,
                cause=None,
                station_transaction_id=None,
                tech_code=None,
                tech_info=None,
                reported_at=one.at,
                raw=one.raw,
            )
            for one in values
        ],
    )
