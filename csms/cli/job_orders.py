"""`csms jobs submit` and `preview`: a command to many stations, or any job from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from csms.cli.commands import read_order
from csms.cli.examples import examples
from csms.cli.failures import BadUsage
from csms.cli.http import station_name
from csms.cli.input import read_json
from csms.cli.instants import upcoming
from csms.cli.jobs import print_job, watch_job
from csms.cli.output import AsJson, print_json, print_table, say
from csms.cli.place import DataDir, data_dir_of, server_of

app = typer.Typer(rich_markup_mode=None)

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COMMAND [NAME=TEXT|NAME:=JSON]...]",
        help="As of `csms commands send`.",
        show_default=False,
    ),
]
Stations = Annotated[list[str] | None, typer.Option("--station", help="To this one. Repeatable.")]
Location = Annotated[str | None, typer.Option(help="To all at this location, by its id.")]
Everyone = Annotated[bool, typer.Option("--all", help="To all stations that the token reaches.")]
Rate = Annotated[float | None, typer.Option(help="So many a minute at most.")]
NotBefore = Annotated[
    str | None,
    typer.Option(
        "--not-before", metavar="TIME", help="Begin then: 2026-05-01T02:00; 8h: in so long."
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for stations that are offline, until they connect.")
]
RequestFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="Instead: the body of POST /api/v1/jobs, for a job of any kind; - for standard input.",
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "jobs submit reset type=on_idle --station CP-1 --station CP-2 --watch",
        "jobs submit clear_cache --all --rate 60 --not-before 2026-05-01T02:00",
        "jobs submit --file job.json",
    )
)
def submit(
    words: Words = None,
    *,
    stations: Stations = None,
    location: Location = None,
    everyone: Everyone = False,
    rate: Rate = None,
    not_before: NotBefore = None,
    wait: Wait = False,
    file: RequestFile = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Then watch it to its end, as `csms jobs watch`.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Submit a job: a command to many stations, or any other from a file."""
    body = _request(
        words,
        target=_target(stations, location, everyone=everyone),
        options=_options(rate, not_before, wait=wait),
        file=file,
    )
    job = server_of(data_dir).post("/api/v1/jobs", body)
    if watch:
        say(f"{job['id']} is submitted")
        watch_job(data_dir_of(data_dir), job, as_json=as_json)
    print_job(job, as_json=as_json)


@app.command(
    epilog=examples("jobs preview reset type=on_idle --all", "jobs preview --file job.json --json")
)
def preview(
    words: Words = None,
    *,
    stations: Stations = None,
    location: Location = None,
    everyone: Everyone = False,
    wait: Wait = False,
    file: RequestFile = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what a job would do to each station, and do nothing."""
    body = _request(
        words,
        target=_target(stations, location, everyone=everyone),
        options=_options(None, None, wait=wait),
        file=file,
    )
    found = server_of(data_dir).post("/api/v1/jobs/preview", body)
    if as_json:
        print_json(found)
        return
    columns = {"seq": "SEQ", "shown": "STATION", "would": "WOULD", "message": "WHY"}
    rows = [{**one, "shown": one["identity"] or one["key"]} for one in found["items"]]
    print_table(columns, rows, empty="no items")
    counts = ", ".join(f"{count} {name}" for name, count in found["counts"].items() if count)
    say(f"{found['total']} items: {counts or 'none'}")


def _request(
    words: list[str] | None,
    *,
    target: dict[str, Any] | None,
    options: dict[str, Any],
    file: Path | None,
) -> Any:
    if file is not None:
        if words or target or options:
            raise BadUsage("with --file everything is said in the file")
        return read_json(file)
    if not words:
        raise BadUsage("name a command, or a --file")
    if target is None:
        raise BadUsage("say to whom: --station, --location or --all")
    body = {"kind": "command", "target": target, "spec": read_order(words)}
    return {**body, "options": options} if options else body


def _target(
    stations: list[str] | None, location: str | None, *, everyone: bool
) -> dict[str, Any] | None:
    given: list[dict[str, Any]] = []
    if stations:
        given.append({"station_ids": [station_name(one) for one in stations]})
    if location is not None:
        given.append({"location_id": location})
    if everyone:
        given.append({"filter": {}})
    if len(given) > 1:
        raise BadUsage("give one of --station, --location and --all")
    return given[0] if given else None


def _options(rate: float | None, not_before: str | None, *, wait: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if rate is not None:
        options["rollout"] = {"rate_per_min": rate}
    if not_before is not None:
        options["not_before"] = upcoming(not_before)
    if wait:
        options["offline"] = "wait"
    return options
