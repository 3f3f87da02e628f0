"""The messages in which stations say how far they are with a task: all of one form."""

from __future__ import annotations

from csms.domain.tasks import Progress, Task
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import task_progress

# DiagnosticsStatus of OCPP 1.6 and UploadLogStatusEnumType mean the same by these.
_RENAMED = {"UploadFailed": "UploadFailure"}


def store_progress(station: StationContext, task: Task, payload: JsonObject) -> Stored:
    """Store the report, then answer; whatever the status says, there is nothing to refuse."""
    word = text(payload, "status") or ""
    progress = Progress(
        task=task,
        request_id=integer(payload, "requestId"),
        status=_RENAMED.get(word, word),
        raw=raw(payload),
    )
    return Stored(
        station.db,
        lambda tx: task_progress.record(tx, station.station_id, progress),
        lambda _: {},
    )
