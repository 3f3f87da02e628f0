"""`csms doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage, ExitCode
from csms.cli.output import AsJson, print_rows
from csms.cli.place import DataDir
from csms.domain.identity import why_not_an_identity

DOCTOR = examples(
    "doctor", "doctor --identity GARAGE-1 --vendor Autel", "doctor --config /etc/csms/csms.toml"
)


def doctor(
    config: Annotated[
        Path | None, typer.Option(help="The TOML file of the server.", show_default=False)
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="The station to say the URL for.", show_default=False)
    ] = None,
    vendor: Annotated[
        str | None, typer.Option(help="Its maker, to say where the URL goes.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Look at settings, disk, database, certificates, clock and the running server.

    Says what to enter in a station, too, while the server runs. Exit code 1 when anything
    fails; a warning alone is none.
    """
    from csms.cli import checks, guide
    from csms.cli.checks import Verdict
    from csms.cli.http import find_server
    from csms.config import load

    if identity is not None and (reason := why_not_an_identity(identity)):
        raise BadUsage(f"--identity: {reason}")
    flags: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    settings = load(flags, file=config)
    client = find_server(settings.data_dir)
    found = [asdict(one) for one in checks.all_checks(settings, client, identity)]
    if as_json and vendor is not None:  # who reads the table is told below it
        found += map(asdict, checks.of_maker(vendor))
    columns = {"verdict": "", "check": "CHECK", "found": "FOUND", "fix": "WHAT TO DO"}
    rows = [{**one, "verdict": one["verdict"].value} for one in found]
    print_rows(columns, rows, as_json=as_json, empty="nothing to look at")
    if client is not None and not as_json:
        guide.show(client, identity=identity, vendor=vendor)
    if any(one["verdict"] is Verdict.FAIL for one in found):
        raise typer.Exit(ExitCode.FAILURE)
