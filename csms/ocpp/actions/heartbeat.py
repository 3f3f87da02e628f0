"""Heartbeat: the station is alive and wants the time."""

from __future__ import annotations

from csms.clock import from_micros
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject


def on_v16(station: StationContext, payload: JsonObject) -> JsonObject:
    """Note it in memory; the row follows with the next flush."""
    return _noted(station)


def on_v2x(station: StationContext, payload: JsonObject) -> JsonObject:
    """Note it in memory; the row follows with the next flush."""
    return _noted(station)


def _noted(station: StationContext) -> JsonObject:
    at = station.heartbeats.note(station.station_id)
    return {"currentTime": station.timestamp(from_micros(at))}
