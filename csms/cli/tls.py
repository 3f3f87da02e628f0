"""`csms tls`: certificates of our own, for a site without an authority."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from csms.cli.examples import examples
from csms.cli.failures import CommandFailed
from csms.cli.output import say
from csms.cli.place import DataDir, data_dir_of

if TYPE_CHECKING:
    from csms.domain.authority import Issued

app = typer.Typer(help="Certificates of our own.", no_args_is_help=True, rich_markup_mode=None)

FOLDER = "tls"


@app.callback()
def _group() -> None:
    """Keep the word `init`: typer would leave out the name of an only command."""


@app.command(epilog=examples("tls init --host csms.example.com --host 192.0.2.7"))
def init(
    *,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            help="Name or address by which stations reach us; repeatable.  [default: this machine]",
            show_default=False,
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="Valid for this many days.")] = 825,
    data_dir: DataDir = None,
) -> None:
    """Make an authority, once, and new certificates of the server; print their settings."""
    from csms.domain.authority import KeyKind, sign_server

    folder = data_dir_of(data_dir) / FOLDER
    names = hosts or list(dict.fromkeys([socket.getfqdn(), "localhost", "127.0.0.1"]))
    now = datetime.now(UTC)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = _root(folder, now)
        made = {kind.value: sign_server(root, names, kind, now, days) for kind in KeyKind}
        for kind, issued in made.items():
            _write(folder / kind, issued)
    except OSError as error:
        raise CommandFailed(f"cannot write to {folder}: {error.strerror}") from error
    say(f"for {', '.join(names)}; stations need {folder / 'ca.pem'}")
    typer.echo(_settings(folder, list(made)))


def _root(folder: Path, now: datetime) -> Issued:
    from csms.domain.authority import Issued, make_root

    certificate, key = folder / "ca.pem", folder / "ca.key"
    # Stations have it installed: another one would lock us out.
    if certificate.exists() and key.exists():
        return Issued(certificate.read_bytes(), key.read_bytes())
    root = make_root(f"csms at {socket.gethostname()}", now)
    _write(folder / "ca", root)
    return root


def _write(path: Path, issued: Issued) -> None:
    from csms.host import write_private

    write_private(path.with_suffix(".key"), issued.key)
    write_private(path.with_suffix(".pem"), issued.certificate)


def _settings(folder: Path, kinds: list[str]) -> str:
    def files(ending: str) -> str:
        return ", ".join(f'"{folder / kind}.{ending}"' for kind in kinds)

    return "\n".join(
        [
            "[tls]",
            f"certificates = [{files('pem')}]",
            f"keys = [{files('key')}]",
            f'client_ca = "{folder / "ca.pem"}"',
        ]
    )
