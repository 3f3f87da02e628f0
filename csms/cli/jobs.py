"""`csms jobs`: look at bulk jobs, watch one to its end, cancel it, run its failures again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from csms.cli.failures import ExitCode, Refused, ServerUnreachable
from csms.cli.http import Client, find_server, require_server, segment
from csms.cli.output import AsJson, Bar, print_json, print_json_line, print_table, progress, say
from csms.cli.place import DataDir, data_dir_of

app = typer.Typer(help="Bulk jobs.", no_args_is_help=True, rich_markup_mode=None)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]
_FINAL = frozenset({"done", "cancelled", "failed"})
_FAILED_COUNTERS = (
    *("rejected", "errored", "unknown", "offline", "expired", "cancelled", "skipped"),
)
_POLL_S = 0.3
_PAGE = 500
# A server that has just come back may still hold the token of its last life for a moment.
_PATIENCE_POLLS = 100


@app.command("list")
def list_jobs(
    as_json: AsJson = False,
    data_dir: DataDir = None,
    limit: Annotated[int, typer.Option(min=1, max=_PAGE, help="At most this many.")] = 50,
    all_kinds: Annotated[
        bool, typer.Option("--all", help="Single commands too; each is a job of one item.")
    ] = False,
) -> None:
    """List the newest jobs."""
    client = require_server(data_dir_of(data_dir))
    hidden = "true" if all_kinds else None
    jobs = client.get("/api/v1/jobs", limit=limit, hidden=hidden)["items"]
    if as_json:
        print_json(jobs)
        return
    columns = {"id": "JOB", "kind": "KIND", "state": "STATE", "total": "TOTAL", "open": "OPEN"}
    columns |= {"succeeded": "SUCCEEDED", "failed": "FAILED", "created_at": "CREATED"}
    rows = [{**job, **job["counters"], "failed": _failed(job)} for job in jobs]
    print_table(columns, rows, empty="no jobs")


@app.command()
def show(
    job: JobId,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    all_items: Annotated[
        bool, typer.Option("--items", help="Every item, not only those that did not succeed.")
    ] = False,
) -> None:
    """Show a job and its items."""
    client = require_server(data_dir_of(data_dir))
    found = client.get(f"/api/v1/jobs/{segment(job)}")
    items = [item for item in _items(client, job) if all_items or item["state"] != "succeeded"]
    if as_json:
        print_json({**found, "items": items})
        return
    counters = ", ".join(f"{count} {name}" for name, count in found["counters"].items() if count)
    say(f"{found['kind']} {found['state']}: {counters}")
    if found["error"]:
        say(f"{found['error']['code']}: {found['error']['message']}")
    columns = {"seq": "SEQ", "shown": "STATION", "state": "STATE", "attempts": "ATTEMPTS"}
    columns |= {"response_status": "ANSWER", "why": "WHY"}
    rows = [{**item, "shown": item["identity"] or item["key"], "why": _why(item)} for item in items]
    print_table(columns, rows, empty="no items" if all_items else "every item succeeded")


@app.command()
def watch(job: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Watch a job until it ends; a restart of the server in between is no end.

    Exit code 0: every item succeeded. 3: some did not. 4: the job was cancelled.
    With --json, one line for every change. Ctrl-C stops the watching, not the job.
    """
    directory = data_dir_of(data_dir)
    found = require_server(directory).get(f"/api/v1/jobs/{segment(job)}")
    with progress(found["kind"], found["counters"]["total"]) as bar:
        found = _follow(directory, found, bar, as_json=as_json)
    if found["error"]:
        say(f"{found['error']['code']}: {found['error']['message']}")
    raise typer.Exit(exit_code_of(found))


@app.command()
def cancel(job: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Cancel a job: what is in flight finishes, the rest never starts."""
    client = require_server(data_dir_of(data_dir))
    _print_job(client.post(f"/api/v1/jobs/{segment(job)}/cancel"), as_json=as_json)


@app.command()
def retry(
    job: JobId,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    states: Annotated[
        list[str] | None, typer.Option("--state", help="Only items in this state. Repeatable.")
    ] = None,
    include_unknown: Annotated[
        bool,
        typer.Option(help="Also items that may have run: a reset can then happen a second time."),
    ] = False,
) -> None:
    """Run the failed items of a finished job again; the others stay as they are."""
    client = require_server(data_dir_of(data_dir))
    wanted: dict[str, Any] = {"include_unknown": include_unknown}
    if states:
        wanted["states"] = states
    _print_job(client.post(f"/api/v1/jobs/{segment(job)}/retry", wanted), as_json=as_json)


def exit_code_of(job: dict[str, Any]) -> ExitCode:
    """What the end of a job means for a script that watched it."""
    if job["state"] == "cancelled":
        return ExitCode.JOB_CANCELLED
    if job["state"] == "failed" or _failed(job):
        return ExitCode.SOME_ITEMS_FAILED
    return ExitCode.OK


def _follow(directory: Path, job: dict[str, Any], bar: Bar, *, as_json: bool) -> dict[str, Any]:
    said: dict[str, Any] | None = None
    refusals = 0
    while True:
        if as_json and job != said:
            print_json_line(job)
            said = job
        failed = _failed(job)
        bar.show(_finished(job), note=f"{failed} not succeeded" if failed else "")
        if job["state"] in _FINAL:
            return job
        time.sleep(_POLL_S)
        try:
            job = _look(directory, job["id"])
            refusals = 0
        except ServerUnreachable:
            bar.show(_finished(job), note="waiting for the server")
        except Refused as error:
            refusals += 1
            if error.status not in {401, 503} or refusals > _PATIENCE_POLLS:
                raise


def _look(directory: Path, job: str) -> dict[str, Any]:
    client = find_server(directory)
    if client is None:
        raise ServerUnreachable("no server")
    found: dict[str, Any] = client.get(f"/api/v1/jobs/{segment(job)}")
    return found


def _items(client: Client, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(f"/api/v1/jobs/{segment(job)}/items", limit=_PAGE, cursor=cursor)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _print_job(job: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        say(f"{job['id']} is {job['state']}, {job['counters']['open']} items open")


def _finished(job: dict[str, Any]) -> int:
    return int(job["counters"]["total"] - job["counters"]["open"])


def _failed(job: dict[str, Any]) -> int:
    return sum(job["counters"][name] for name in _FAILED_COUNTERS)


def _why(item: dict[str, Any]) -> str | None:
    error = item["error"]
    return None if error is None else error["message"] or error["code"]
