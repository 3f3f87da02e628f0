"""`csms tokens`: make, list and revoke API tokens, with a server or on its database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage, CommandFailed
from csms.cli.http import find_server, segment
from csms.cli.output import AsJson, print_json, print_rows, say
from csms.cli.place import DataDir, data_dir_of
from csms.domain.permissions import Role

if TYPE_CHECKING:
    from csms.domain.tokens import Token
    from csms.store.database import ReadTx, Tx

app = typer.Typer(help="Tokens for the API.", no_args_is_help=True, rich_markup_mode=None)


@app.command(
    epilog=examples(
        "tokens create --name script --role operator",
        "tokens create --name tv --days 30",
        "tokens create --name ci --scope jobs:read",
    )
)
def create(
    *,
    name: Annotated[str, typer.Option(help="What it is for.")],
    role: Annotated[
        Role | None, typer.Option(help="What it may do.  [default: viewer]", show_default=False)
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Instead: only this, such as jobs:read. Repeatable."),
    ] = None,
    locations: Annotated[
        list[str] | None,
        typer.Option("--location", help="Id of a location it is bound to. Repeatable."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Valid for this many days.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, this once."""
    directory = data_dir_of(data_dir)
    if role is None and not scopes:
        role = Role.VIEWER
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    client = find_server(directory)
    if client is None:
        if role is None or scopes:
            raise CommandFailed("--scope needs a running server; start one with: csms serve")
        from csms.cli import offline

        made = offline.write(
            directory,
            lambda tx: _create(
                tx, name=name, role=role, locations=locations, expires_at=expires_at
            ),
        )
    else:
        made = client.post(
            "/api/v1/tokens",
            {
                "name": name,
                "role": role and role.value,
                "scopes": scopes or None,
                "location_ids": locations or None,
                "expires_at": None if expires_at is None else expires_at.isoformat(),
            },
        )
    if as_json:
        print_json(made)
    else:
        typer.echo(made["token"])
        say("It is not shown again; only its hash is kept.")


@app.command("list", epilog=examples("tokens list"))
def list_tokens(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List all tokens, revoked ones too."""
    directory = data_dir_of(data_dir)
    client = find_server(directory)
    if client is None:
        from csms.cli import offline

        found = offline.read(directory, _list)
    else:
        found = client.pages("/api/v1/tokens")
    columns = {"id": "TOKEN", "name": "NAME", "role": "ROLE", "location_ids": "LOCATIONS"}
    columns |= {"created_at": "CREATED", "expires_at": "EXPIRES", "last_used_at": "LAST USED"}
    columns |= {"revoked_at": "REVOKED"}
    print_rows(columns, found, as_json=as_json, empty="no tokens")


@app.command(epilog=examples("tokens revoke 3f9a01c27b"))
def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, as `list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Refuse a token from now on."""
    directory = data_dir_of(data_dir)
    if token.count("_") >= 2:
        raise BadUsage("give the id that `csms tokens list` shows, not the token itself")
    client = find_server(directory)
    if client is None:
        from csms.cli import offline
        from csms.services import tokens

        offline.write(directory, lambda tx: tokens.revoke(tx, token))
    else:
        client.delete(f"/api/v1/tokens/{segment(token)}")
    say(f"{token} is revoked")


def _create(
    tx: Tx,
    *,
    name: str,
    role: Role,
    locations: list[str] | None,
    expires_at: datetime | None,
) -> dict[str, Any]:
    from csms.cli import offline
    from csms.services import tokens

    bound = frozenset(offline.location_id(tx, uuid) for uuid in locations or ())
    made, bearer = tokens.create(
        tx, name=name, role=role, location_ids=bound or None, expires_at=expires_at
    )
    return {**_shape(tx, made), "token": bearer}


def _list(tx: ReadTx) -> list[dict[str, Any]]:
    from csms.store import tokens

    return [_shape(tx, token) for token in tokens.list_all(tx)]


def _shape(tx: ReadTx, token: Token) -> dict[str, Any]:
    """What the API shows of a token."""
    from csms.api.v1.tokens import TokenShape

    return TokenShape.of(tx, token).model_dump(mode="json")
