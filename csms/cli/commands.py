"""`csms commands`: an order to one station, and its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage, CommandFailed
from csms.cli.http import TIMEOUT_S, segment, station_name, station_path
from csms.cli.output import AsJson, print_json, print_one, print_rows, print_table, say
from csms.cli.place import DataDir, server_of
from csms.cli.stations import StationArgument

if TYPE_CHECKING:
    from csms.ocpp.commands.command import Command

app = typer.Typer(help="Orders to one station.", no_args_is_help=True, rich_markup_mode=None)

CommandId = Annotated[str, typer.Argument(metavar="ID", help="Its id.", show_default=False)]
_PATH = "/api/v1/commands"
_EXAMPLE = "9b1f4c1e-7a52-4b86-8d0a-2f6f0f8a3c55"


@app.command(
    epilog=examples(
        "commands send CP-1 reset type=on_idle",
        "commands send CP-1 request_start_transaction id_token=04A2B3C4 evse_id:=1",
        """commands send CP-1 --action TriggerMessage '{"requestedMessage": "Heartbeat"}'""",
    )
)
def send(
    station: StationArgument,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND [NAME=TEXT|NAME:=JSON]...",
            help="The command and its parameters; with --action the payload as JSON.",
            show_default=False,
        ),
    ],
    *,
    action: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Send this action of the station's version as it is."),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1, max=300, help="Seconds to wait for the answer.")
    ] = 30.0,
    go_on: Annotated[
        bool, typer.Option("--async", help="Do not wait: print the command's id.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Send a command and wait for the answer. `csms commands kinds` lists what there is.

    Exit code 0: the station did as it was told. 1: it refused, or nobody knows.
    """
    order = _raw(action, words) if action is not None else read_order(words)
    answer = server_of(data_dir).post(
        station_path(station, "commands"),
        {**order, "timeout_s": timeout_s},
        timeout_s=timeout_s + TIMEOUT_S,
        more={"Prefer": "respond-async"} if go_on else None,
    )
    if as_json:
        print_json(answer)
    if go_on:
        if not as_json:
            typer.echo(answer["id"])
        return
    if not as_json:
        typer.echo(json.dumps(answer["response"], ensure_ascii=False))
    if answer["state"] == "rejected":
        raise CommandFailed(f"{station} answered {answer['response_status']}")
    say(f"{station} answered in {answer['latency_ms']} ms")


@app.command("list", epilog=examples("commands list --open", "commands list --station CP-1"))
def list_commands(
    *,
    station: Annotated[
        str | None, typer.Option(help="Only to this one: its identity, or its id.")
    ] = None,
    is_open: Annotated[
        bool | None, typer.Option("--open/--over", help="Only those that can still be answered.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List commands to single stations, the newest first."""
    named = None if station is None else station_name(station)
    found = server_of(data_dir).pages(_PATH, limit=limit, station_id=named, open=is_open)
    columns = {"id": "ID", "identity": "STATION", "command": "COMMAND", "state": "STATE"}
    columns |= {"response_status": "ANSWER", "created_at": "SENT"}
    print_rows(columns, found, as_json=as_json, empty="no commands")


@app.command(epilog=examples(f"commands show {_EXAMPLE}"))
def show(command: CommandId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show a command and what came of it."""
    found = server_of(data_dir).get(f"{_PATH}/{segment(command)}")
    print_one(found, as_json=as_json)


@app.command(epilog=examples(f"commands cancel {_EXAMPLE}"))
def cancel(command: CommandId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Cancel a command that was not sent yet."""
    cancelled = server_of(data_dir).delete(f"{_PATH}/{segment(command)}")
    print_one(cancelled, as_json=as_json)


@app.command(epilog=examples("commands kinds", "commands kinds reset", "commands kinds --json"))
def kinds(
    command: Annotated[
        str | None, typer.Argument(help="Tell the parameters of this one.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the commands, or the parameters of one."""
    from csms.ocpp.commands import COMMANDS

    if command is None:
        columns = {"command": "COMMAND", "actions": "IN OCPP", "summary": "DOES"}
        rows = [_kind(COMMANDS[name], as_json=as_json) for name in sorted(COMMANDS)]
        print_rows(columns, rows, as_json=as_json, empty="none")
    elif command not in COMMANDS:
        raise BadUsage(f"there is no command {command}; see: csms commands kinds")
    elif as_json:
        print_json(_kind(COMMANDS[command], as_json=True))
    else:
        columns = {"name": "PARAMETER", "description": "MEANS"}
        print_table(columns, _parameters(COMMANDS[command]), empty="it has no parameters")


def _kind(command: Command, *, as_json: bool) -> dict[str, Any]:
    actions = {version.value: action for version, action in command.actions.items()}
    return {
        "command": command.name,
        "summary": command.summary,
        "class": command.command_class.value,
        "actions": actions if as_json else " ".join(dict.fromkeys(actions.values())),
        "parameters": _parameters(command),
    }


def _parameters(command: Command) -> list[dict[str, Any]]:
    from dataclasses import fields

    return [
        {"name": one.name, "description": one.metadata.get("description")}
        for one in fields(command.params)
    ]


def read_order(words: list[str]) -> dict[str, Any]:
    """A command and its parameters as they are written; raises BadUsage."""
    command, *given = words
    return {"command": command, "params": dict(map(_parameter, given))}


def _parameter(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals or not name.strip(":"):
        raise BadUsage(f"{word!r} is no parameter; write name=text, or name:=JSON")
    if name.endswith(":"):
        return name[:-1], _json(value)
    return name, value


def _raw(action: str, words: list[str]) -> dict[str, Any]:
    if len(words) > 1:
        raise BadUsage("with --action give the whole payload as one JSON object")
    return {"action": action, "payload": _json(words[0])}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadUsage(f"{text!r} is not JSON: {error}") from error
