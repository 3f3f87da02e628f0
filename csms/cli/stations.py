"""`csms stations`: create, list, change and remove them, let in those that knocked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage, CommandFailed
from csms.cli.http import find_server, segment, station_path
from csms.cli.output import AsJson, print_json, print_one, print_rows, say
from csms.cli.place import DataDir, data_dir_of, server_of

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from csms.store.database import ReadTx, Tx

app = typer.Typer(help="Charging stations.", no_args_is_help=True, rich_markup_mode=None)

_PAGE = 500
_WITHOUT = {
    "station": "keeps the password that it has; it is in at its next boot, within seconds",
    "told": "is in at its next boot, within seconds, and is told a password over OCPP then",
    "certificate": "has a certificate, and needs no password; it connects again by itself",
    "none": "may connect without a password",
    "given": "has the password that you gave it",
}
StationArgument = Annotated[
    str, typer.Argument(metavar="STATION", help="Its identity, or its id.", show_default=False)
]
Location = Annotated[str | None, typer.Option(help="Id of the location it stands at.")]
Name = Annotated[str | None, typer.Option(help="What people call it.")]


@app.command(
    "list",
    epilog=examples(
        "stations list", "stations list --offline --json", "stations list --search garage"
    ),
)
def list_stations(
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    location: Annotated[str | None, typer.Option(help="Only those at this location.")] = None,
    online: Annotated[
        bool | None,
        typer.Option("--online/--offline", help="Only those with a socket, or not."),
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="With a connector in this state, such as Faulted.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Text in the identity, name or serial number.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="One of its tags.")] = None,
    inbox: Annotated[
        bool, typer.Option("--inbox", help="Those that knocked and were not let in.")
    ] = False,
) -> None:
    """List the stations, or the inbox."""
    if inbox:
        from csms.cli import inbox_view

        inbox_view.show(server_of(data_dir).pages("/api/v1/inbox"), as_json=as_json)
        return
    connection = None if online is None else "online" if online else "offline"
    narrowed: dict[str, Any] = {"connection": connection, "status": status, "q": search, "tag": tag}
    found = _stations(data_dir_of(data_dir), location, narrowed)
    columns = {"identity": "STATION", "online": "ONLINE", "name": "NAME", "vendor": "VENDOR"}
    columns |= {"model": "MODEL", "booted_at": "BOOTED", "id": "ID"}
    print_rows(columns, found, as_json=as_json, empty="no stations")


@app.command(epilog=examples("stations show CP-1"))
def show(station: StationArgument, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show a station with its connectors."""
    found = server_of(data_dir).get(station_path(station))
    if not as_json:
        found["connectors"] = [
            f"{one['evse_id']}.{one['connector_id']} {one['status']}" for one in found["connectors"]
        ]
    print_one(found, as_json=as_json)


@app.command("add", hidden=True)
@app.command(
    epilog=examples("stations create CP-1", 'stations create CP-1 --name "Left of the gate"')
)
def create(
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


@app.command(epilog=examples("stations accept CP-1 --name Gate"))
def accept(
    identity: Annotated[str, typer.Argument(help="As `csms stations list --inbox` shows it.")],
    *,
    location: Location = None,
    name: Name = None,
    new_password: Annotated[
        bool,
        typer.Option(
            "--new-password", help="Make one also when the station has one that it could keep."
        ),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Let in a station that knocked; print its password, this once, if it needs a new one."""
    client = server_of(data_dir)
    # Identities are matched without ASCII case, and an entry's id is as good as its identity.
    found = [
        one
        for one in client.pages("/api/v1/inbox")
        if identity.lower() == one["identity"].lower() or identity == one["id"]
    ]
    if not found:
        raise CommandFailed(f"{identity} is not in the inbox; see: csms stations list --inbox")
    # Of several attempts the one of which most is known, and of those the newest.
    entry = max(found, key=lambda one: (one["held"], one["cause"].startswith("unknown_")))
    held = ", which waits to be accepted" if entry["held"] else ""
    say(f"accepting {entry['identity']} as it came from {entry['address']}: {entry['cause']}{held}")
    body = {"location_id": location, "name": name, "new_password": new_password}
    accepted = client.post(f"/api/v1/inbox/{segment(entry['id'])}/accept", body)
    _print_secret(accepted, as_json=as_json)


@app.command(
    epilog=examples("stations change CP-1 --name Gate", "stations change CP-1 --security-profile 2")
)
def change(
    station: StationArgument,
    *,
    name: Name = None,
    serial_number: Annotated[str | None, typer.Option(help="The name in its certificate.")] = None,
    security_profile: Annotated[
        int | None, typer.Option(min=0, max=3, help="The lowest that it may connect with.")
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option("--strict/--lenient", help="Refuse what breaks the schema, or not."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Change what is said here; the rest stays."""
    given: dict[str, Any] = {"name": name, "serial_number": serial_number, "strict": strict}
    given["security_profile"] = security_profile
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise BadUsage("say what to change, such as --name")
    print_one(server_of(data_dir).patch(station_path(station), changes), as_json=as_json)


@app.command(epilog=examples("stations delete CP-1"))
def delete(
    station: StationArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Also with an open transaction, which is then closed.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a station; its history stays, its identity is free."""
    server_of(data_dir).delete(station_path(station), force=force)
    say(f"{station} is deleted")


@app.command(epilog=examples("stations block CP-1"))
def block(station: StationArgument, data_dir: DataDir = None) -> None:
    """Keep a station out, and close its connection."""
    server_of(data_dir).post(station_path(station, "block"))
    say(f"{station} is blocked")


@app.command(epilog=examples("stations unblock CP-1"))
def unblock(station: StationArgument, data_dir: DataDir = None) -> None:
    """Let a blocked station in again."""
    server_of(data_dir).post(station_path(station, "unblock"))
    say(f"{station} may connect")


@app.command(epilog=examples("stations disconnect CP-1"))
def disconnect(station: StationArgument, data_dir: DataDir = None) -> None:
    """Close a station's connection; as a rule it comes back at once."""
    server_of(data_dir).post(station_path(station, "disconnect"))
    say(f"{station} is disconnected")


@app.command(epilog=examples("stations password CP-1", "stations password CP-1 --push"))
def password(
    station: StationArgument,
    *,
    push: Annotated[
        bool, typer.Option("--push", help="Tell the station over OCPP, and show it to nobody.")
    ] = False,
    waive: Annotated[
        bool, typer.Option("--waive", help="Let it in without one, because it can show none.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a new password and print it, this once; or ask for none from now on."""
    if waive:
        server_of(data_dir).post(station_path(station, "credentials", "waive"))
        say(f"anybody may come in as {station} until it gets a password")
        return
    made = server_of(data_dir).post(station_path(station, "credentials", "rotate"), {"push": push})
    if push and not as_json:
        say(f"{made['identity']} was told, and answered {made['pushed']}")
    else:
        _print_secret(made, as_json=as_json)


def _stations(
    directory: Path, location: str | None, narrowed: dict[str, Any]
) -> list[dict[str, Any]]:
    client = find_server(directory)
    if client is not None:
        return client.pages("/api/v1/stations", location_id=location, **narrowed)
    if any(narrowed.values()):
        raise CommandFailed("such a choice needs a running server; start one with: csms serve")
    from csms.cli import offline

    return offline.read(directory, lambda tx: _list(tx, location))


def _print_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    if made.get("connection_url"):
        say(f"URL       {made['connection_url']}")
    if made["password"] is None:
        say(f"{made['identity']} {_WITHOUT[made['password_from']]}")
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
    return {**_shapes(tx, [made])[0], "password": credentials.rotate(tx, made.id)}


def _list(tx: ReadTx, location: str | None) -> list[dict[str, Any]]:
    from csms.cli import offline
    from csms.store import stations

    at = None if location is None else frozenset({offline.location_id(tx, location)})
    found: list[Station] = []
    while page := stations.list_page(
        tx, limit=_PAGE, after_id=found[-1].id if found else 0, location_ids=at
    ):
        found += page
    return _shapes(tx, found)


def _shapes(tx: ReadTx, found: list[Station]) -> list[dict[str, Any]]:
    """What the API shows of stations whose server is not running."""
    from csms.api.v1.station_shapes import StationShape, load

    return [StationShape.of(loaded).model_dump(mode="json") for loaded in load(tx, found)]
