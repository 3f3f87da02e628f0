"""`csms sign-in`: a link that signs one in to the page."""

from __future__ import annotations

from typing import Annotated

import typer

from csms.cli.examples import examples
from csms.cli.http import Client
from csms.cli.output import AsJson, print_json, say
from csms.cli.place import DataDir, server_of

SIGN_IN = examples("sign-in", "sign-in --token 3f9a01c27b", "sign-in --page https://csms.example")


def sign_in(
    *,
    token: Annotated[
        str | None,
        typer.Option(
            help="Id of the token whose rights it gives.  [default: all rights]",
            show_default=False,
        ),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            help="Address of the page for the browser.  [default: the server's here]",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Print a link that signs one in to the page, once and within an hour.

    A token can be made for somebody with `csms tokens create`; nobody else need ever see it.
    """
    url = link(server_of(data_dir), token=token, page=page)
    if as_json:
        print_json({"url": url})
    else:
        typer.echo(url)
        say("It opens once, within an hour.")


def link(client: Client, *, token: str | None = None, page: str | None = None) -> str:
    """The page's address with a new code in it."""
    made = client.post("/api/v1/auth/sign-in-links", {"token_id": token})
    return f"{(page or client.url).rstrip('/')}/#sign-in={made['secret']}"
