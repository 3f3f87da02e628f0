"""The command `csms`: what it consists of, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import csms
from csms.cli import (
    audit,
    backup,
    commands,
    completion,
    demo,
    doctor,
    firmware,
    fleet,
    health,
    id_tokens,
    job_orders,
    jobs,
    locations,
    logs,
    onboarding,
    openapi,
    serve,
    settings,
    sign_in,
    station_views,
    stations,
    tls,
    tokens,
    transactions,
    webhooks,
)
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
app.command("serve", epilog=serve.SERVE)(serve.serve)
app.command("demo", epilog=demo.DEMO)(demo.demo)
stations.app.add_typer(station_views.app)
app.add_typer(stations.app, name="stations")
app.add_typer(onboarding.app, name="onboarding")
app.add_typer(locations.app, name="locations")
app.add_typer(commands.app, name="commands")
jobs.app.add_typer(job_orders.app)
app.add_typer(jobs.app, name="jobs")
app.add_typer(transactions.app, name="transactions")
app.add_typer(id_tokens.app, name="id-tokens")
app.add_typer(tokens.app, name="tokens")
app.add_typer(tokens.app, name="token", hidden=True)  # what it was called first
app.add_typer(firmware.app, name="firmware")
app.add_typer(logs.app, name="logs")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(fleet.app, name="fleet")
app.add_typer(tls.app, name="tls")
app.add_typer(settings.app, name="config")
app.command("sign-in", epilog=sign_in.SIGN_IN)(sign_in.sign_in)
app.command("doctor", epilog=doctor.DOCTOR)(doctor.doctor)
app.command("healthcheck", epilog=health.HEALTHCHECK)(health.healthcheck)
app.command("audit", epilog=audit.AUDIT)(audit.audit)
app.command("backup", epilog=backup.BACKUP)(backup.backup)
app.command("restore", epilog=backup.RESTORE)(backup.restore)
app.command("openapi", epilog=openapi.OPENAPI)(openapi.openapi)
app.command("completion", epilog=completion.COMPLETION)(completion.completion)


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
