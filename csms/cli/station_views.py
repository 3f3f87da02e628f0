"""`csms stations …`: what goes on at one station, and what it said."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import Refused, ServerUnreachable
from csms.cli.http import Client, find_server, station_path
from csms.cli.instants import Since, Until, instant
from csms.cli.output import AsJson, print_json_line, print_one, print_rows, print_table
from csms.cli.place import DataDir, data_dir_of, server_of
from csms.cli.stations import StationArgument

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_MESSAGES = {"started_at": "BEGAN", "direction": "DIRECTION", "action": "ACTION", "state": "STATE"}
_MESSAGES |= {"latency_ms": "MS", "payload": "PAYLOAD", "answer": "ANSWER"}
_FOLLOW_S = 1.0
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most this many.")]


@app.command(epilog=examples("stations evses CP-1"))
def evses(station: StationArgument, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List a station's EVSEs and what goes on at them."""
    found = server_of(data_dir).get(station_path(station, "evses"))["items"]
    columns = {"evse_id": "EVSE", "status": "STATUS", "since": "SINCE", "id_token": "ID TOKEN"}
    columns |= {"energy_wh": "WH", "power_w": "W", "transaction_id": "TRANSACTION"}
    rows = found if as_json else [_evse_row(one) for one in found]
    print_rows(columns, rows, as_json=as_json, empty="it has told of no EVSE")


@app.command(
    epilog=examples(
        "stations messages CP-1",
        "stations messages CP-1 --action StatusNotification --since 1h",
        "stations messages CP-1 --follow --json",
    )
)
def messages(
    station: StationArgument,
    *,
    action: Annotated[list[str] | None, typer.Option(help="Only this action. Repeatable.")] = None,
    hide: Annotated[list[str] | None, typer.Option(help="All but this action. Repeatable.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then go on with new ones until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List what a station and the server said to each other; --follow puts the oldest first."""
    path, client = station_path(station, "messages"), server_of(data_dir)
    wanted = {"action": action, "hide": hide}
    query = {**wanted, "from": instant(since), "to": instant(until)}
    found = client.pages(path, limit=limit, **query)
    if not follow:
        print_rows(_MESSAGES, found, as_json=as_json, empty="no messages")
        return
    _print_messages(found[::-1], as_json=as_json)
    seen = max((one["id"] for one in found if one["id"] is not None), default=0)
    while True:
        time.sleep(_FOLLOW_S)
        fresh = _newer(find_server(data_dir_of(data_dir)), path, seen, wanted)
        _print_messages(fresh[::-1], as_json=as_json)
        seen = max([seen, *(one["id"] for one in fresh)])


@app.command(
    epilog=examples("stations variables CP-1", "stations variables CP-1 --component v16 --json")
)
def variables(
    station: StationArgument,
    component: Annotated[str | None, typer.Option(help="Only those of this component.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List a station's device model, or its configuration keys."""
    found = server_of(data_dir).pages(station_path(station, "variables"), component=component)
    columns = {"component": "COMPONENT", "evse_id": "EVSE", "variable": "VARIABLE"}
    columns |= {"value": "VALUE", "mutability": "MAY BE", "unit": "UNIT"}
    rows = found if as_json else [_variable_row(one) for one in found]
    print_rows(columns, rows, as_json=as_json, empty="nothing is known of it")


@app.command(epilog=examples("stations uptime CP-1 --since 30d"))
def uptime(
    station: StationArgument,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show how much of a time a station was connected."""
    span = {"from": instant(since), "to": instant(until)}
    found = server_of(data_dir).get(station_path(station, "uptime"), **span)
    print_one(found, as_json=as_json)


def _evse_row(evse: dict[str, Any]) -> dict[str, Any]:
    connector: dict[str, Any] = next(iter(evse["connectors"]), {})
    transaction = evse["transaction"] or {}
    return {
        **evse,
        "status": connector.get("status"),
        "since": connector.get("since"),
        "id_token": transaction.get("id_token"),
        "energy_wh": transaction.get("energy_wh"),
        "transaction_id": transaction.get("id"),
    }


def _variable_row(variable: dict[str, Any]) -> dict[str, Any]:
    actual: dict[str, Any] = next(iter(variable["attributes"]), {})
    return {**variable, "value": actual.get("value"), "mutability": actual.get("mutability")}


def _newer(
    client: Client | None, path: str, seen: int, wanted: dict[str, Any]
) -> list[dict[str, Any]]:
    """What is over and came after the message `seen`; nothing while the server is away."""
    if client is None:
        return []
    found: list[dict[str, Any]] = []
    cursor = None
    try:
        while True:
            page = client.get(path, limit=100, cursor=cursor, **wanted)
            over = [one for one in page["items"] if one["id"] is not None]
            found += [one for one in over if one["id"] > seen]
            cursor = page["next_cursor"]
            if cursor is None or not seen or any(one["id"] <= seen for one in over):
                return found
    except ServerUnreachable:
        return []
    except Refused as error:
        if error.status in {401, 503}:
            return []
        raise


def _print_messages(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json_line(row)
    elif rows:
        print_table(_MESSAGES, rows, empty="")
