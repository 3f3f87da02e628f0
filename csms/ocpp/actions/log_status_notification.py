"""LogStatusNotification: how far the upload of a log is."""

from __future__ import annotations

from csms.domain.tasks import Task
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject
from csms.ocpp.task_progress import store_progress


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it; the security extension of 1.6 took it from 2.x."""
    return store_progress(station, Task.LOG_UPLOAD, payload)


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it with the request it belongs to."""
    return store_progress(station, Task.LOG_UPLOAD, payload)
