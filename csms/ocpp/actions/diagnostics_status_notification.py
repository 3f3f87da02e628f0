"""DiagnosticsStatusNotification: how far an upload of diagnostics is, on OCPP 1.6."""

from __future__ import annotations

from csms.domain.tasks import Task
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject
from csms.ocpp.task_progress import store_progress


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it; the message names no request."""
    return store_progress(station, Task.LOG_UPLOAD, payload)
