"""Bulk runs: one OCPP 1.6 command to many chargers, a result for each."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any

import orjson
from pydantic import Field, StringConstraints
from pydantic.types import FailFast

from csms.api.commands_dialect.options import BulkOptions, policy_of
from csms.api.commands_dialect.pages import CommandsPage, PageLinks, PageMeta, page_body
from csms.api.models import Lenient, LenientQuery, Shape
from csms.api.polls import poll
from csms.api.routing import Call, Dialect, Reply
from csms.clock import from_micros
from csms.domain.jobs import FINAL_JOB_STATES, ItemState, Job, Submission
from csms.domain.permissions import Principal
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.jobs import reports, targets, views
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.jobs.reports import RUN, Report, Rows, RunRow


class RunStatus(str, Enum):
    """Completed once nothing is pending."""

    RUNNING = "running"
    COMPLETED = "completed"


class ResultStatus(str, Enum):
    """How it stands with one charger."""

    PENDING = "pending"
    SENT = "sent"
    OFFLINE = "offline"
    ERROR = "error"
    SKIPPED_FORBIDDEN = "skipped_forbidden"


# Whatever it is, it is skipped like a charger that does not exist; the body bounds it.
AnyText = Annotated[str, StringConstraints(max_length=8 * 1024 * 1024)]


class BulkCommand(Lenient):
    """One command for many chargers."""

    command: Annotated[str, StringConstraints(min_length=1, max_length=50)] = Field(
        description="The OCPP 1.6 action, e.g. Reset."
    )
    data: dict[str, Any] | None = Field(
        default=None, description="The action's payload, the same for each charger."
    )
    charger_ids: Annotated[list[AnyText], FailFast(), Field(min_length=1)] = Field(
        description="UUIDs; each counts once."
    )
    options: BulkOptions | None = None


class RetryRun(Lenient):
    """What to try again besides offline, failed and cancelled chargers."""

    include_unknown: bool = Field(
        default=False,
        description="Send again where the outcome is unknown; it may happen twice.",
    )


class ResultsWanted(LenientQuery):
    """Which results; failed means everything that did not end in an accepting answer."""

    results: Rows = Rows.ALL


class RunCharger(Shape):
    """A charger the caller has access to."""

    uuid: str
    identity: str
    reference: str | None


class RunResult(Shape):
    """One charger's result; the last three are left out of the 202."""

    charger_uuid: str
    status: ResultStatus
    message: str | None
    executed_at: str | None
    charger: RunCharger | None = None
    response: dict[str, Any] | None = None
    response_status: str | None = None
    attempts: int | None = None


class Run(Shape):
    """A bulk run."""

    uuid: str
    command: str
    data: dict[str, Any]
    status: RunStatus
    total_count: int
    sent_count: int
    offline_count: int
    error_count: int
    skipped_count: int
    results: list[RunResult]


class RunAnswer(Shape):
    """A run, wrapped."""

    data: Run


class RunList(Shape):
    """A page of runs; their results are empty here."""

    data: list[Run]
    links: PageLinks
    meta: PageMeta


async def create(call: Call[BulkCommand, None]) -> Reply:
    """POST /api/v3/chargers/commands/bulk."""
    deps = call.deps
    job = await reports.replayed(deps.db, call.idempotency, deps.clock.now())
    replayed = job is not None
    if job is None:
        submitted = await deps.engine.submit(await _submission(call), call.idempotency)
        job, replayed = submitted.job, submitted.replayed
    found = await reports.report(deps.db, job, lambda _: Rows.ALL, RUN)
    results = [result_body(row, call.principal, whole=False) for row in found.rows]
    headers = {"Location": f"/api/v3/chargers/commands/bulk/{job.uuid}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Reply({"data": run_body(found.job, results)}, status=202, headers=headers)


async def list_all(call: Call[None, CommandsPage]) -> Reply:
    """GET /api/v3/chargers/commands/bulk."""
    found, total = await views.list_jobs(
        call.deps.db,
        call.principal,
        limit=call.query.per_page,
        offset=call.query.offset,
        kind=command.KIND,
        dialect=Dialect.COMMANDS.value,
    )
    return Reply(page_body(call.request, [run_body(job, []) for job in found], total, call.query))


async def show(call: Call[None, ResultsWanted]) -> Reply:
    """GET /api/v3/chargers/commands/bulk/{run}."""
    wanted = call.query.results

    def render(found: Report[RunRow]) -> dict[str, Any]:
        results = _results(found.rows, call.principal, wanted)
        return {"data": run_body(found.job, results)}

    return await poll(call, await _job(call), lambda _: wanted, RUN, render)


async def cancel(call: Call[None, None]) -> Reply:
    """POST /api/v3/chargers/commands/bulk/{run}/cancel; a completed run stays as it is."""
    return await _reply(call, await call.deps.engine.cancel(await _job(call)))


async def retry(call: Call[RetryRun | None, None]) -> Reply:
    """POST /api/v3/chargers/commands/bulk/{run}/retry; raises Conflict while it runs."""
    job = await call.deps.engine.retry(
        await _job(call), include_unknown=call.body is not None and call.body.include_unknown
    )
    return await _reply(call, job, status=202)


def run_body(job: Job, results: list[dict[str, Any]]) -> dict[str, Any]:
    """A run with the counts of its job."""
    counters = job.counters
    completed = job.state in FINAL_JOB_STATES
    errors = counters.errored + counters.unknown + counters.cancelled
    return {
        "uuid": job.uuid,
        "command": job.params["action"],
        "data": job.params["payload"],
        "status": (RunStatus.COMPLETED if completed else RunStatus.RUNNING).value,
        "total_count": counters.total,
        "sent_count": counters.succeeded + counters.rejected,
        "offline_count": counters.offline + counters.expired,
        "error_count": errors,
        "skipped_count": counters.skipped,
        "results": results,
    }


def result_body(row: RunRow, caller: Principal, *, whole: bool = True) -> dict[str, Any]:
    """One charger's result; not whole, in the source's own fields."""
    # Taken apart at once: a dozen names of ten thousand rows take 5 ms.
    key, state, window_open, text, attempts, response, word, at, station, identity, name, site = row
    status = PENDING if window_open else _STATUS[state]
    body: dict[str, Any] = {"charger_uuid": key, "status": status}
    if status == SKIPPED:
        # Nothing tells apart what is absent and what the caller may not see.
        body["message"] = body["executed_at"] = None
    else:
        body["message"] = None if status == PENDING else _message(state, text)
        body["executed_at"] = None if at is None else _instant(at)
        if station is not None and caller.reaches(site):
            body["charger"] = {"uuid": station, "identity": identity, "reference": name}
    if whole:
        body["response"] = None if response is None else orjson.Fragment(response)
        body["response_status"] = word
        body["attempts"] = attempts
    return body


PENDING = ResultStatus.PENDING.value
SKIPPED = ResultStatus.SKIPPED_FORBIDDEN.value
_STATUS = {
    ItemState.HELD.value: PENDING,
    ItemState.READY.value: PENDING,
    ItemState.WAIT_ONLINE.value: PENDING,
    ItemState.IN_FLIGHT.value: PENDING,
    ItemState.SUCCEEDED.value: ResultStatus.SENT.value,
    ItemState.REJECTED.value: ResultStatus.SENT.value,
    ItemState.ERROR.value: ResultStatus.ERROR.value,
    ItemState.UNKNOWN.value: ResultStatus.ERROR.value,
    ItemState.CANCELLED.value: ResultStatus.ERROR.value,
    ItemState.OFFLINE.value: ResultStatus.OFFLINE.value,
    ItemState.EXPIRED.value: ResultStatus.OFFLINE.value,
    ItemState.SKIPPED_FORBIDDEN.value: SKIPPED,
}
_UNKNOWN = ItemState.UNKNOWN.value
# Where the item itself says nothing.
_MESSAGES = {
    ItemState.ERROR.value: "error",
    ItemState.UNKNOWN.value: "outcome unknown",
    ItemState.CANCELLED.value: "cancelled",
    ItemState.OFFLINE.value: "The charger is offline.",
    ItemState.EXPIRED.value: "expired",
}


def _message(state: str, text: str | None) -> str | None:
    if not text:
        return _MESSAGES.get(state)
    return f"outcome unknown: {text}" if state == _UNKNOWN else text


async def _submission(call: Call[BulkCommand, None]) -> Submission:
    body, deps = call.body, call.deps
    wanted = Wanted(version=OcppVersion.V16, action=body.command, payload=body.data or {})
    try:
        command.check(wanted)
    except Invalid as error:
        place = ("command",) if error.code == "unknown_action" else ("data", *error.loc)
        raise Invalid(
            error.message, loc=place, kind=error.kind, given=error.given, code=error.code
        ) from error
    policy = policy_of(body.options, deps.settings.policy, deps.clock.now())
    return command.submission(
        principal=call.principal,
        wanted=wanted,
        targets=await targets.resolve(deps.db, call.principal, body.charger_ids),
        dialect=Dialect.COMMANDS.value,
        policy=policy,
        not_before=None if body.options is None else body.options.not_before,
    )


async def _job(call: Call[Any, Any]) -> Job:
    return await views.get_job(
        call.deps.db,
        call.path["run"],
        call.principal,
        kind=command.KIND,
        dialect=Dialect.COMMANDS.value,
    )


async def _reply(call: Call[Any, Any], job: Job, *, status: int = 200) -> Reply:
    found = await reports.report(call.deps.db, job, lambda _: Rows.ALL, RUN)
    results = _results(found.rows, call.principal, Rows.ALL)
    return Reply({"data": run_body(found.job, results)}, status=status)


def _results(rows: Iterable[RunRow], caller: Principal, wanted: Rows) -> list[dict[str, Any]]:
    bodies = [result_body(row, caller) for row in rows]
    if wanted is Rows.FAILED:
        # An open evidence window may still turn out well.
        return [body for body in bodies if body["status"] != PENDING]
    return bodies


def _instant(at: int) -> str:
    """Microseconds as text. Ten thousand in one poll share a few hundred seconds."""
    return f"{_second(at // 1_000_000)}.{str(at)[-6:]}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return from_micros(second * 1_000_000).strftime("%Y-%m-%dT%H:%M:%S")
