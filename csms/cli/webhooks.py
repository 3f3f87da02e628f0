"""`csms webhooks`: receivers of events, and what they were told."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import CommandFailed
from csms.cli.http import segment
from csms.cli.output import AsJson, print_json, print_one, print_rows, say
from csms.cli.place import DataDir, server_of

app = typer.Typer(help="Receivers of events.", no_args_is_help=True, rich_markup_mode=None)

WebhookId = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="The webhook's id.", show_default=False)
]
_PATH = "/api/v1/webhooks"
_EXAMPLE = "c1a7b0de-93e5-4f5e-8a51-0c9f4d7c2a10"


@app.command("list", epilog=examples("webhooks list"))
def list_webhooks(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the webhooks."""
    found = server_of(data_dir).pages(_PATH)
    columns = {"id": "WEBHOOK", "name": "NAME", "url": "URL", "event_types": "EVENTS"}
    columns |= {"enabled": "ENABLED", "pending": "PENDING", "last_failure": "LAST FAILURE"}
    print_rows(columns, found, as_json=as_json, empty="no webhooks")


@app.command(epilog=examples(f"webhooks show {_EXAMPLE}"))
def show(webhook: WebhookId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show a webhook."""
    print_one(server_of(data_dir).get(_path(webhook)), as_json=as_json)


@app.command(
    epilog=examples(
        "webhooks create https://example.com/hook --name billing --event transaction.ended"
    )
)
def create(
    url: Annotated[str, typer.Argument(help="Who is told.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    events: Annotated[
        list[str] | None,
        typer.Option("--event", help="Only this type of event, noun.* for several. Repeatable."),
    ] = None,
    locations: Annotated[
        list[str] | None,
        typer.Option("--location", help="Only of this location, by its id. Repeatable."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Have events told to a receiver, and print the secret that signs them, this once."""
    body: dict[str, Any] = {"url": url, "name": name, "location_ids": locations or None}
    if events:
        body["event_types"] = events
    _print_secret(server_of(data_dir).post(_PATH, body), as_json=as_json)


@app.command(epilog=examples(f"webhooks enable {_EXAMPLE}"))
def enable(webhook: WebhookId, data_dir: DataDir = None) -> None:
    """Tell a receiver again."""
    server_of(data_dir).patch(_path(webhook), {"enabled": True})
    say(f"{webhook} is enabled")


@app.command(epilog=examples(f"webhooks disable {_EXAMPLE}"))
def disable(webhook: WebhookId, data_dir: DataDir = None) -> None:
    """Tell a receiver nothing for now."""
    server_of(data_dir).patch(_path(webhook), {"enabled": False})
    say(f"{webhook} is disabled")


@app.command(epilog=examples(f"webhooks delete {_EXAMPLE}"))
def delete(webhook: WebhookId, data_dir: DataDir = None) -> None:
    """Delete a webhook."""
    server_of(data_dir).delete(_path(webhook))
    say(f"{webhook} is deleted")


@app.command(epilog=examples(f"webhooks secret {_EXAMPLE}"))
def secret(webhook: WebhookId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Make a new secret and print it, this once."""
    made = server_of(data_dir).post(_path(webhook, "rotate-secret"))
    _print_secret(made, as_json=as_json)


@app.command("test", epilog=examples(f"webhooks test {_EXAMPLE}"))
def send_test(webhook: WebhookId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Send a test event and say what came of it."""
    found = server_of(data_dir).post(_path(webhook, "test"))
    if as_json:
        print_json(found)
    if found["state"] != "delivered":
        why = found["error"] or {"message": found["state"]}
        raise CommandFailed(f"it was not taken: {why['message']}")
    say(f"it was taken with {found['response_status']}")


@app.command(epilog=examples(f"webhooks deliveries {_EXAMPLE}"))
def deliveries(
    webhook: WebhookId,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List what a receiver was told, the newest event first."""
    found = server_of(data_dir).pages(_path(webhook, "deliveries"), limit=limit)
    columns = {"id": "DELIVERY", "type": "EVENT", "state": "STATE", "attempts": "ATTEMPTS"}
    columns |= {"created_at": "CREATED", "executed_at": "OVER", "why": "WHY"}
    rows = [{**one, "why": one["error"] and one["error"]["message"]} for one in found]
    print_rows(columns, found if as_json else rows, as_json=as_json, empty="no deliveries")


@app.command(epilog=examples(f"webhooks redeliver {_EXAMPLE} msg_c1a7b0de_42"))
def redeliver(
    webhook: WebhookId,
    delivery: Annotated[
        str, typer.Argument(help="As `csms webhooks deliveries` shows it.", show_default=False)
    ],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Send an event once more."""
    found = server_of(data_dir).post(_path(webhook, "deliveries", segment(delivery), "redeliver"))
    print_one(found, as_json=as_json)


def _path(webhook: str, *rest: str) -> str:
    return "/".join((_PATH, segment(webhook), *rest))


def _print_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    say(f"{made['id']} is told; the secret, not shown again:")
    typer.echo(made["secret"])
