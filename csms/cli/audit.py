"""`csms audit`: who wrote what."""

from __future__ import annotations

from typing import Annotated

import typer

from csms.cli.examples import examples
from csms.cli.http import station_name
from csms.cli.instants import Since, Until, instant
from csms.cli.output import AsJson, print_rows
from csms.cli.place import DataDir, server_of

AUDIT = examples("audit --since 1d", "audit --station CP-1", "audit --failed --json")


def audit(
    *,
    token: Annotated[str | None, typer.Option(help="Only by this token, by its id.")] = None,
    station: Annotated[
        str | None, typer.Option(help="Only at this station: its identity, or its id.")
    ] = None,
    failed: Annotated[
        bool | None, typer.Option("--failed/--done", help="Only what was refused, or was not.")
    ] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List who wrote what, the newest first."""
    found = server_of(data_dir).pages(
        "/api/v1/audit",
        limit=limit,
        principal=token,
        station_id=None if station is None else station_name(station),
        failed=failed,
        **{"from": instant(since), "to": instant(until)},
    )
    columns = {"at": "AT", "who": "WHO", "address": "FROM", "method": "METHOD", "path": "PATH"}
    columns |= {"status": "STATUS", "events": "WHAT", "count": "TIMES"}
    rows = [{**one, "who": one["principal"] and one["principal"]["name"]} for one in found]
    print_rows(columns, found if as_json else rows, as_json=as_json, empty="nothing was written")
