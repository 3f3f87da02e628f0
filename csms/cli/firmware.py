"""`csms firmware`: images that stations can fetch from here, and having them installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.http import TIMEOUT_S, Client, segment, station_name, station_path
from csms.cli.input import opened
from csms.cli.output import AsJson, print_json, print_one, print_rows, say
from csms.cli.place import DataDir, server_of
from csms.cli.stations import StationArgument

app = typer.Typer(help="Firmware images.", no_args_is_help=True, rich_markup_mode=None)

ImageId = Annotated[
    str, typer.Argument(metavar="IMAGE", help="The image's id.", show_default=False)
]
_PATH = "/api/v1/firmware-images"
_EXAMPLE = "2d8a6b70-6e0c-4f5e-9d11-5b7f8c3e9a42"
# As long as a file may take over a slow line.
_UPLOAD_S = 3600.0


@app.command("list", epilog=examples("firmware list"))
def list_images(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the firmware images, the newest first."""
    found = server_of(data_dir).pages(_PATH)
    columns = {"id": "IMAGE", "name": "NAME", "version": "VERSION", "vendor": "VENDOR"}
    columns |= {"model": "MODEL", "size_bytes": "BYTES", "created_at": "CREATED"}
    print_rows(columns, found, as_json=as_json, empty="no firmware images")


@app.command(epilog=examples("firmware upload acme-1.4.bin --version 1.4 --vendor Acme"))
def upload(
    file: Annotated[Path, typer.Argument(help="The image.", show_default=False)],
    *,
    version: Annotated[str | None, typer.Option(help="Of the firmware.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Of stations that it is for.")] = None,
    model: Annotated[str | None, typer.Option(help="Of stations that it is for.")] = None,
    note: Annotated[str | None, typer.Option(help="For people.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Upload an image and print its id."""
    about = {"name": file.name, "version": version, "vendor": vendor, "model": model, "note": note}
    client = server_of(data_dir)
    with opened(file) as content:
        made = client.upload(_PATH, content, timeout_s=_UPLOAD_S, **about)
    if as_json:
        print_json(made)
    else:
        typer.echo(made["id"])
        say(f"{made['size_bytes']} bytes, sha256 {made['sha256']}")


@app.command(epilog=examples(f"firmware install CP-1 {_EXAMPLE}"))
def install(
    station: StationArgument, image: ImageId, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """Have a station fetch an image from here and install it; see `csms firmware updates`."""
    found = server_of(data_dir).post(
        station_path(station, "firmware"), {"image_id": image}, timeout_s=2 * TIMEOUT_S
    )
    print_one(found, as_json=as_json)


@app.command(epilog=examples("firmware updates --station CP-1"))
def updates(
    *,
    station: Annotated[
        str | None, typer.Option(help="Only of this one: its identity, or its id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List what became of updates, the newest first."""
    named = None if station is None else station_name(station)
    found = transfers(server_of(data_dir), "firmware", limit=limit, station_id=named)
    columns = {"id": "UPDATE", "identity": "STATION", "state": "STATE", "image_id": "IMAGE"}
    columns |= {"station_status": "STATION SAYS", "reason": "WHY", "updated_at": "UPDATED"}
    print_rows(columns, found, as_json=as_json, empty="no updates")


@app.command(epilog=examples(f"firmware delete {_EXAMPLE}"))
def delete(image: ImageId, data_dir: DataDir = None) -> None:
    """Delete an image."""
    server_of(data_dir).delete(f"{_PATH}/{segment(image)}")
    say(f"{image} is deleted")


def transfers(client: Client, kind: str, **query: Any) -> list[dict[str, Any]]:
    """Files on their way between the server and stations."""
    return client.pages("/api/v1/file-transfers", kind=kind, **query)
