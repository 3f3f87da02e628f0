"""`csms tls`: certificates of our own, for a site without an authority."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage, CommandFailed
from csms.cli.input import read_bytes
from csms.cli.output import say
from csms.cli.place import DataDir, data_dir_of
from csms.domain.addresses import read_host

if TYPE_CHECKING:
    from csms.domain.authority import Issued

app = typer.Typer(help="Certificates of our own.", no_args_is_help=True, rich_markup_mode=None)

FOLDER = "tls"
_OF_STATIONS = "ChargingStationCertificate"


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
    replace: Annotated[
        bool, typer.Option("--replace", help="Also when certificates of the server are there.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Make an authority, once, and certificates of the server; print their settings.

    The authority stays whatever is replaced: stations have it installed.
    """
    from csms.domain.authority import KeyKind, sign_server

    folder = data_dir_of(data_dir) / FOLDER
    names = _names(hosts) if hosts else _own_names()
    if not replace and any((folder / f"{kind.value}.pem").exists() for kind in KeyKind):
        raise BadUsage(f"{folder} has certificates of the server; --replace makes others")
    now = datetime.now(UTC)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = _root(folder, now)
        made = {kind.value: sign_server(root, names, kind, now, days) for kind in KeyKind}
        for kind, issued in made.items():
            _write(folder / kind, issued)
    except OSError as error:
        raise CommandFailed(f"cannot write to {folder}: {error.strerror}") from error
    say(f"for {', '.join(names)}")
    say(_how_stations_get(folder / "ca.pem"))
    typer.echo(_settings(folder, list(made)))


@app.command(epilog=examples("tls sign station.csr", "tls sign - --days 90"))
def sign(
    csr: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="The CSR in PEM; - is stdin.")
    ] = Path("-"),
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Valid for this many days.")] = 365,
    data_dir: DataDir = None,
) -> None:
    """Sign the CSR of a station with the authority that `init` made, and print the certificate.

    As the setting programs.signer, "csms tls sign --data-dir …", it does so whenever one asks.
    """
    from csms.domain.authority import sign_station

    use = os.environ.get("OCPP_CERTIFICATE_TYPE", _OF_STATIONS)
    if use != _OF_STATIONS:
        raise CommandFailed(f"this authority signs no {use}")
    folder = data_dir_of(data_dir) / FOLDER
    root = _found(folder)
    if root is None:
        raise CommandFailed(f"there is no authority in {folder}; make it with csms tls init")
    wanted = read_bytes(csr).decode(errors="replace")
    typer.echo(sign_station(root, wanted, datetime.now(UTC), days).decode(), nl=False)


def _names(hosts: list[str]) -> list[str]:
    try:
        return [read_host(host) for host in hosts]
    except ValueError as error:
        raise BadUsage(f"--host: {error}") from error


def _own_names() -> list[str]:
    local = ["localhost", "127.0.0.1"]
    try:
        return list(dict.fromkeys([read_host(socket.getfqdn()), *local]))
    except ValueError:  # some machines are called what nobody can dial
        return local


def _found(folder: Path) -> Issued | None:
    from csms.domain.authority import Issued

    certificate, key = folder / "ca.pem", folder / "ca.key"
    if certificate.exists() and key.exists():
        return Issued(certificate.read_bytes(), key.read_bytes())
    return None


def _root(folder: Path, now: datetime) -> Issued:
    from csms.domain.authority import make_root

    # Stations have it installed: another one would lock us out.
    root = _found(folder)
    if root is None:
        root = make_root(f"csms at {socket.gethostname()}", now)
        _write(folder / "ca", root)
    return root


def _write(path: Path, issued: Issued) -> None:
    from csms.host import write_private

    write_private(path.with_suffix(".key"), issued.key)
    write_private(path.with_suffix(".pem"), issued.certificate)


def _how_stations_get(root: Path) -> str:
    what = f'certificate_type=CSMSRootCertificate certificate="$(cat {root})"'
    return "\n".join(
        [
            f"stations need the root {root}: upload it on their own page or in their app,",
            "or send it to one that is connected, and then have it come over TLS:",
            f"  csms commands send IDENTITY install_certificate {what}",
            "  csms commands send IDENTITY raise_security_profile security_profile:=2",
            "these are the settings; add an address with tls to listen, such as 0.0.0.0:9443,tls",
        ]
    )


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
