"""/api/v1/commands: what was sent to single stations, and what came of it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field

from csms.api import cursors, outcomes, times
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import ErrorShape, Instant, cursor_page
from csms.domain.effects import Effect
from csms.domain.jobs import ItemState, Job, JobItem
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.errors import Conflict, NotFound
from csms.jobs import effects, views
from csms.store import job_items
from csms.store import single_commands as store
from csms.store import stations as station_store
from csms.store.database import ReadTx

# More than wait for any station that somebody watches.
_MOST_WITHDRAWN = 500


class CommandState(str, Enum):
    """Where a command stands."""

    QUEUED = "queued"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


_STATES = {
    ItemState.HELD: CommandState.QUEUED,
    ItemState.READY: CommandState.QUEUED,
    ItemState.WAIT_ONLINE: CommandState.QUEUED,
    ItemState.IN_FLIGHT: CommandState.SENT,
    ItemState.SUCCEEDED: CommandState.SUCCEEDED,
    ItemState.REJECTED: CommandState.REJECTED,
    ItemState.UNKNOWN: CommandState.UNKNOWN,
    ItemState.OFFLINE: CommandState.NOT_SENT,
    ItemState.EXPIRED: CommandState.NOT_SENT,
    ItemState.CANCELLED: CommandState.CANCELLED,
    ItemState.SKIPPED_FORBIDDEN: CommandState.NOT_SENT,
}


class CommandShape(Shape):
    """A command to one station."""

    id: str
    station_id: str | None = Field(description="Null: the station was deleted.")
    identity: str | None
    command: str = Field(description="Our command, or the raw action.")
    params: dict[str, Any] = Field(description="Or the payload of the action; without passwords.")
    state: CommandState = Field(
        description="`queued`, `sent`; then `succeeded`, `rejected`, `refused` (a CALLERROR),"
        " `not_sent`, `cancelled`, or `unknown`: it may have run."
    )
    error: ErrorShape | None
    response: dict[str, Any] | None
    response_status: str | None
    effect: Effect | None = Field(description="As of a job's item.")
    created_by: str = Field(description="The id of the token that sent it.")
    created_at: Instant
    deadline_at: Instant | None = Field(description="Sent until then, or not at all.")
    settled_at: Instant | None

    @classmethod
    def of(cls, tx: ReadTx, job: Job, item: JobItem, *, now: int) -> CommandShape:
        """The command as it is shown."""
        station: Station | None = None
        if item.target is not None:
            station = station_store.find(tx, item.target)
        params = job.params
        return cls(
            id=job.uuid,
            station_id=None if station is None else station.uuid,
            identity=None if station is None else station.identity,
            command=params.get("command") or params["action"],
            params=params["params"] if "command" in params else params["payload"],
            state=_state(item),
            error=None
            if item.code is None
            else ErrorShape(code=item.code, message=item.message, retryable=item.retryable),
            response=item.response,
            response_status=item.response_status,
            effect=effects.of_item(tx, job, item, now=now),
            created_by=job.principal,
            created_at=times.micros(job.created_at),
            deadline_at=times.micros(item.deadline_at),
            settled_at=times.micros(item.executed_at),
        )


class CommandPage(Shape):
    """Commands, newest first."""

    items: list[CommandShape]
    next_cursor: str | None


class CommandsQuery(Page):
    """Which commands to list."""

    station_id: str | None = Field(default=None, max_length=100)
    open: bool | None = Field(default=None, description="Whether it can still be answered.")


async def list_commands(call: Call[None, CommandsQuery]) -> Reply:
    """Those of the token itself; all for operators that are not bound to locations."""
    query, principal, now = call.query, call.principal, call.deps.clock.micros()
    before_id = cursors.read(query.cursor)

    def look(tx: ReadTx) -> tuple[list[CommandShape], int | None]:
        station_id = None
        if query.station_id is not None:
            station_id = stations.find(tx, query.station_id, principal).id
        found = store.list_page(
            tx,
            limit=query.limit + 1,
            before_id=before_id,
            principal=None if views.sees_all_jobs(principal) else principal.id,
            station_id=station_id,
            is_open=query.open,
        )
        shown = found[: query.limit]
        more = shown[-1][0].id if len(found) > len(shown) else None
        return [CommandShape.of(tx, job, item, now=now) for job, item in shown], more

    shapes, more = await call.deps.db.read(look)
    return Reply(cursor_page(shapes, None if more is None else cursors.write(more)))


async def show(call: Call[None, None]) -> Reply:
    """One command."""
    return Reply(await shape(call, call.path["command_id"]))


async def cancel(call: Call[None, None]) -> Reply:
    """200 when it was not sent and never will be; 409 when it was."""
    uuid = call.path["command_id"]
    job, item = await call.deps.db.read(lambda tx: _find(tx, uuid, call.principal))
    if _state(item) is CommandState.QUEUED:
        await call.deps.engine.cancel(job)
    shown = await shape(call, uuid)
    if shown.state is not CommandState.CANCELLED:
        raise Conflict(f"the command is {shown.state.value} already", code="command_sent")
    return Reply(shown)


async def withdraw(call: Call[Any, Any], station_id: int, name: str | None) -> None:
    """Cancel the commands of that name that the caller sees and that were not sent yet."""
    principal = call.principal
    own = None if views.sees_all_jobs(principal) else principal.id
    found = await call.deps.db.read(
        lambda tx: store.list_page(
            tx, limit=_MOST_WITHDRAWN, principal=own, station_id=station_id, is_open=True
        )
    )
    for job, item in found:
        named = job.params.get("command") or job.params.get("action")
        if named == name and _state(item) is CommandState.QUEUED:
            await call.deps.engine.cancel(job)


async def shape(call: Call[Any, Any], uuid: str) -> CommandShape:
    """The command as it is now; raises NotFound, also when the caller may not see it."""
    now = call.deps.clock.micros()
    return await call.deps.db.read(
        lambda tx: CommandShape.of(tx, *_find(tx, uuid, call.principal), now=now)
    )


def _find(tx: ReadTx, uuid: str, principal: Principal) -> tuple[Job, JobItem]:
    try:
        job = views.find_visible(
            tx, uuid, principal, kind="command", dialect=None, location_uuid=None
        )
    except NotFound:
        job = None
    if job is None or not store.is_one(job):
        raise NotFound("Command not found")
    return job, job_items.get(tx, job.id, 0)


def _state(item: JobItem) -> CommandState:
    if item.state is not ItemState.ERROR:
        return _STATES[item.state]
    if item.code == "call_error":
        return CommandState.REFUSED
    if outcomes.may_have_run(item) or item.code == "internal":
        return CommandState.UNKNOWN
    return CommandState.NOT_SENT
