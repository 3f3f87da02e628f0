"""`csms transactions`: what was charged, and ending what goes on."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import CommandFailed
from csms.cli.http import TIMEOUT_S, segment, station_name
from csms.cli.instants import Since, Until, instant
from csms.cli.output import AsJson, Output, print_file, print_json, print_one, print_rows, say
from csms.cli.place import DataDir, server_of

app = typer.Typer(help="Charging transactions.", no_args_is_help=True, rich_markup_mode=None)

TransactionId = Annotated[
    str, typer.Argument(metavar="TRANSACTION", help="Its id.", show_default=False)
]
_PATH = "/api/v1/transactions"
_EXAMPLE = "6f2a1c34-5b0d-4c5f-9a53-0c6f6a0a7c11"
_Station = Annotated[str | None, typer.Option(help="Only at this one: its identity, or its id.")]
_Location = Annotated[str | None, typer.Option(help="Only at this one, by its id.")]
_IdToken = Annotated[str | None, typer.Option(help="Only of this one, in any case.")]
_Open = Annotated[
    bool | None, typer.Option("--open/--ended", help="Only those that go on, or are over.")
]


class Bucket(str, Enum):
    """Spans of time that readings can be put together by."""

    MINUTE = "1m"
    QUARTER = "15m"
    HOUR = "1h"


class State(str, Enum):
    """Whether a transaction goes on."""

    OPEN = "open"
    ENDED = "ended"


@app.command(
    "list",
    epilog=examples("transactions list --open", "transactions list --station CP-1 --since 30d"),
)
def list_transactions(
    *,
    station: _Station = None,
    location: _Location = None,
    id_token: _IdToken = None,
    is_open: _Open = None,
    state: Annotated[State | None, typer.Option(help="As --open and --ended.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List transactions; the one that began last comes first."""
    if state is not None:
        is_open = state is State.OPEN
    query = _query(station, location, id_token, is_open=is_open, since=since, until=until)
    found = server_of(data_dir).pages(_PATH, limit=limit, **query)
    columns = {"id": "TRANSACTION", "identity": "STATION", "evse_id": "EVSE"}
    columns |= {"id_token": "ID TOKEN", "started_at": "STARTED", "ended_at": "ENDED"}
    columns |= {"energy_wh": "WH", "stop_reason": "REASON"}
    print_rows(columns, found, as_json=as_json, empty="no transactions")


@app.command(epilog=examples(f"transactions show {_EXAMPLE}"))
def show(transaction: TransactionId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show a transaction."""
    found = server_of(data_dir).get(f"{_PATH}/{segment(transaction)}")
    print_one(found, as_json=as_json)


@app.command(
    "meter-values",
    epilog=examples(
        f"transactions meter-values {_EXAMPLE}",
        f"transactions meter-values {_EXAMPLE} --bucket 15m --measurand Power.Active.Import",
    ),
)
def meter_values(
    transaction: TransactionId,
    bucket: Annotated[
        Bucket | None, typer.Option(help="By spans of this length.", show_default=False)
    ] = None,
    measurand: Annotated[list[str] | None, typer.Option(help="Only this one. Repeatable.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List what was metered for a transaction."""
    found = server_of(data_dir).pages(
        f"{_PATH}/{segment(transaction)}/meter-values",
        bucket=None if bucket is None else bucket.value,
        measurand=measurand,
    )
    columns = {"measured_at": "MEASURED", "context": "CONTEXT", "energy_register_wh": "WH"}
    columns |= {"power_w": "W", "current_a": "A", "soc_percent": "SOC %"}
    if bucket is not None:
        # One row for each, however many measures a bucket has.
        columns = {key: key.upper() for key in found[0]} if found else {}
    print_rows(columns, found, as_json=as_json, empty="nothing was metered")


@app.command(epilog=examples(f"transactions stop {_EXAMPLE}"))
def stop(
    transaction: TransactionId,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1, max=300, help="Seconds to wait for the answer.")
    ] = 30.0,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Ask the station to end a transaction; it ends when the station says so."""
    answer = server_of(data_dir).post(
        f"{_PATH}/{segment(transaction)}/stop",
        {"timeout_s": timeout_s},
        timeout_s=timeout_s + TIMEOUT_S,
    )
    if as_json:
        print_json(answer)
    if answer["state"] == "rejected":
        raise CommandFailed(f"the station answered {answer['response_status']}")
    say(f"the station answered {answer['response_status']}")


@app.command(epilog=examples(f'transactions close {_EXAMPLE} --reason "station replaced"'))
def close(
    transaction: TransactionId,
    *,
    reason: Annotated[str, typer.Option(help="Why nobody else will end it.")],
    ended_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ended, if that is known.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """End a transaction that its station will never end."""
    body = {"reason": reason, "ended_at": instant(ended_at)}
    closed = server_of(data_dir).post(f"{_PATH}/{segment(transaction)}/close", body)
    print_one(closed, as_json=as_json)


@app.command(epilog=examples("transactions export --since 30d --output may.csv"))
def export(
    *,
    output: Output = None,
    station: _Station = None,
    location: _Location = None,
    id_token: _IdToken = None,
    is_open: _Open = None,
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = None,
) -> None:
    """Write transactions as CSV, for a spreadsheet."""
    query = _query(station, location, id_token, is_open=is_open, since=since, until=until)
    print_file(server_of(data_dir).content(f"{_PATH}.csv", **query), output)


def _query(
    station: str | None,
    location: str | None,
    id_token: str | None,
    *,
    is_open: bool | None,
    since: str | None,
    until: str | None,
) -> dict[str, Any]:
    return {
        "station_id": None if station is None else station_name(station),
        "location_id": location,
        "id_token": id_token,
        "state": None if is_open is None else "open" if is_open else "ended",
        "from": instant(since),
        "to": instant(until),
    }
