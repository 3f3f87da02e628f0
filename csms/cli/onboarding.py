"""`csms onboarding`: let unknown stations in for a while, and forget who knocked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.http import segment
from csms.cli.output import AsJson, print_one, say
from csms.cli.place import DataDir, server_of

app = typer.Typer(
    help="Unknown stations: let them in for a while.", no_args_is_help=True, rich_markup_mode=None
)

_PATH = "/api/v1/onboarding"


@app.command("open", epilog=examples("onboarding open", "onboarding open --minutes 15"))
def open_window(
    minutes: Annotated[int, typer.Option(min=1, max=60, help="For how long.")] = 5,
    location: Annotated[
        str | None, typer.Option(help="Id of the location they stand at.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Let every unknown station in that connects in the next minutes."""
    _show(server_of(data_dir).post(_PATH, {"minutes": minutes, "location_id": location}), as_json)


@app.command(epilog=examples("onboarding show"))
def show(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show whether unknown stations are let in, and which came in."""
    _show(server_of(data_dir).get(_PATH), as_json)


@app.command(epilog=examples("onboarding close"))
def close(data_dir: DataDir = None) -> None:
    """Let no more unknown stations in; who is in stays in."""
    server_of(data_dir).delete(_PATH)
    say("unknown stations are not let in any more")


@app.command(epilog=examples("onboarding forget 5f0c53be-…"))
def forget(
    entry: Annotated[str, typer.Argument(help="Id of an entry of the inbox.")],
    data_dir: DataDir = None,
) -> None:
    """Take an attempt out of the inbox; the next one makes a new entry."""
    server_of(data_dir).delete(f"/api/v1/inbox/{segment(entry)}")
    say("forgotten")


def _show(found: dict[str, Any], as_json: bool) -> None:
    if not as_json:
        found["stations"] = [one["identity"] for one in found["stations"]]
    print_one(found, as_json=as_json)
