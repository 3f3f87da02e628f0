"""`csms locations`: the places where stations stand."""

from __future__ import annotations

from typing import Annotated

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage
from csms.cli.http import segment
from csms.cli.output import AsJson, print_json, print_one, print_rows, say
from csms.cli.place import DataDir, server_of

app = typer.Typer(help="Places where stations stand.", no_args_is_help=True, rich_markup_mode=None)

LocationId = Annotated[
    str, typer.Argument(metavar="LOCATION", help="The location's id.", show_default=False)
]
_PATH = "/api/v1/locations"
_EXAMPLE = "0b7c9b1e-4f0e-4a6e-8f5c-2f1c5a1d9e77"
_Address = Annotated[str | None, typer.Option(help="Street and number.")]
_City = Annotated[str | None, typer.Option(help="City.")]
_Country = Annotated[str | None, typer.Option(help="Country.")]
_Timezone = Annotated[str | None, typer.Option(help="Such as Europe/Vienna.")]


@app.command("list", epilog=examples("locations list", "locations list --json"))
def list_locations(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the locations."""
    columns = {"id": "LOCATION", "name": "NAME", "city": "CITY", "country": "COUNTRY"}
    found = server_of(data_dir).pages(_PATH)
    print_rows(columns, found, as_json=as_json, empty="no locations")


@app.command(epilog=examples(f"locations show {_EXAMPLE}"))
def show(location: LocationId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show a location."""
    found = server_of(data_dir).get(f"{_PATH}/{segment(location)}")
    print_one(found, as_json=as_json)


@app.command(
    epilog=examples(
        "locations create Depot", 'locations create Depot --city Graz --address "Main street 1"'
    )
)
def create(
    name: Annotated[str, typer.Argument(help="What it is called.", show_default=False)],
    *,
    address: _Address = None,
    city: _City = None,
    country: _Country = None,
    timezone: _Timezone = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Create a location and print its id."""
    body = {"name": name, "address": address, "city": city, "country": country}
    made = server_of(data_dir).post(_PATH, {**body, "timezone": timezone})
    if as_json:
        print_json(made)
    else:
        typer.echo(made["id"])
        say(f"{made['name']} is there")


@app.command(epilog=examples(f"locations change {_EXAMPLE} --city Graz"))
def change(
    location: LocationId,
    *,
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    address: _Address = None,
    city: _City = None,
    country: _Country = None,
    timezone: _Timezone = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Change what is said here; the rest stays."""
    given = {"name": name, "address": address, "city": city, "country": country}
    given["timezone"] = timezone
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise BadUsage("say what to change, such as --name")
    changed = server_of(data_dir).patch(f"{_PATH}/{segment(location)}", changes)
    print_one(changed, as_json=as_json)


@app.command(epilog=examples(f"locations delete {_EXAMPLE}"))
def delete(location: LocationId, data_dir: DataDir = None) -> None:
    """Delete a location and its stations."""
    server_of(data_dir).delete(f"{_PATH}/{segment(location)}")
    say(f"{location} is deleted")


@app.command(epilog=examples(f"locations summary {_EXAMPLE}"))
def summary(location: LocationId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Count what there is and goes on at a location."""
    found = server_of(data_dir).get(f"{_PATH}/{segment(location)}/summary")
    print_one(found, as_json=as_json)
