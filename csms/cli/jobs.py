"""`csms jobs`: look at bulk jobs, watch one to its end, cancel it, run its failures again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from csms.cli.examples import examples
from csms.cli.failures import ExitCode, Refused, ServerUnreachable
from csms.cli.http import find_server, require_server, segment
from csms.cli.output import (
    AsJson,
    Bar,
    Output,
    print_file,
    print_json,
    print_json_line,
    print_rows,
    print_table,
    progress,
    say,
)
from csms.cli.place import DataDir, data_dir_of, server_of

app = typer.Typer(help="Bulk jobs.", no_args_is_help=True, rich_markup_mode=None)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]
_FINAL = frozenset({"done", "cancelled", "failed"})
_FAILED_COUNTERS = (
    *("rejected", "errored", "unknown", "offline", "expired", "cancelled", "skipped"),
)
_POLL_S = 0.3
_PATH = "/api/v1/jobs"
_EXAMPLE = "5d3c8f0a-9d0e-4b57-a0f6-7be2f2b7c6e1"
# A server that has just come back may still hold the token of its last life for a moment.
_PATIENCE_POLLS = 100


@app.command("list", epilog=examples("jobs list", "jobs list --state running --json"))
def list_jobs(
    *,
    states: Annotated[
        list[str] | None, typer.Option("--state", help="Only those in this state. Repeatable.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    all_kinds: Annotated[
        bool, typer.Option("--all", help="Single commands too; each is a job of one item.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List the newest jobs."""
    client = server_of(data_dir)
    found = client.pages(_PATH, limit=limit, state=states, kind=kind, hidden=all_kinds or None)
    columns = {"id": "JOB", "kind": "KIND", "state": "STATE", "total": "TOTAL", "open": "OPEN"}
    columns |= {"succeeded": "SUCCEEDED", "failed": "FAILED", "created_at": "CREATED"}
    rows = found if as_json else [_row(job) for job in found]
    print_rows(columns, rows, as_json=as_json, empty="no jobs")


@app.command(epilog=examples(f"jobs show {_EXAMPLE}", f"jobs show {_EXAMPLE} --items"))
def show(
    job: JobId,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    all_items: Annotated[
        bool, typer.Option("--items", help="Every item, not only those that did not succeed.")
    ] = False,
) -> None:
    """Show a job and its items."""
    client = server_of(data_dir)
    found = client.get(_path(job))
    items = [
        item
        for item in client.pages(_path(job, "items"))
        if all_items or item["state"] != "succeeded"
    ]
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


@app.command(epilog=examples(f"jobs watch {_EXAMPLE}"))
def watch(job: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Watch a job until it ends; a restart of the server in between is no end.

    Exit code 0: every item succeeded. 3: some did not. 4: the job was cancelled.
    With --json, one line for every change. Ctrl-C stops the watching, not the job.
    """
    directory = data_dir_of(data_dir)
    watch_job(directory, require_server(directory).get(_path(job)), as_json=as_json)


@app.command(epilog=examples(f"jobs cancel {_EXAMPLE}"))
def cancel(job: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Cancel a job: what is in flight finishes, the rest never starts."""
    print_job(server_of(data_dir).post(_path(job, "cancel")), as_json=as_json)


@app.command(epilog=examples(f"jobs pause {_EXAMPLE}"))
def pause(job: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Pause a job: what is in flight finishes, the rest waits, also over a restart."""
    print_job(server_of(data_dir).post(_path(job, "pause")), as_json=as_json)


@app.command(epilog=examples(f"jobs resume {_EXAMPLE}"))
def resume(job: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Go on with a paused job."""
    print_job(server_of(data_dir).post(_path(job, "resume")), as_json=as_json)


@app.command(epilog=examples(f"jobs delete {_EXAMPLE}"))
def delete(job: JobId, data_dir: DataDir = None) -> None:
    """Forget a job that is over; the stations it made stay."""
    server_of(data_dir).delete(_path(job))
    say(f"{job} is forgotten")


@app.command(epilog=examples(f"jobs retry {_EXAMPLE}", f"jobs retry {_EXAMPLE} --state offline"))
def retry(
    job: JobId,
    *,
    anew: Annotated[
        bool, typer.Option("--new", help="By a new job; this one stays as it is.")
    ] = False,
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
    wanted: dict[str, Any] = {"include_unknown": include_unknown}
    if states:
        wanted["states"] = states
    path = _path(job, "retry?as=new" if anew else "retry")
    print_job(server_of(data_dir).post(path, wanted), as_json=as_json)


@app.command(
    epilog=examples(f"jobs export {_EXAMPLE} --output job.csv", f"jobs export {_EXAMPLE} --ndjson")
)
def export(
    job: JobId,
    output: Output = None,
    ndjson: Annotated[
        bool, typer.Option("--ndjson", help="A JSON object a line instead of CSV.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write what came of each item as CSV, for a spreadsheet."""
    name = "results.ndjson" if ndjson else "results.csv"
    print_file(server_of(data_dir).content(_path(job, name)), output)


def watch_job(directory: Path, job: dict[str, Any], *, as_json: bool) -> NoReturn:
    """Follow a job to its end, and exit as that was."""
    with progress(job["kind"], job["counters"]["total"]) as bar:
        found = _follow(directory, job, bar, as_json=as_json)
    if found["error"]:
        say(f"{found['error']['code']}: {found['error']['message']}")
    raise typer.Exit(exit_code_of(found))


def print_job(job: dict[str, Any], *, as_json: bool) -> None:
    """A job that was changed: all of it, or a line."""
    if as_json:
        print_json(job)
    else:
        say(f"{job['id']} is {job['state']}, {job['counters']['open']} items open")


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
        notes = [f"{failed} not succeeded"] if failed else []
        notes += ["paused"] if job["state"] == "paused" else []
        bar.show(_finished(job), note=", ".join(notes))
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
    found: dict[str, Any] = client.get(_path(job))
    return found


def _path(job: str, *rest: str) -> str:
    return "/".join((_PATH, segment(job), *rest))


def _row(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, **job["counters"], "failed": _failed(job)}


def _finished(job: dict[str, Any]) -> int:
    return int(job["counters"]["total"] - job["counters"]["open"])


def _failed(job: dict[str, Any]) -> int:
    return sum(job["counters"][name] for name in _FAILED_COUNTERS)


def _why(item: dict[str, Any]) -> str | None:
    error = item["error"]
    return None if error is None else error["message"] or error["code"]
