"""`csms logs`: files that stations send about themselves."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from csms.cli.examples import examples
from csms.cli.http import TIMEOUT_S, segment, station_name, station_path
from csms.cli.output import AsJson, Output, print_file, print_one, print_rows, say
from csms.cli.place import DataDir, server_of
from csms.cli.stations import StationArgument

app = typer.Typer(help="Log files of stations.", no_args_is_help=True, rich_markup_mode=None)

LogId = Annotated[str, typer.Argument(metavar="LOG", help="The log file's id.", show_default=False)]
_PATH = "/api/v1/log-files"
_EXAMPLE = "e4c2b8b6-1f0a-4a0b-8f6d-3d9f6c7a5b21"


class LogType(str, Enum):
    """Which of its logs."""

    DIAGNOSTICS = "DiagnosticsLog"
    SECURITY = "SecurityLog"


@app.command(epilog=examples("logs request CP-1", "logs request CP-1 --type SecurityLog"))
def request(
    station: StationArgument,
    kind: Annotated[LogType, typer.Option("--type", help="Which log.")] = LogType.DIAGNOSTICS,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Ask a station for a log; when it came `csms logs list` shows it."""
    found = server_of(data_dir).post(
        station_path(station, "logs"), {"log_type": kind.value}, timeout_s=2 * TIMEOUT_S
    )
    print_one(found, as_json=as_json)


@app.command("list", epilog=examples("logs list", "logs list --station CP-1 --json"))
def list_logs(
    *,
    station: Annotated[
        str | None, typer.Option(help="Only of this one: its identity, or its id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List what stations sent, the newest first."""
    named = None if station is None else station_name(station)
    found = server_of(data_dir).pages(_PATH, limit=limit, station_id=named)
    columns = {"id": "LOG", "identity": "STATION", "name": "NAME", "size_bytes": "BYTES"}
    print_rows(columns | {"received_at": "CAME"}, found, as_json=as_json, empty="no log files")


@app.command(epilog=examples(f"logs download {_EXAMPLE} --output cp-1.log"))
def download(log: LogId, output: Output = None, data_dir: DataDir = None) -> None:
    """Fetch a log file."""
    print_file(server_of(data_dir).content(f"{_PATH}/{segment(log)}/content"), output)


@app.command(epilog=examples(f"logs delete {_EXAMPLE}"))
def delete(log: LogId, data_dir: DataDir = None) -> None:
    """Delete a log file."""
    server_of(data_dir).delete(f"{_PATH}/{segment(log)}")
    say(f"{log} is deleted")
