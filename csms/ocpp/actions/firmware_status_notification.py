"""FirmwareStatusNotification: how far a firmware update is."""

from __future__ import annotations

from csms.domain.tasks import Task
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject
from csms.ocpp.task_progress import store_progress


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it; the message of 1.6 names no request."""
    return store_progress(station, Task.FIRMWARE_UPDATE, payload)


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it with the request it belongs to."""
    return store_progress(station, Task.FIRMWARE_UPDATE, payload)
