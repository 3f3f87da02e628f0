"""PublishFirmwareStatusNotification: how far a local controller is with offering firmware."""

from __future__ import annotations

from csms.domain.tasks import Task
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject
from csms.ocpp.task_progress import store_progress


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it; where the firmware lies stays in the message as received."""
    return store_progress(station, Task.FIRMWARE_PUBLICATION, payload)
