"""POST /api/v1/stations/{station_id}/commands: one order to one station, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from csms.api import outcomes
from csms.api.deps import Deps
from csms.api.errors import problem
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import command_records
from csms.api.v1.stations import find
from csms.domain.jobs import ItemState, Job, JobItem, Lane, NewItem, Policy, Submission
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Conflict, Invalid, Unavailable
from csms.jobs import reports
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.store import jobs
from csms.store.database import ReadTx

LONGEST_WAIT_S = 300.0
# What the way through the queue and the journal may take on top of the station's own time.
_MARGIN_S = 1.0


class OrderBody(Strict):
    """An order in our words (`command`, `params`), or raw (`action`, `payload`)."""

    command: str | None = Field(default=None, description="E.g. `reset`; OCPP 2.x in snake_case.")
    params: dict[str, Any] | None = None
    action: str | None = Field(default=None, description="An action of OCPP as it is written.")
    payload: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.action is None):
            raise ValueError("give either command or action")
        if self.command is None and self.params is not None:
            raise ValueError("params belong to command; an action has a payload")
        if self.action is None and self.payload is not None:
            raise ValueError("payload belongs to action; a command has params")
        return self

    def wanted(self, version: OcppVersion) -> Wanted:
        """What to send; an action is one of `version`."""
        if self.action is None:
            return Wanted(command=self.command, params=self.params)
        return Wanted(version=version, action=self.action, payload=self.payload)


class SendCommand(OrderBody):
    """An order to one station; an action is one of the version that it speaks."""

    timeout_s: float | None = Field(
        default=None,
        ge=1,
        le=LONGEST_WAIT_S,
        description="How long to wait until it is sent, and then for the answer; left out:"
        " `ocpp.call_timeout_s`.",
    )
    on_conflict: Literal["queue", "reject", "replace"] = Field(
        default="queue",
        description="While the station has other commands in hand: wait for them, or 409"
        " `station_busy`, or wait instead of those of the same name that were not sent yet.",
    )


class CommandResult(Shape):
    """The station answered."""

    id: str = Field(description="Of the hidden job that carried the order.")
    state: Literal["succeeded", "rejected"]
    response: dict[str, Any] | None
    response_status: str | None
    latency_ms: int | None = Field(description="From the request to the answer; null in a replay.")


@dataclass(frozen=True, slots=True)
class Carried:
    """An order to one station and what became of it within the time."""

    job: Job
    item: JobItem
    headers: dict[str, str]


async def send(call: Call[SendCommand, None]) -> Reply:
    """200 with the answer, 409 when never sent, 502 refused, 504 outcome unknown.

    202 at once with `Prefer: respond-async`.
    """
    deps, body = call.deps, call.body
    station = await deps.db.read(lambda tx: find(tx, call.path["station_id"], call.principal))
    timeout_s = body.timeout_s or deps.settings.command_timeout_s
    order = _submission(call, station, timeout_s)
    if body.on_conflict == "replace" and not await _is_repeated(call):
        await command_records.withdraw(call, station.id, body.command or body.action)
    if _prefers_not_to_wait(call):
        return await _accepted(call, order)
    started = deps.clock.monotonic()
    carried = await carry(call, order, timeout_s)
    latency_ms = round((deps.clock.monotonic() - started) * 1000)
    return told(carried, None if carried.headers else latency_ms)


async def carry(
    call: Call[Any, None],
    order: Submission | Callable[[ReadTx], Submission],
    timeout_s: float,
) -> Carried:
    """Submit the job of one item and wait for its end; what was not sent by then is cancelled."""
    engine = call.deps.engine
    submitted = await engine.submit(order, call.idempotency)
    item = await engine.settled(submitted.job.id, timeout_s=timeout_s + _MARGIN_S)
    if item.state in {ItemState.READY, ItemState.WAIT_ONLINE}:
        # Nobody waits for it any more, so it must not go out later.
        await engine.cancel(submitted.job)
        if engine.is_over:
            raise Unavailable("The server is shutting down; nothing was done.", code="draining")
        item = await engine.settled(submitted.job.id, timeout_s=_MARGIN_S)
    if engine.is_over and not item.final:
        raise Unavailable(
            "The server stopped before there was an answer; it may be done.",
            code="stopped_waiting",
        )
    headers = {"Idempotency-Replayed": "true"} if submitted.replayed else {}
    return Carried(submitted.job, item, headers)


async def _accepted(
    call: Call[SendCommand, None], order: Submission | Callable[[ReadTx], Submission]
) -> Reply:
    submitted = await call.deps.engine.submit(order, call.idempotency)
    uuid = submitted.job.uuid
    headers = {"Location": f"/api/v1/commands/{uuid}", "Preference-Applied": "respond-async"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Reply(await command_records.shape(call, uuid), status=202, headers=headers)


async def _is_repeated(call: Call[Any, Any]) -> bool:
    deps = call.deps
    return await reports.replayed(deps.db, call.idempotency, deps.clock.now()) is not None


def _prefers_not_to_wait(call: Call[Any, Any]) -> bool:
    # RFC 7240: several headers or one with commas, each preference perhaps with parameters.
    given = ",".join(call.request.headers.getall("Prefer", [])).lower()
    return "respond-async" in {one.partition(";")[0].strip() for one in given.split(",")}


def once_within(policy: Policy, timeout_s: float) -> Policy:
    """The policy of an order that somebody waits for."""
    return replace(policy, max_attempts=1, call_timeout_s=timeout_s, expires_in_s=timeout_s)


def _submission(
    call: Call[SendCommand, None], station: Station, timeout_s: float
) -> Submission | Callable[[ReadTx], Submission]:
    body, version = call.body, version_of(call.deps, station)
    profiles = call.deps.hub.settings.security_profiles
    wanted = body.wanted(version)

    def make(wanted: Wanted) -> Submission:
        return command.submission(
            principal=call.principal,
            wanted=wanted,
            targets=[NewItem(key=station.uuid, target=station.id)],
            dialect="native",
            lane=Lane.INTERACTIVE,
            hidden=True,
            policy=once_within(call.deps.settings.policy, timeout_s),
        )

    is_prepared = command.is_prepared(wanted)

    def prepare(tx: ReadTx) -> Submission:
        if body.on_conflict == "reject" and jobs.list_live_for(tx, station.id):
            raise Conflict("the station has other commands in hand", code="station_busy")
        with placed(body):
            if not is_prepared:
                return make(wanted)
            return make(command.prepare(tx, station.id, version, wanted, served_profiles=profiles))

    if is_prepared or body.on_conflict == "reject":
        return prepare
    with placed(body):
        return make(wanted)


@contextmanager
def placed(body: OrderBody, *where: str) -> Iterator[None]:
    """What is wrong with the order is told at its place in the body."""
    try:
        yield
    except Invalid as error:
        raise Invalid(
            error.message,
            loc=(*where, _place(error, body), *error.loc),
            kind=error.kind,
            given=error.given,
            code=error.code,
        ) from error


def version_of(deps: Deps, station: Station) -> OcppVersion:
    """What the station speaks, or will as far as we know."""
    return (
        deps.hub.version(station.id)
        or station.ocpp_version
        or station.connected_version
        or OcppVersion.V16
    )


def _place(error: Invalid, body: OrderBody) -> str:
    if error.code in {"unknown_command", "unknown_action"}:
        return "command" if body.command is not None else "action"
    return "params" if body.command is not None else "payload"


def told(carried: Carried, latency_ms: int | None) -> Reply:
    """What the station answered, or why it did not."""
    item = carried.item
    if item.state not in {ItemState.SUCCEEDED, ItemState.REJECTED}:
        return failure(carried)
    result = CommandResult(
        id=carried.job.uuid,
        state="succeeded" if item.state is ItemState.SUCCEEDED else "rejected",
        response=item.response,
        response_status=item.response_status,
        latency_ms=latency_ms,
    )
    return Reply(result, headers=carried.headers)


def failure(carried: Carried) -> Reply:
    """Why there is no answer, or not the one that was wanted."""
    item = carried.item
    status, code, detail, state = _failure(item)
    more = {} if item.response is None else {"response": item.response}
    return Reply(
        problem(status, code, detail, id=carried.job.uuid, state=state, **more),
        status=status,
        headers={**carried.headers, "Content-Type": "application/problem+json"},
    )


def _failure(item: JobItem) -> tuple[int, str, str, str]:
    """Status, code, sentence and state of an order that has no answer."""
    if item.state in outcomes.NEVER_SENT:
        told = outcomes.why_not_sent(item)
        return 409, told.code, f"{told.message}; nothing was sent.", "not_sent"
    if item.state is ItemState.REJECTED:
        return 409, "rejected", item.message or "The station rejected it.", "rejected"
    if item.state is ItemState.SKIPPED_FORBIDDEN:
        return 404, "not_found", "Station not found", "not_sent"
    if item.state is ItemState.ERROR and not outcomes.may_have_run(item):
        message = item.message or "the station refused the call"
        if item.code == "call_error":
            return 502, "call_refused", message, "refused"
        if item.code == "internal":  # it broke over the answer, or before; nobody can tell
            return (
                500,
                "internal",
                "internal error; the station may have run the command",
                "unknown",
            )
        return 422, item.code or "error", message, "not_sent"
    return (
        504,
        "call_timeout",
        item.message or "The station did not answer in time; it may have run the command.",
        "unknown",
    )
