"""The command `csms`: what it consists of, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import csms
from csms.cli import demo, fleet, jobs, serve, stations, tls, token
from csms.cli.failures import CommandFailed, ExitCode
from csms.errors import CsmsError

# The code of a ConfigError; its class would pull pydantic into every `csms --help`.
_BAD_CONFIGURATION = "bad_configuration"

app = typer.Typer(
    name="csms",
    help="A whole OCPP central system in one process.",
    no_args_is_help=True,
    # Plain help: rich alone takes as long to import as everything else here.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.add_typer(stations.app, name="stations")
app.add_typer(jobs.app, name="jobs")
app.add_typer(token.app, name="token")
app.add_typer(fleet.app, name="fleet")
app.add_typer(tls.app, name="tls")


def main() -> None:
    """Run the command line; every failure is one line on stderr and an exit code."""
    try:
        app(prog_name="csms")
    except CommandFailed as error:
        _fail(error.message, error.exit_code)
    except CsmsError as error:
        misconfigured = error.code == _BAD_CONFIGURATION
        _fail(error.message, ExitCode.USAGE if misconfigured else ExitCode.FAILURE)
    except BrokenPipeError:
        # The reader of a pipe went away (`csms … | head`); there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILURE)


def _fail(message: str, exit_code: ExitCode) -> None:
    typer.echo(f"csms: {' '.join(message.split())}", err=True)
    sys.exit(exit_code)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(csms.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A whole OCPP central system in one process."""
