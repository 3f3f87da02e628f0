"""`csms id-tokens`: cards and apps that may charge, and those that nobody decided about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import CommandFailed
from csms.cli.http import Client, is_id, segment
from csms.cli.input import read_bytes, read_json
from csms.cli.instants import upcoming
from csms.cli.jobs import print_job, watch_job
from csms.cli.output import AsJson, print_one, print_rows, say
from csms.cli.place import DataDir, data_dir_of, server_of
from csms.domain.id_tokens import Decision

app = typer.Typer(
    help="Cards and apps that may charge.", no_args_is_help=True, rich_markup_mode=None
)

_PATH = "/api/v1/id-tokens"
_SETTINGS = (
    *("status", "expires_at", "group_id_token", "is_master", "max_open_transactions"),
    *("aliases", "note"),
)
Value = Annotated[
    str, typer.Argument(metavar="TOKEN", help="Its value, or its id.", show_default=False)
]
_Type = Annotated[str | None, typer.Option("--type", help="Of OCPP 2.x, such as ISO14443.")]
_Group = Annotated[str | None, typer.Option(help="The group it is in.")]
_Expires = Annotated[
    str | None,
    typer.Option(
        "--expires", metavar="TIME", help="Not valid from then on: 2026-05-01; 30d: in so long."
    ),
]
_Note = Annotated[str | None, typer.Option(help="For people.")]


@app.command(
    "list", epilog=examples("id-tokens list", "id-tokens list --review", "id-tokens list --json")
)
def list_id_tokens(
    review: Annotated[
        bool | None, typer.Option("--review/--decided", help="Only those nobody decided about.")
    ] = None,
    group: _Group = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List id tokens; the one that was new last comes first."""
    found = server_of(data_dir).pages(_PATH, under_review=review, group_id_token=group)
    columns = {"value": "ID TOKEN", "type": "TYPE", "status": "STATUS", "expires_at": "EXPIRES"}
    columns |= {"group_id_token": "GROUP", "note": "NOTE", "last_seen_at": "LAST SEEN"}
    print_rows(columns, found, as_json=as_json, empty="no id tokens")


@app.command(epilog=examples("id-tokens show 04A2B3C4"))
def show(id_token: Value, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show an id token."""
    print_one(_find(server_of(data_dir), id_token), as_json=as_json)


@app.command(
    epilog=examples('id-tokens add 04A2B3C4 --note "Anna"', "id-tokens add 04A2B3C4 --group staff")
)
def add(
    value: Annotated[str, typer.Argument(help="What stations read.", show_default=False)],
    *,
    kind: _Type = None,
    status: Annotated[Decision, typer.Option(help="What stations are told.")] = Decision.ACCEPTED,
    group: _Group = None,
    expires: _Expires = None,
    note: _Note = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Decide about an id token that is new or waits for review."""
    body = {"value": value, "type": kind, "status": status.value, "group_id_token": group}
    body |= {"expires_at": upcoming(expires), "note": note}
    print_one(server_of(data_dir).post(_PATH, body), as_json=as_json)


@app.command(
    epilog=examples("id-tokens change 04A2B3C4 --group staff", "id-tokens change 04A2B3C4 --note x")
)
def change(
    id_token: Value,
    *,
    status: Annotated[Decision | None, typer.Option(help="What stations are told.")] = None,
    group: _Group = None,
    expires: _Expires = None,
    note: _Note = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Change what is said here; the rest stays."""
    given = {"status": status and status.value, "group_id_token": group, "note": note}
    given["expires_at"] = upcoming(expires)
    changes = {key: one for key, one in given.items() if one is not None}
    print_one(_change(server_of(data_dir), id_token, changes), as_json=as_json)


@app.command(epilog=examples("id-tokens accept 04A2B3C4"))
def accept(id_token: Value, data_dir: DataDir = None) -> None:
    """Let an id token charge."""
    _change(server_of(data_dir), id_token, {"status": Decision.ACCEPTED.value})
    say(f"{id_token} is accepted")


@app.command(epilog=examples("id-tokens block 04A2B3C4"))
def block(id_token: Value, data_dir: DataDir = None) -> None:
    """Let an id token not charge."""
    _change(server_of(data_dir), id_token, {"status": Decision.BLOCKED.value})
    say(f"{id_token} is blocked")


@app.command(epilog=examples("id-tokens delete 04A2B3C4"))
def delete(id_token: Value, data_dir: DataDir = None) -> None:
    """Forget an id token; shown again, it is unknown."""
    client = server_of(data_dir)
    client.delete(f"{_PATH}/{segment(_find(client, id_token)['id'])}")
    say(f"{id_token} is forgotten")


@app.command(
    "import",
    epilog=examples("id-tokens import cards.csv --watch", "id-tokens import x.json --overwrite"),
)
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with a heading, or .json: an array; - is CSV on standard input.",
            show_default=False,
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also those that were decided about before.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Watch the job to its end.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Decide about many id tokens, with a result for each.

    Columns or keys: value, status (Accepted, Blocked, ...), and if wanted type, expires_at,
    group_id_token, is_master, max_open_transactions, note, aliases.
    """
    path = f"{_PATH}/import?overwrite={str(overwrite).lower()}"
    client = server_of(data_dir)
    if file.suffix == ".json":
        job = client.post(path, {"id_tokens": read_json(file)})
    else:
        job = client.post(path, read_bytes(file), more={"Content-Type": "text/csv"})
    if watch:
        say(f"{job['id']} is submitted")
        watch_job(data_dir_of(data_dir), job, as_json=as_json)
    print_job(job, as_json=as_json)


def _find(client: Client, id_token: str) -> dict[str, Any]:
    """By id, or by value in any case; an alias finds its token."""
    if is_id(id_token):
        one: dict[str, Any] = client.get(f"{_PATH}/{segment(id_token)}")
        return one
    found = client.pages(_PATH, value=id_token)
    if not found:
        raise CommandFailed(f"there is no id token {id_token}")
    if len(found) > 1:
        shown = ", ".join(f"{one['id']} ({one['type']})" for one in found)
        raise CommandFailed(f"several have this value, name one by its id: {shown}")
    return found[0]


def _change(client: Client, id_token: str, changes: dict[str, Any]) -> dict[str, Any]:
    now = _find(client, id_token)
    settings = {key: now[key] for key in _SETTINGS}
    if settings["status"] == "Unknown" and "status" not in changes:
        raise CommandFailed(f"nobody has decided about {id_token} yet; say --status")
    changed: dict[str, Any] = client.put(f"{_PATH}/{segment(now['id'])}", {**settings, **changes})
    return changed
