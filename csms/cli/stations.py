"""`csms stations`: add one, list them, let one in that knocked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.failures import CommandFailed
from csms.cli.http import Client, find_server, require_server, segment
from csms.cli.output import AsJson, print_json, print_table, say
from csms.cli.place import DataDir, data_dir_of

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from csms.store.database import ReadTx, Tx

app = typer.Typer(help="Charging stations.", no_args_is_help=True, rich_markup_mode=None)

_PAGE = 500
Location = Annotated[str | None, typer.Option(help="Id of the location it stands at.")]
Name = Annotated[str | None, typer.Option(help="What people call it.")]


@app.command()
def add(
    identity: Annotated[str, typer.Argument(help="What the station calls itself.")],
    location: Location = None,
    name: Name = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register a station and print its password, this once."""
    directory = data_dir_of(data_dir)
    client = find_server(directory)
    if client is None:
        from csms.cli import offline

        made = offline.write(
            directory, lambda tx: _add(tx, identity=identity, location=location, name=name)
        )
    else:
        body = {"identity": identity, "location_id": location, "name": name}
        made = client.post("/api/v1/stations", body)
    _print_secret(made, as_json=as_json)


@app.command("list")
def list_stations(
    as_json: AsJson = False,
    data_dir: DataDir = None,
    location: Annotated[str | None, typer.Option(help="Only those at this location.")] = None,
    inbox: Annotated[
        bool, typer.Option("--inbox", help="Those that knocked and were not let in.")
    ] = False,
) -> None:
    """List the stations, or the inbox."""
    directory = data_dir_of(data_dir)
    if inbox:
        _list_inbox(require_server(directory), as_json=as_json)
        return
    found = _stations(directory, location)
    if as_json:
        print_json(found)
        return
    columns = {"identity": "STATION", "online": "ONLINE", "name": "NAME", "vendor": "VENDOR"}
    columns |= {"model": "MODEL", "booted_at": "BOOTED", "id": "ID"}
    print_table(columns, found, empty="no stations")


@app.command()
def accept(
    identity: Annotated[str, typer.Argument(help="As `csms stations list --inbox` shows it.")],
    location: Location = None,
    name: Name = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Let in a station that knocked, and print its password, this once."""
    client = require_server(data_dir_of(data_dir))
    # Identities are matched without ASCII case, and an entry's id is as good as its identity.
    for entry in _pages(client, "/api/v1/inbox"):
        if identity.lower() == entry["identity"].lower() or identity == entry["id"]:
            break
    else:
        raise CommandFailed(f"{identity} is not in the inbox; see: csms stations list --inbox")
    body = {"location_id": location, "name": name}
    accepted = client.post(f"/api/v1/inbox/{segment(entry['id'])}/accept", body)
    _print_secret(accepted, as_json=as_json)


def _stations(directory: Path, location: str | None) -> list[dict[str, Any]]:
    client = find_server(directory)
    if client is not None:
        return _pages(client, "/api/v1/stations", location_id=location)
    from csms.cli import offline

    return offline.read(directory, lambda tx: _list(tx, location))


def _list_inbox(client: Client, *, as_json: bool) -> None:
    found = _pages(client, "/api/v1/inbox")
    if as_json:
        print_json(found)
        return
    columns = {"identity": "STATION", "cause": "CAUSE", "address": "FROM", "vendor": "VENDOR"}
    columns |= {"model": "MODEL", "attempts": "ATTEMPTS", "last_seen_at": "LAST SEEN"}
    print_table(columns, found, empty="the inbox is empty")


def _pages(client: Client, path: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(path, limit=_PAGE, cursor=cursor, **query)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _print_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    if made.get("connection_url"):
        say(f"URL       {made['connection_url']}")
    if made["password"] is None:
        say(f"{made['identity']} may connect without a password")
        return
    say(f"Identity  {made['identity']}")
    say("Password, not shown again:")
    typer.echo(made["password"])


def _add(tx: Tx, *, identity: str, location: str | None, name: str | None) -> dict[str, Any]:
    from csms.cli import offline
    from csms.domain.stations import NewStation
    from csms.services import credentials, stations

    location_id = None if location is None else offline.location_id(tx, location)
    made = stations.create(tx, NewStation(identity=identity, location_id=location_id, name=name))
    return {**_shape(tx, made), "password": credentials.rotate(tx, made.id)}


def _list(tx: ReadTx, location: str | None) -> list[dict[str, Any]]:
    from csms.cli import offline
    from csms.store import stations

    at = None if location is None else frozenset({offline.location_id(tx, location)})
    found: list[Station] = []
    while page := stations.list_page(
        tx, limit=_PAGE, after_id=found[-1].id if found else 0, location_ids=at
    ):
        found += page
    return [_shape(tx, station) for station in found]


def _shape(tx: ReadTx, station: Station) -> dict[str, Any]:
    """What the API shows of a station whose server is not running."""
    from csms.api.v1.station_shapes import StationShape
    from csms.store import connectors, credentials, locations

    at = station.location_id
    return StationShape.of(
        station,
        location_uuid=None if at is None else locations.uuid_of(tx, at),
        connectors=connectors.list_of_station(tx, station.id),
        online=False,
        ready=False,
        last_heartbeat_at=station.last_heartbeat_at,
        password_offered_at=credentials.last_offered_at(tx, station.id),
    ).model_dump(mode="json")
