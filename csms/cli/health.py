"""`csms healthcheck`: whether the server does its work, for containers without curl."""

from __future__ import annotations

from typing import Annotated

import typer

from csms.cli.examples import examples
from csms.cli.failures import CommandFailed
from csms.cli.http import Client, require_server
from csms.cli.output import AsJson, print_json, say
from csms.cli.place import DataDir, data_dir_of

HEALTHCHECK = examples("healthcheck", "healthcheck --url http://127.0.0.1:9000")


def healthcheck(
    url: Annotated[
        str | None,
        typer.Option(help="Of the server.  [default: as --data-dir says]", show_default=False),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Ask the server whether stations and writes are welcome.

    Exit code 0: they are. 1: they are not, or nobody answers.
    """
    client = Client(url, "") if url is not None else require_server(data_dir_of(data_dir))
    found = client.readiness()
    if as_json:
        print_json(found)
    if found["status"] != "ok":
        wrong = [f"{name}: {said}" for name, said in found["checks"].items() if said != "ok"]
        raise CommandFailed(f"{client.url} is not ready; {', '.join(wrong)}")
    say(f"{client.url} is ready")
