"""Commands that start a task at the station, which tells later how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.tasks import Progress, Task
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands.command import Answer, Evidence, EvidenceQuery
from csms.ocpp.fields import integer, raw
from csms.ocpp.frames import JsonObject
from csms.services import task_progress
from csms.store import task_progress as store
from csms.store.database import ReadTx, Tx

# OCPP 2.0.1 FileTransferProtocols. No station is told to read a file of its own, or to run one.
_TRANSFERS = parameters.UrlOf(("http", "https", "ftp", "ftps", "sftp"))
# OCPP 2.1 has the longest; the schema of an older version refuses what is too long for it.
Location = Annotated[str, MinLen(1), MaxLen(2000), _TRANSFERS]
Count = Annotated[int, Ge(0), Le(2**31 - 1)]


def retries(attempts: int | None, interval_s: int | None) -> JsonObject:
    """The fields of all versions that say how often to try; the station decides on the rest."""
    found = {"retries": attempts, "retryInterval": interval_s}
    return {name: value for name, value in found.items() if value is not None}


def read_retries(payload: JsonObject) -> JsonObject:
    """The parameters that `retries` makes those fields from."""
    return {"retries": payload.get("retries"), "retry_interval_s": payload.get("retryInterval")}


def read_params(kind: type[Any], **values: Any) -> Any:
    """Parameters from fields of a payload, of which None is left out; raises Invalid."""
    return parameters.parse(
        kind, {name: value for name, value in values.items() if value is not None}
    )


def open_story(
    tx: Tx, station_id: int, task: Task, payload: JsonObject, answer: Answer, *, asked_at: int
) -> None:
    """An accepted request of that time, in microseconds, opens the story of the task."""
    if answer.accepted:
        progress = Progress(
            task=task,
            request_id=integer(payload, "requestId"),
            status=answer.status or "Accepted",  # 1.6 has an empty answer
            raw=raw(answer.payload),
            answered=True,
        )
        task_progress.record_answer(tx, station_id, progress, asked_at=asked_at)


def shown_by_progress(task: Task) -> Callable[[ReadTx, EvidenceQuery], Evidence | None]:
    """A station that tells how far it is has got the request."""

    def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
        request_id = integer(query.payload, "requestId")
        seen_at = store.find_report(
            tx, query.station_id, task, request_id=request_id, since=query.intent_at
        )
        if seen_at is None:
            return None
        return Evidence(task.value, seen_at, inferred=request_id is None)

    return evidence
