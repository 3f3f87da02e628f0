"""`csms serve`: the server."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage
from csms.cli.output import say

if TYPE_CHECKING:
    from csms.config import Config

SERVE = examples("serve", "serve --listen 0.0.0.0:9000 --data-dir /var/lib/csms", "serve --dev")


def serve(
    *,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            help="HOST:PORT[,tls|,mtls][,ocpp-only|,api-only]; repeatable. "
            "0.0.0.0:9000 lets the network in.  "
            "[default: 127.0.0.1:9000]",
            show_default=False,
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Everything that is kept lives here.  [default: the user's data folder]",
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A TOML file; see config.example.toml.", show_default=False)
    ] = None,
    dev: Annotated[
        bool,
        typer.Option(
            "--dev",
            help="For development: strangers come in, passwords are not needed, bulk creates make "
            "virtual stations, and stations are told what they do wrong.",
        ),
    ] = False,
    i_know: Annotated[
        bool, typer.Option("--i-know", help="Allow --dev on an address others can reach.")
    ] = False,
) -> None:
    """Run the server until it is told to stop."""
    from csms.config import load

    given: dict[str, Any] = {"listen": listen or None, "data_dir": data_dir, "dev": dev or None}
    flags = {name: value for name, value in given.items() if value is not None}
    settings = load(flags, file=config)
    if settings.dev and not i_know:
        _check_loopback(settings)
    raise typer.Exit(_run(settings))


def _run(settings: Config) -> int:
    gc.disable()  # imports hardly leave garbage; host.tame_garbage_collector() turns it on again

    import uvloop

    from csms import app
    from csms.errors import CsmsError

    try:
        return uvloop.run(
            app.serve(
                settings,
                announce=say,
                admin_token=os.environ.get("CSMS_ADMIN_TOKEN"),
                crash_at=os.environ.get("CSMS_CRASH_AT"),
            )
        )
    except CsmsError as error:
        raise BadUsage(error.message) from error


def _check_loopback(settings: Config) -> None:
    from csms.host import is_loopback, parse_listen

    for address in settings.listen:
        if not is_loopback(parse_listen(address).host):
            raise BadUsage(
                f"--dev lets anybody in, and others can reach {address}; add --i-know to do it"
            )
