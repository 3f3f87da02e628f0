"""Which data directory a command works on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from csms.cli.http import Client, require_server

# The server's name for it; importing the server to ask would take a second.
DATABASE_FILE = "csms.sqlite3"
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="The server's data directory.  [default: CSMS_DATA_DIR, or the user's own]",
        file_okay=False,
        show_default=False,
    ),
]


def data_dir_of(given: Path | None) -> Path:
    """The directory named on the command line, in the environment, or by default."""
    if given is not None:
        return given
    from csms.config import load

    return load().data_dir


def server_of(given: Path | None) -> Client:
    """The server that runs on the directory that is meant; raises ServerUnreachable."""
    return require_server(data_dir_of(given))
