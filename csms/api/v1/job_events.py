"""GET /api/v1/jobs/{job_id}/events: one job from where it stands to its end."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from csms.api import streams
from csms.api.feed import JOB_ENDS, Message, Reader
from csms.api.routing import Call
from csms.api.v1.job_shapes import JobShape
from csms.domain.jobs import FINAL_JOB_STATES, Job
from csms.domain.permissions import Principal
from csms.jobs import views
from csms.store.database import Database

_NAMES = {"item.settled": "item", "job.progress": "progress"}


async def stream_job(call: Call[None, None]) -> web.StreamResponse:
    """`snapshot`, then `item` and `progress` as they come, and `done` at the end of the job."""
    db, principal, uuid = call.deps.db, call.principal, call.path["job_id"]
    job = await views.get_job(db, uuid, principal)
    last_id = streams.last_event_id(call.request)

    async def send(response: EventSourceResponse, reader: Reader) -> None:
        if last_id is not None:
            after = await streams.send_reset_if_lost(db, response, last_id)
            missed = streams.replay(db, after, up_to=reader.start_id, job_id=job.id)
            async for message in missed:
                if message.type == "item.settled":
                    await _send(response, message)
        now = await views.get_job(db, uuid, principal)
        await _tell(response, "snapshot", now, str(reader.start_id))
        if now.state in FINAL_JOB_STATES:
            await _tell(response, "done", now, str(reader.start_id))
            return
        async for message in reader:
            if message.job_id != job.id:
                continue
            if message.type in JOB_ENDS:
                await _end(db, response, principal, message)
                return
            if message.type in _NAMES:
                await _send(response, message)

    return await streams.stream(call, send)


async def _send(response: EventSourceResponse, message: Message) -> None:
    identifier = None if message.id is None else str(message.id)
    body = _text({"id": message.job_uuid, **message.data})
    await response.send(body, id=identifier, event=_NAMES[message.type])


async def _end(
    db: Database, response: EventSourceResponse, principal: Principal, message: Message
) -> None:
    assert message.job_uuid is not None
    job = await views.get_job(db, message.job_uuid, principal)
    await _tell(response, "done", job, str(message.id))


async def _tell(response: EventSourceResponse, event: str, job: Job, event_id: str) -> None:
    await response.send(JobShape.of(job).model_dump_json(), id=event_id, event=event)


def _text(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
